"""The outer layer of a Standard MIDI File: header, clock and the bodies of its track chunks, as bytes.

What is inside a track chunk is left to the parser; `frame_track` prepares a chunk for it.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

END_OF_TRACK = b"\xff\x2f\x00"

FRAME_PITCH = 0
"""Pitch of the frame's own notes, see `frame_track`."""

FRAME_END_VELOCITY = 127
"""Velocity of the frame's last notes, see `frame_track`."""

FRAME_PROBE = 119
"""Controller and value of the event that says where a track ends, see `frame_track`."""

MOST_TRACKS = 1024
"""A file that declares more tracks than this is taken for damaged."""

EMPTY_TEXT = b"\xff\x01\x00"
_ALL_RELEASED = b"".join(bytes((0, pitch, 0)) for pitch in range(128))


class DamageError(Exception):
    """A fault in the bytes of a MIDI file; the reader adds the file's name and raises MidiFileError."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How ticks become seconds: by the tempo of the quarter note, or always `tick_s` (SMPTE; tempi are ignored)."""

    ticks_per_quarter: int
    tick_s: float | None = None


@dataclass(frozen=True, slots=True)
class Chunks:
    """A MIDI file cut up: its type (0, 1 or 2), its clock, and the bodies of its track chunks."""

    file_type: int
    clock: Clock
    bodies: tuple[bytes, ...]


def split_chunks(data: bytes) -> Chunks:
    """Cut a MIDI file into its chunks; what follows the last declared track is ignored. Raises DamageError."""
    if not data:
        raise DamageError("the file is empty")
    if data[:4] != b"MThd":
        raise DamageError("this is not a MIDI file (it does not begin with MThd)")
    if len(data) < 14:
        raise DamageError(f"the header is cut off after {len(data)} of 14 bytes")
    length, file_type, declared, division = struct.unpack(">IHHH", data[4:14])
    if length < 6 or file_type > 2:
        raise DamageError(f"the header is damaged (length {length}, type {file_type})")
    if declared > MOST_TRACKS:
        raise DamageError(f"the header declares {declared:,} tracks, more than {MOST_TRACKS:,}")
    bodies: list[bytes] = []
    at = 8 + length
    while len(bodies) < declared:
        if at + 8 > len(data):
            raise DamageError(f"the file ends after {len(bodies)} of {declared} tracks")
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8])
        if at + 8 + size > len(data):
            raise DamageError(f"track {len(bodies) + 1} is cut off: {len(data) - at - 8} of {size} bytes are there")
        if kind == b"MTrk":
            if _first_event(data[at + 8 : at + 8 + size]) < 0x80:
                raise DamageError(f"track {len(bodies) + 1} begins within an event")
            bodies.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    if not bodies:
        raise DamageError("there is no track in it")
    return Chunks(file_type, _clock(division), tuple(bodies))


def _clock(division: int) -> Clock:
    """Return the clock that the header's division word declares."""
    if division < 0x8000:
        if division == 0:
            raise DamageError("the header declares 0 ticks per quarter note")
        return Clock(division)
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if frames not in (24, 25, 29, 30) or ticks == 0:
        raise DamageError(f"the header declares an unknown SMPTE clock ({frames} frames, {ticks} ticks)")
    frames_per_s = 30000 / 1001 if frames == 29 else float(frames)
    return Clock(1, 1 / (frames_per_s * ticks))


def _first_event(body: bytes) -> int:
    """Return the status byte of a track's first event, after up to four bytes of delta time; 0xFF if there is none."""
    for length, byte in enumerate(body[:4], 1):
        if byte < 0x80:
            return body[length] if length < len(body) else 0xFF
    return 0xFF


def frame_track(body: bytes, channels: tuple[int, ...], releases: Mapping[tuple[int, int], int]) -> bytes:
    """Return a type 0 file of one track chunk, framed by notes that make its parsing complete.

    Before the track's first event, each of the channels plays pitch `FRAME_PITCH` with velocity channel + 1 and no
    length. One tick after the track's end controller `FRAME_PROBE` has that value on the first channel: if it does
    not come out of the parser, an unfinished event of the track has swallowed it. Then all pitches of each channel
    are released once (those in `releases`, by channel and pitch, as often as it says), so that a note left hanging
    still ends. Then each channel plays pitch `FRAME_PITCH` with velocity `FRAME_END_VELOCITY` for one tick.
    """
    before = b"".join(
        bytes((0, 0x90 | channel, FRAME_PITCH, channel + 1, 0, 0x80 | channel, FRAME_PITCH, 0)) for channel in channels
    )
    # The delta time of the end of track stays and becomes that of a text event, after which the frame goes on.
    events = body.removesuffix(END_OF_TRACK) + EMPTY_TEXT if body.endswith(END_OF_TRACK) else body
    released = b"".join(bytes((0, 0x80 | channel)) + _ALL_RELEASED[1:] for channel in channels)
    more = b"".join(bytes((0, 0x80 | channel, pitch, 0)) * (count - 1) for (channel, pitch), count in releases.items())
    last_on = b"".join(bytes((0, 0x90 | channel, FRAME_PITCH, FRAME_END_VELOCITY)) for channel in channels)
    last_off = b"".join(
        bytes((1 if position == 0 else 0, 0x80 | channel, FRAME_PITCH, 0)) for position, channel in enumerate(channels)
    )
    probe = bytes((1, 0xB0 | channels[0], FRAME_PROBE, FRAME_PROBE))
    after = probe + released + more + last_on + last_off + b"\x00" + END_OF_TRACK
    framed = before + events + after
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(framed)) + framed
