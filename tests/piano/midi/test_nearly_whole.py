"""Files with a fault that other programs read: what is there is read, and one line tells the fault and its place."""

import contextlib
import re
import struct
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.errors import MidiFileError
from piano.midi.document import MidiDocument
from piano.midi.file import read_performance
from piano.midi.piano_part import PianoPart
from piano.midi.strikes import DRUMS
from tests.support.midi_files import END, chunk, meta, midi_file, note, track, track_bodies

EIGHT = tuple(event for step in range(8) for event in note(0, 60 + step, 50 + step, 100, 40))
LOWER = tuple(event for step in range(8) for event in note(0, 40 + step, 50 + step, 100, 40))
RIGHT = track((0, meta(0x03, b"Right")), *EIGHT)
LEFT = track((0, meta(0x03, b"Left")), *LOWER)
CONDUCTOR = track((0, meta(0x51, (500_000).to_bytes(3))))
BOTH = midi_file(CONDUCTOR, RIGHT, LEFT)


def declaring(tracks: int, data: bytes = BOTH) -> bytes:
    """Return a file whose header declares so many tracks."""
    return data[:10] + struct.pack(">H", tracks) + data[12:]


def with_middle(middle: bytes) -> bytes:
    """Return a file with eight notes, strange bytes, and eight more notes on their own status."""
    return midi_file(track(*EIGHT)[: -len(END) - 1] + middle + track(*LOWER))


def riff(data: bytes) -> bytes:
    """Return a MIDI file in a RIFF wrapper with a chunk of names before it."""
    inside = b"RMID" + b"LIST" + struct.pack("<I", 3) + b"abc\0" + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def mac_binary(data: bytes) -> bytes:
    """Return a MIDI file as MacBinary: a header of 128 bytes, the file, padding."""
    header = bytearray(128)
    header[1:10] = b"\x08song.mid"
    header[83:87] = struct.pack(">I", len(data))
    return bytes(header) + data + bytes(-len(data) % 128)


