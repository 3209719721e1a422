"""The bytes of a MIDI file and how large and long one may be: nothing is read or allocated beyond that."""

from pathlib import Path

from piano.errors import MidiFileError

MIDI_ENDINGS = (".mid", ".midi", ".kar", ".rmi", ".smf")
"""How the names of MIDI files end, in lower case: karaoke and wrapped ones too."""

_COMPANION = "._"
"""How macOS begins the names of what it keeps beside files on foreign disks: no music, whatever they end in."""

LARGEST_FILE_BYTES = 8 * 1024 * 1024
"""A file larger than this is refused before it is read: an hour of dense playing with pedal takes about 1 MB."""

LONGEST_S = 24 * 3600.0
"""A file longer than this, in seconds, is refused: whatever stands at its end, a note, a pedal, a tempo or nothing."""

LONGEST_WITHOUT_NOTES_S, LONGEST_OF_A_NOTE_S = 3600.0, 60.0
"""A file is at most an hour long, in seconds, and a minute longer for each note in it: what it takes to work on a file
grows with its length too, and must not outgrow the file."""

MOST_NOTES = 250_000
"""A file with more notes than this is refused: it is some seven hours of dense playing."""


def load_midi(source: Path | bytes, called: str) -> bytes:
    """Return the bytes of the file; MidiFileError, before it is read, if it is too large."""
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise MidiFileError(
                f"{called}: {size:,} bytes are too many for a MIDI file (at most {LARGEST_FILE_BYTES:,}); "
                "give a file of one performance"
            )
        return source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        raise MidiFileError(f"{called}: cannot be read: {error.strerror or error}; check path and rights") from error


def is_midi_name(name: str) -> bool:
    """Say whether a file in a folder is a MIDI file by its name."""
    return name.lower().endswith(MIDI_ENDINGS) and not name.startswith(_COMPANION)
