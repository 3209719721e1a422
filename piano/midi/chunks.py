"""The outer layer of a Standard MIDI File: header, clock and the bodies of its track chunks, as bytes.

Of a file whose header or lengths are wrong, every track chunk that is there is found; each fault is told.
"""

import struct
from dataclasses import dataclass

from piano.midi.faults import DamageError, Faults

END_OF_TRACK = b"\xff\x2f\x00"
EMPTY_TEXT = b"\xff\x01\x00"

MOST_TRACKS = 1024
"""A file with more tracks than this is refused."""

_HEADER = struct.Struct(">4sIHHH")


@dataclass(frozen=True, slots=True)
class TickClock:
    """How ticks become seconds: by the tempo of the quarter note, or always `tick_s` (SMPTE; tempi are ignored)."""

    ticks_per_quarter: int
    tick_s: float | None = None


@dataclass(frozen=True, slots=True)
class Chunks:
    """A MIDI file cut up: its header, its clock, the bodies of its track chunks, and what stands between these (chunks
    of other kinds) and behind the last."""

    header: bytes
    clock: TickClock
    bodies: tuple[bytes, ...]
    between: tuple[bytes, ...]  # (bodies + 1,)

    @property
    def file_type(self) -> int:
        """Return 0 for one track, 1 for tracks side by side, 2 for tracks one after the other."""
        return int(_HEADER.unpack_from(self.header)[2])


def split_chunks(data: bytes, faults: Faults) -> Chunks:
    """Cut a MIDI file into its chunks; what is wrong about them is told to `faults`.

    Raises DamageError if no track is there, or if nothing says how fast it goes.
    """
    if len(data) < _HEADER.size:
        raise DamageError(f"the header is cut off after {len(data)} of {_HEADER.size} bytes")
    _, length, file_type, declared, division = _HEADER.unpack_from(data)
    if length < 6 or 8 + length > len(data):
        raise DamageError(f"the header is damaged (length {length})")
    if file_type > 2:
        faults.add(f"its header says type {file_type}, which there is not; it is read as type 1")
        file_type = 1
    clock = _clock(division)
    bodies, between = _bodies(data, 8 + length, declared, faults)
    if not bodies:
        raise DamageError("there is no track in it")
    if len(bodies) != declared:
        faults.add(f"its header declares {_tracks(declared)}, and there {_are(len(bodies))}")
        file_type = 1 if file_type == 0 and len(bodies) > 1 else file_type
        if b"MTrk" in between[-1]:  # counted anew, it would be read another time
            between[-1] = b""
    head = _HEADER.pack(b"MThd", length, file_type, len(bodies), division) + data[_HEADER.size : 8 + length]
    return Chunks(head, clock, tuple(bodies), tuple(between))


def _bodies(data: bytes, at: int, declared: int, faults: Faults) -> tuple[list[bytes], list[bytes]]:
    """Return the bodies of the track chunks, and what stands between them and behind the last."""
    bodies: list[bytes] = []
    between: list[bytes] = []
    foreign = bytearray()
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8])
        end = at + 8 + size
        is_declared = len(bodies) < declared
        if kind == b"MTrk" and (is_declared or _is_whole(data, at, end)):
            if len(bodies) == MOST_TRACKS:
                raise DamageError(f"there are more than {MOST_TRACKS:,} tracks in it")
            if is_declared and not _goes_on(data, end):
                end = _true_end(data, at, end, len(bodies) + 1, faults)
            between.append(bytes(foreign))
            bodies.append(data[at + 8 : end])
            foreign.clear()
        elif end <= len(data) and _is_kind(kind):
            foreign += data[at:end]
        elif is_declared and (end := data.find(b"MTrk", at + 1)) >= 0:
            faults.add(f"byte {at:,} is no chunk; it is read on from the next track, at byte {end:,}")
        else:
            break
        at = end
    between.append(bytes(foreign) + data[at:])
    return bodies, between


def _goes_on(data: bytes, end: int) -> bool:
    """Say whether a chunk that ends here is followed by another one, or by the end of the file, or by what is none."""
    if end > len(data):
        return False
    following = data[end : end + 4]
    return _is_kind(following) or data.find(b"MTrk", max(end - 3, 0)) < 0


def _true_end(data: bytes, at: int, end: int, number: int, faults: Faults) -> int:
    """Return where a track chunk with a wrong length ends: at the next one, or with the file."""
    found = data.find(b"MTrk", at + 8)
    if found >= 0:
        faults.add(f"the length of track {number} is wrong ({end - at - 8:,} bytes where {found - at - 8:,} are there)")
        return found
    faults.add(f"track {number} is cut off: {len(data) - at - 8:,} of {end - at - 8:,} bytes are there")
    return len(data)


def _is_whole(data: bytes, at: int, end: int) -> bool:
    """Say whether a track chunk that the header does not count is one: it lies within the file and ends as a track."""
    return at + 8 + len(END_OF_TRACK) <= end <= len(data) and data[end - len(END_OF_TRACK) : end] == END_OF_TRACK


def _is_kind(kind: bytes) -> bool:
    """Say whether four bytes may name the kind of a chunk."""
    return len(kind) == 4 and all(0x20 <= byte < 0x7F for byte in kind)


def _tracks(count: int) -> str:
    return "1 track" if count == 1 else f"{count:,} tracks"


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count:,}"


def _clock(division: int) -> TickClock:
    """Return the clock that the header's division word declares."""
    if division < 0x8000:
        if division == 0:
            raise DamageError("the header declares 0 ticks per quarter note")
        return TickClock(division)
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if frames not in (24, 25, 29, 30) or ticks == 0:
        raise DamageError(f"the header declares an unknown SMPTE clock ({frames} frames, {ticks} ticks)")
    frames_per_s = 30000 / 1001 if frames == 29 else float(frames)
    return TickClock(1, 1 / (frames_per_s * ticks))