CASES = {
    "the header says fewer tracks": (declaring(2), 16, "declares 2 tracks, and there are 3"),
    "the header says more tracks": (declaring(5), 16, "declares 5 tracks, and there are 3"),
    "a foreign chunk is counted": (
        declaring(4, BOTH[:14] + chunk(b"theirs", b"XFIH") + BOTH[14:]),
        16,
        "declares 4 tracks, and there are 3",
    ),
    "type 3": (BOTH[:8] + b"\0\3" + BOTH[10:], 16, "type 3"),
    "cut off in the last track": (BOTH[: -len(END) - 30], 12, r"track 3 is cut off: \d+ of \d+ bytes"),
    "a length one too many": (
        BOTH.replace(struct.pack(">I", len(CONDUCTOR)), struct.pack(">I", len(CONDUCTOR) + 1), 1),
        16,
        "the length of track 1 is wrong",
    ),
    "a length far too large": (
        BOTH.replace(chunk(RIGHT)[:8], b"MTrk\xff\xff\xff\xff"),
        16,
        "the length of track 2 is wrong",
    ),
    "a length far too small": (BOTH.replace(chunk(RIGHT)[:8], b"MTrk\0\0\0\x09"), 16, "the length of track 2 is wrong"),
    "rubbish between tracks": (BOTH.replace(chunk(LEFT), b"\0\xff\0" * 5 + chunk(LEFT)), 16, "no chunk|is wrong"),
    "a tempo of 0 at the end": (midi_file(track(*EIGHT, (0, meta(0x51, bytes(3))))), 8, "byte 56: a tempo of 0"),
    "a controller of 168": (midi_file(track((0, b"\xb0\x07\xa8"), *EIGHT)), 8, "byte 2: a value of 168 counts as 127"),
    "active sensing in the track": (with_middle(b"\x00\xfe"), 16, "byte 56: status 0xfe"),
    "a clock in the track, twice": (with_middle(b"\x00\xf8\x00\xf8"), 16, "byte 56: status 0xf8 .*, and 1 more"),
    "a song position in the track": (with_middle(b"\x00\xf2\x01\x02"), 16, "status 0xf2"),
    "a track that begins within an event": (midi_file(b"\x00\x3c\x40" + track(*EIGHT)), 8, "begins within an event"),
    "an event cut short at the end": (midi_file(track(*EIGHT)[: -len(END) - 1] + b"\x00\x90\x3c"), 8, "ends within"),
    "a text that claims more": (midi_file(track(*EIGHT)[: -len(END) - 1] + b"\x00\xff\x01\x7f\x41"), 8, "ends within"),
    "a sysex that never ends": (midi_file(track(*EIGHT)[: -len(END) - 1] + b"\x00\xf0\x20\x41"), 8, "ends within"),
    "a number without end": (midi_file(track(*EIGHT)[: -len(END) - 1] + b"\xff" * 9), 8, "longer than four bytes"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_there_is_read_with_one_warning_that_names_the_place(name: str) -> None:
    data, notes, says = CASES[name]
    told: list[str] = []
    assert read_performance(data, name="old.mid", warn=told.append).notes.size == notes
    assert [MidiDocument.read(data, name="old.mid").warning] == told
    assert re.search(rf"^old\.mid: .*({says}).*: what could be read is read$", told[0]), told[0]


@pytest.mark.parametrize(
    "wraps", [(riff,), (mac_binary,), (mac_binary, mac_binary), (riff, mac_binary), (mac_binary, riff, mac_binary)]
)
def test_wrappers_are_taken_off(wraps: Sequence[Callable[[bytes], bytes]]) -> None:
    wrapped = BOTH
    for wrap in wraps:
        wrapped = wrap(wrapped)
    document = MidiDocument.read(wrapped)
    assert document.to_bytes() == BOTH
    assert not document.warning


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"RIFF",
        b"RIFF\0\0\0\0WAVEdata",
        b"RIFF\0\0\0\0RMIDdata",
        b"\0" * 300,
        (b"\0\1" + b"\0" * 126) * 40,
        b"%PDF-1.4",
    ],
)
def test_what_is_no_midi_file_is_refused(data: bytes) -> None:
    with pytest.raises(MidiFileError, match=r"MIDI|empty|header|cut off"):
        MidiDocument.read(data)


@settings(max_examples=150, deadline=None)
@given(st.lists(track_bodies(), min_size=1, max_size=3), st.data())
def test_what_is_read_of_a_damaged_file_is_a_sound_file(bodies: list[bytes], data: st.DataObject) -> None:
    whole = midi_file(*bodies)
    at = data.draw(st.integers(0, len(whole)))
    noise, removed = data.draw(st.binary(max_size=6)), data.draw(st.integers(0, 6))
    try:
        document = MidiDocument.read(whole[:at] + noise + whole[at + removed :])
    except MidiFileError:
        return
    again = MidiDocument.read(document.to_bytes())
    assert again.struck[["channel", "pitch", "velocity", "onset", "end"]].tolist() == (
        document.struck[["channel", "pitch", "velocity", "onset", "end"]].tolist()
    )
    if document.warning and "tempo of 0" not in document.warning:
        assert not again.warning
    tracks = [str(index + 1) for index in np.unique(document.struck["track"])]
    with contextlib.suppress(MidiFileError):
        whole_part = PianoPart.of(document, tracks).performance.notes
        if (document.struck["channel"] != DRUMS).all():
            assert whole_part.tolist() == read_performance(document.to_bytes()).notes.tolist()


def test_a_track_behind_rubbish_that_was_not_counted_does_not_come_back() -> None:
    behind = declaring(1, midi_file(CONDUCTOR, RIGHT)) + b"\0\xff\0" * 5 + chunk(LEFT)
    document = MidiDocument.read(behind)
    assert document.struck.size == MidiDocument.read(document.to_bytes()).struck.size == 8
