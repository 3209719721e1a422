"""Damaged, truncated and hostile MIDI files: music or a MidiFileError that helps; never a hang, never all memory."""

import subprocess
import sys

import pytest

from piano.errors import MidiFileError
from piano.midi.file import read_tracks
from realtime.cli.demo_phrases import NAMES, phrase_path

HEADER_BYTES = 14 + 8
END = bytes.fromhex("00ff2f00")

_BODIES = (
    bytes.fromhex("00ff510307a120 00ff580404021808") + END,
    bytes.fromhex("00ff030468616e64 00c000 00903c40 30b0407f 8130803c00 00903e40 10803e00 00b04000") + END,
)
SMALL = b"MThd" + bytes.fromhex("00000006 0001 0002 0060")
SMALL += b"".join(b"MTrk" + len(body).to_bytes(4) + body for body in _BODIES)
"""A file with a conductor's track and one of music."""


def outcome(data: bytes) -> str:
    """Return what becomes of a file."""
    said: list[str] = []
    try:
        read_tracks(data, name="the file", warn=said.append)
    except MidiFileError as error:
        return "refused" if str(error).startswith("the file: ") else f"refused without a name: {error}"
    return "read with a warning" if said else "read"


@pytest.mark.parametrize("name", NAMES)
def test_every_byte_of_a_header_flipped(name: str) -> None:
    data = phrase_path(name).read_bytes()
    assert outcome(data) == "read"
    outcomes = set()
    for at in range(HEADER_BYTES):
        for flip in (*(1 << bit for bit in range(8)), 0xFF):
            outcomes.add(outcome(data[:at] + bytes((data[at] ^ flip,)) + data[at + 1 :]))
    assert outcomes == {"read", "refused", "read with a warning"}


@pytest.mark.parametrize("name", NAMES)
def test_a_real_file_cut_off_in_its_header_or_anywhere_later(name: str) -> None:
    data = phrase_path(name).read_bytes()
    for length in range(HEADER_BYTES):
        assert outcome(data[:length]) == "refused"
    for length in (*range(HEADER_BYTES, 60), *range(60, len(data), 61), len(data) - 1):
        assert outcome(data[:length]) == "read with a warning"


def test_every_truncation_point_and_every_flipped_byte_of_a_small_file() -> None:
    assert outcome(SMALL) == "read"
    outcomes = [outcome(SMALL[:length]) for length in range(len(SMALL))]
    assert outcomes == ["refused"] * HEADER_BYTES + ["read with a warning"] * (len(SMALL) - HEADER_BYTES)
    for at in range(len(SMALL)):
        for flip in (0x01, 0x40, 0x80, 0xFF):
            outcome(SMALL[:at] + bytes((SMALL[at] ^ flip,)) + SMALL[at + 1 :])


def test_a_note_of_the_lowest_pitch_without_length_is_the_players() -> None:
    body = bytes.fromhex("00c040 00900001 00800040 00903c40 10803c40") + END
    assert read_tracks(a_file(body))[0].performance.notes["pitch"].tolist() == [0, 60]


def a_file(body: bytes, declared: int = 1, division: int = 96) -> bytes:
    """Return a file of one track."""
    head = b"MThd" + (6).to_bytes(4) + (0).to_bytes(2) + declared.to_bytes(2) + division.to_bytes(2)
    return head + b"MTrk" + len(body).to_bytes(4) + body


BOMBS = {
    "a sysex that claims 256 MB": a_file(bytes.fromhex("00f0ffffff7f43f7") + END),
    "a text that claims 256 MB": a_file(bytes.fromhex("00ff01ffffff7f43") + END),
    "65,535 tracks": a_file(END, declared=65_535),
    "a tempo of 0": a_file(bytes.fromhex("00ff5103000000 00903c40 60803c40") + END),
    "no ticks": a_file(END, division=0),
    "more ticks than can be counted": a_file(bytes.fromhex("ffffff7f903c40 ffffff7f803c40") * 20 + END),
    "years": a_file(bytes.fromhex("00ff5103ffffff 00903c40 ffffff7f803c40"), division=1),
    "a chunk of 4 GB": a_file(b"")[:-4] + b"\xff\xff\xff\xff" + END,
    "a number without end": a_file(b"\x80" * 100_000),
    "notes that never end": a_file(b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 50_000 + END),
    "a note that lasts for years": a_file(bytes.fromhex("00903c40 ffffff7f803c00") + END, division=1),
    "an end after years": a_file(bytes.fromhex("00903c40 60803c00 ffffff7fff2f00"), division=1),
    "a pedal after years": a_file(bytes.fromhex("00903c40 60803c00 ffffff7fb0407f") + END, division=1),
    "a controller after years": a_file(bytes.fromhex("00903c40 60803c00 ffffff7fb0077f") + END, division=1),
    "a tempo after years": a_file(bytes.fromhex("00903c40 60803c00 ffffff7fff5103ffffff 7f") + END, division=1),
    "hours of one note, not years": a_file(bytes.fromhex("00903c40 89a000803c00") + END, division=1),
    "nothing but presses": a_file(b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 300_000 + END),
    "nothing but programs": a_file(b"\x00\xc0\x00" + b"\x00\x00" * 1_100_000 + END),
    "ends of track": a_file(b"\x00\x90\x3c\x40" + END * 50_000 + b"\x00\x80\x3c\x40" + END),
}
"""By name, files, most of at most 200 kB, that ask for more than they are."""

_IN_TWO_GIGABYTES = """
import resource
from tests.piano.midi.test_damaged_files import BOMBS, outcome
import numpy
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
for name, data in BOMBS.items():
    print(outcome(data), name, sep=": ")
"""


def test_what_a_file_claims_takes_neither_memory_nor_time() -> None:
    code = [sys.executable, "-c", _IN_TWO_GIGABYTES]
    ran = subprocess.run(code, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("\n") == len(BOMBS)
    assert "read with a warning: a sysex that claims 256 MB" in ran.stdout
    assert ran.stdout.count("years") == 7
    assert ran.stdout.count("years\n") == ran.stdout.count("refused: ") - 4, ran.stdout
    assert "read: notes that never end" in ran.stdout
