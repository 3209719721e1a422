"""Any bytes are a journal, whose whole lines become a MIDI file: `python -m tests.fuzz.journal --seconds 60`."""

import io
from collections.abc import Iterator

from piano.errors import MidiFileError
from piano.midi.file import read_tracks
from realtime.take.journal import JournalReader, encode_record
from realtime.take.midi_export import midi_of
from realtime.take.take import TakeRecord, TakeSource
from tests.fuzz.drive import fuzz

INSTRUMENTED = ("realtime.take.journal", "realtime.take.midi_export")


def check(data: bytes) -> None:
    """Recover a journal; lines sealed anew stand for those that a stranger wrote with care."""
    sealed = b"".join(_sealed(line) for line in data.split(b"\n"))
    for journal in (data, sealed):
        midi = midi_of(JournalReader(io.BytesIO(journal)))
        if midi is not None:
            try:
                read_tracks(midi)
            except MidiFileError as error:
                if "lasts" not in str(error) and "longer than its clock" not in str(error):
                    raise AssertionError(f"a file that we wrote ourselves cannot be read: {error}") from error


def _sealed(line: bytes) -> bytes:
    match line.split(b" "):
        case [b"played" | b"own" | b"passed" as source, at_ns, data, *_]:
            try:
                record = TakeRecord(int(at_ns[:18]), TakeSource(source.decode()), bytes.fromhex(data.decode()))
            except ValueError:
                return line
            return encode_record(record)
    return line + b"\n"


def seeds() -> Iterator[bytes]:
    """Yield journals to begin with."""
    messages = ("903c40", "803c40", "b0407f", "c005", "993c40")
    for source in TakeSource:
        yield b"".join(
            encode_record(TakeRecord(10**9 + at, source, bytes.fromhex(text))) for at, text in enumerate(messages)
        )


if __name__ == "__main__":
    fuzz("journal", check, seeds(), INSTRUMENTED)
