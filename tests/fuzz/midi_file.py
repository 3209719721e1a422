"""Any bytes are a MIDI file that can be read, or a MidiFileError: `python -m tests.fuzz.midi_file --seconds 60`."""

from collections.abc import Iterator

import numpy as np

from piano.errors import MidiFileError
from piano.midi.document import MidiDocument
from piano.midi.file import read_performance, read_tracks
from piano.midi.load import LONGEST_S
from piano.midi.piano_part import PianoPart
from realtime.cli.demo_phrases import QUESTION, phrase_path
from tests.fuzz.drive import fuzz

INSTRUMENTED = tuple(
    f"piano.midi.{name}"
    for name in (
        *("file", "document", "chunks", "events", "scan", "mending", "strikes", "wrappers"),
        *("tempo_map", "one_piano", "piano_part"),
    )
)


def check(data: bytes) -> None:
    """Read a file; whatever comes out is music."""
    try:
        tracks = read_tracks(data)
    except MidiFileError:
        return
    for track in tracks:
        notes, pedals = track.performance.notes, track.performance.pedals
        ends_s = notes["onset_s"] + notes["duration_s"]
        if notes.size and not (
            np.isfinite(ends_s).all()
            and (notes["onset_s"] >= 0).all()
            and (pedals["time_s"] <= LONGEST_S + 1).all()
            and (notes["duration_s"] >= 0).all()
            and (notes["pitch"] <= 127).all()
            and ((notes["velocity"] >= 1) & (notes["velocity"] <= 127)).all()
            and ends_s.max() <= LONGEST_S + 1
        ):
            raise AssertionError("a note that cannot be")
        if pedals.size and not np.isfinite(pedals["time_s"]).all():
            raise AssertionError("a pedal that cannot be")
    document = MidiDocument.read(data)
    again = MidiDocument.read(document.to_bytes())
    if again.struck.tolist() != document.struck.tolist():
        raise AssertionError("what is written back is other music")
    try:
        read_performance(data)
        PianoPart.of(document)
    except MidiFileError:
        return


def seeds() -> Iterator[bytes]:
    """Yield files to begin with: a phrase, and small ones of each type with what a track may hold."""
    yield phrase_path(QUESTION).read_bytes()[:4096]
    notes = bytes.fromhex("00903c40 60803c40 00b0407f 83603c40 00b04000 00c005 00e00040 00ff2f00")
    tempo = bytes.fromhex("00ff5103 07a120 00ff580404021808 00ff0304 6e616d65 00f00543 12007f f7 00ff2f00")
    for file_type, division in ((0, 0x60), (1, 0x1E0), (2, 0x60), (1, 0xE728)):
        bodies = (notes,) if file_type == 0 else (tempo, notes)
        header = b"MThd\0\0\0\x06" + bytes((0, file_type, 0, len(bodies))) + division.to_bytes(2)
        yield header + b"".join(b"MTrk" + len(body).to_bytes(4) + body for body in bodies)


if __name__ == "__main__":
    fuzz("midi_file", check, seeds(), INSTRUMENTED)
