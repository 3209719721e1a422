"""Strategies for MIDI files that mean the same to everyone, and one real song with everything in it, made here."""

import struct

from hypothesis import strategies as st

from piano.midi.scan import variable_length

END = b"\xff\x2f\x00"


def chunk(body: bytes, kind: bytes = b"MTrk") -> bytes:
    """Return a chunk."""
    return kind + struct.pack(">I", len(body)) + body


def midi_file(*bodies: bytes, file_type: int = 1, division: int = 480, behind: bytes = b"") -> bytes:
    """Return a file of these track bodies."""
    header = b"MThd" + struct.pack(">IHHH", 6, file_type, len(bodies), division)
    return header + b"".join(chunk(body) for body in bodies) + behind


def meta(kind: int, data: bytes) -> bytes:
    """Return a meta event without its delta time."""
    return bytes((0xFF, kind)) + variable_length(len(data)) + data


def track(*events: tuple[int, bytes]) -> bytes:
    """Return the body of a track of events, each with its delta time, and an end of track."""
    return b"".join(variable_length(delta) + data for delta, data in events) + b"\x00" + END


def note(channel: int, pitch: int, velocity: int, length: int, wait: int = 0) -> tuple[tuple[int, bytes], ...]:
    """Return the two events of a note; the release runs on the status of the press, as a press of no velocity."""
    return (wait, bytes((0x90 | channel, pitch, velocity))), (length, bytes((pitch, 0)))


def song() -> bytes:
    """Return a type 1 file with tempo changes, lyrics, two hands with a pedal, strings, drums, and a strange chunk."""
    conductor = track(
        (0, meta(0x03, b"Song")),
        (0, meta(0x58, bytes((3, 2, 24, 8)))),
        (0, meta(0x59, bytes((2, 0)))),
        (0, meta(0x51, (600_000).to_bytes(3))),
        (960, meta(0x51, (400_000).to_bytes(3))),
        (0, meta(0x06, b"Chorus")),
        (1440, meta(0x51, (750_000).to_bytes(3))),
    )
    words = track((0, meta(0x03, b"Words")), (480, meta(0x05, b"la ")), (480, meta(0x05, b"li \xe4")))
    right = track(
        (0, meta(0x03, b"Piano right")),
        (0, b"\xc0\x00"),
        (0, b"\xb0\x40\x7f"),
        *(event for step in range(12) for event in note(0, 72 + step % 5, 60 + 3 * step, 180, 60)),
        (0, b"\xb0\x40\x00"),
    )
    left = track(
        (0, meta(0x03, b"Piano left")),
        (0, b"\xc1\x00"),
        (0, b"\xb1\x07\x64"),
        *(event for step in range(6) for event in note(1, 45 + step % 3, 50 + step, 400, 80)),
    )
    strings = track((0, b"\xc2\x30"), *note(2, 55, 70, 1900), (0, b"\xe2\x00\x40"), (0, b"\xf0\x03\x7e\x7f\xf7"))
    drums = track(*(event for step in range(8) for event in note(9, 36 + step % 2, 99, 60, 180)))
    body = midi_file(conductor, words, right, left, strings, drums, behind=b"and more")
    at = body.index(b"MTrk", 14)
    return body[:at] + chunk(b"not ours", b"XFIH") + body[at:]


@st.composite
def track_bodies(draw: st.DrawFn) -> bytes:
    """Draw the body of a track in which keys are struck twice, released twice or never, under a running status or not,
    among other events."""
    out, status = bytearray(), None
    for _ in range(draw(st.integers(0, 24))):
        out += variable_length(draw(st.sampled_from([0, 0, 1, 20, 200, 300])))
        said = draw(st.sampled_from([0x90, 0x90, 0x90, 0x80, 0x80, 0x91, 0xB0, 0xF0, 0xFF]))
        if said == 0xFF:
            out += draw(
                st.sampled_from([meta(0x05, b"la"), meta(0x51, (400_000).to_bytes(3)), meta(0x01, b"\x90\x3c")])
            )
            status = None
            continue
        if said == 0xF0:
            out += b"\xf0\x02\x01\xf7"
            status = None
            continue
        if said != status or draw(st.booleans()):
            out.append(said)
        status = said
        if said == 0xB0:
            out += bytes((64, draw(st.sampled_from([0, 30, 64, 127]))))
        else:
            out += bytes((draw(st.integers(60, 62)), draw(st.sampled_from([0, 1, 40, 90, 127]))))
    return bytes(out) + variable_length(draw(st.sampled_from([0, 0, 500]))) + END
