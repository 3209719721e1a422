"""A MIDI file held event by event: what nobody asks to change is written back byte for byte.

`piano.midi_file` tells what a file means as music; here a file is what it says, with its tempo map, its words, its
drums and its oddities. A note is known by the event that strikes it, so that its velocity can be set in place and the
note can be taken out. What is read as a note, and when it ends, agrees with `piano.midi_file`.
"""

import struct
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from piano.errors import MidiFileError
from piano.midi_chunks import Clock, DamageError, split_chunks
from piano.midi_events import META_TEMPO, NOTE_OFF, NOTE_ON, MidiEvent, NewEvent, TrackEvents, read_events
from piano.midi_file import load_midi
from piano.tempo_map import TempoMap

STRUCK = np.dtype(
    [
        ("track", np.int32),
        ("event", np.int32),
        ("channel", np.uint8),
        ("pitch", np.uint8),
        ("velocity", np.uint8),
        ("onset", np.int64),
        ("end", np.int64),
    ]
)
"""One note of a file: its track, the index of the event that strikes it, channel 0 to 15, and its ticks."""

DRUMS = 9
"""The channel of the drums, counted from 0."""

StruckArray = NDArray[np.void]

_HEADER = struct.Struct(">4sIHHH")
_TEMPO_BYTES = 3


@dataclass(frozen=True)
class MidiDocument:
    """A MIDI file: its header, its tracks, and what stands between them (chunks of other kinds) and behind the last."""

    name: str
    header: bytes
    clock: Clock
    tracks: tuple[TrackEvents, ...]
    between: tuple[bytes, ...]  # (tracks + 1,)

    @classmethod
    def read(cls, source: Path | bytes, *, name: str | None = None) -> "MidiDocument":
        """Read a file, or its bytes; `name` is what error messages call it. MidiFileError if it is damaged."""
        called = name or (str(source) if isinstance(source, Path) else "MIDI data")
        data = load_midi(source, called)
        try:
            chunks = split_chunks(data)
            tracks = tuple(read_events(body, index) for index, body in enumerate(chunks.bodies))
            at = 8 + int.from_bytes(data[4:8])
            header, gap = data[:at], at
            between: list[bytes] = []
            while len(between) < len(tracks):
                end = at + 8 + int.from_bytes(data[at + 4 : at + 8])
                if data[at : at + 4] == b"MTrk":
                    between.append(data[gap:at])
                    gap = end
                at = end
            document = cls(called, header, chunks.clock, tracks, (*between, data[gap:]))
            _ = document.clocks  # a tempo that is none is told at once
        except DamageError as damage:
            raise MidiFileError(f"{called}: {damage}; export or download the file again") from damage
        return document

    def to_bytes(self) -> bytes:
        """Return the file."""
        parts = [self.header]
        for before, track in zip(self.between, self.tracks, strict=False):
            parts += [before, b"MTrk", struct.pack(">I", len(track.body)), track.body]
        return b"".join([*parts, self.between[-1]])

    @property
    def file_type(self) -> int:
        """Return 0 for one track, 1 for tracks side by side, 2 for tracks one after the other."""
        return int(_HEADER.unpack_from(self.header)[2])

    @cached_property
    def clocks(self) -> tuple["TrackClock", ...]:
        """Return the clock of each track: one for all, but in type 2, where each has its own tempi."""
        if self.file_type != 2:
            shared = TrackClock(0.0, _tempo_map(self.tracks, self.clock))
            return (shared,) * len(self.tracks)
        clocks: list[TrackClock] = []
        start_s = 0.0
        for track in self.tracks:
            clocks.append(TrackClock(start_s, _tempo_map((track,), self.clock)))
            start_s = float(clocks[-1].seconds(np.array([track.end_tick]))[0])
        return tuple(clocks)

    @cached_property
    def struck(self) -> StruckArray:
        """Return all notes (dtype STRUCK) but those of the drums, track by track in the order of the file."""
        file_end = max(track.end_tick for track in self.tracks)
        ends = [track.end_tick if self.file_type == 2 else file_end for track in self.tracks]
        found = [_struck(track, index, end) for index, (track, end) in enumerate(zip(self.tracks, ends, strict=True))]
        return np.concatenate(found)

    def with_track(self, index: int, track: TrackEvents) -> "MidiDocument":
        """Return the file with another track in the place of one."""
        return replace(self, tracks=(*self.tracks[:index], track, *self.tracks[index + 1 :]))

    def with_new_track(self, track: TrackEvents) -> "MidiDocument":
        """Return the file with one more track, behind the last; a type 0 file becomes type 1.

        MidiFileError where the tracks come one after the other (type 2), so that none can sound beside another.
        """
        if self.file_type == 2:
            raise MidiFileError(
                f"{self.name}: its tracks are patterns, one after the other (type 2), and none can be put beside "
                "them; save it as a type 1 file first"
            )
        kind, length, _, _, division = _HEADER.unpack_from(self.header)
        header = _HEADER.pack(kind, length, 1, len(self.tracks) + 1, division) + self.header[_HEADER.size :]
        between = (*self.between[:-1], b"", self.between[-1])
        return replace(self, header=header, tracks=(*self.tracks, track), between=between)

    def with_velocities(self, velocities: Mapping[tuple[int, int], int]) -> "MidiDocument":
        """Return the file with other velocities, 1 to 127, in place, by track and event."""
        by_track: dict[int, dict[int, int]] = defaultdict(dict)
        for (track, event), velocity in velocities.items():
            if not 1 <= velocity <= 127:
                raise ValueError(f"a velocity lies between 1 and 127, not {velocity}")
            by_track[track][self.tracks[track].events[event].data + 1] = velocity
        document = self
        for index, bytes_at in by_track.items():
            document = document.with_track(index, self.tracks[index].patched(bytes_at))
        return document

    def with_tempo(self, quarters_per_minute: float) -> "MidiDocument":
        """Return the file in one tempo: every tempo in it is changed to this one, which holds from the beginning on."""
        if self.clock.tick_s is not None:
            raise MidiFileError(
                f"{self.name}: it counts time in frames (SMPTE), so that it has no tempo to set; leave --bpm away"
            )
        tempo = round(60e6 / quarters_per_minute).to_bytes(3)
        document, has_first = self, False
        for index, track in enumerate(self.tracks):
            places = [event for event in track.events if _is_tempo(track, event)]
            has_first |= any(event.tick == 0 for event in places)
            document = document.with_track(
                index, track.patched({event.data + at: tempo[at] for event in places for at in range(3)})
            )
        if has_first:
            return document
        first = document.tracks[0].edited(frozenset(), [NewEvent(0, True, b"\xff\x51\x03" + tempo)])
        return document.with_track(0, first)


@dataclass(frozen=True, slots=True)
class TrackClock:
    """When the ticks of a track are, in seconds of the file."""

    start_s: float
    tempo_map: TempoMap

    def seconds(self, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return ticks as seconds."""
        return self.start_s + self.tempo_map.seconds(ticks)

    def ticks(self, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the nearest ticks; what comes before the track begins falls on its beginning."""
        return self.tempo_map.ticks(np.maximum(seconds - self.start_s, 0.0))


def _is_tempo(track: TrackEvents, event: MidiEvent) -> bool:
    return track.is_meta(event, META_TEMPO) and event.end - event.data == _TEMPO_BYTES


def _tempo_map(tracks: tuple[TrackEvents, ...], clock: Clock) -> TempoMap:
    if clock.tick_s is not None:
        return TempoMap.fixed(clock.tick_s)
    tempi = [
        (event.tick, int.from_bytes(track.payload(event)))
        for track in tracks
        for event in track.events
        if _is_tempo(track, event)
    ]
    tick, tempo_us = np.array(tempi, np.int64).reshape(-1, 2).T
    try:
        return TempoMap.of_tempos(tick, tempo_us, ticks_per_quarter=clock.ticks_per_quarter)
    except ValueError as error:
        raise DamageError(str(error)) from error


def _struck(track: TrackEvents, index: int, file_end: int) -> StruckArray:
    """Return the notes of a track. Releases go to the keys in the order in which these were struck, but a note ends no
    later than at the first release of its key after it."""
    body = track.body
    rows: list[tuple[int, int, int, int, int, int, int]] = []
    waiting: dict[int, deque[int]] = defaultdict(deque)
    releases: dict[int, int] = {}
    for number, event in enumerate(track.events):
        kind, channel = event.status & 0xF0, event.status & 0x0F
        if kind not in (NOTE_ON, NOTE_OFF) or channel == DRUMS or event.status >= 0xF0:
            continue
        pitch, velocity = body[event.data], body[event.data + 1]
        key = channel * 128 + pitch
        if kind == NOTE_ON and velocity:
            waiting[key].append(len(rows))
            rows.append((index, number, channel, pitch, velocity, event.tick, 0))
        elif waiting[key]:
            releases[waiting[key].popleft()] = event.tick
    struck = np.array(rows, STRUCK)
    if not struck.size:
        return struck
    hangs = np.array([row not in releases for row in range(struck.size)])
    onset = struck["onset"]
    release = np.array([releases.get(row, track.end_tick + 1) for row in range(struck.size)], np.int64)
    key = (struck["channel"].astype(np.int64) * 128 + struck["pitch"]) << 32
    of_keys = np.sort(key + release)
    following = np.searchsorted(of_keys, key + onset, side="right")
    first_after = of_keys[np.minimum(following, of_keys.size - 1)] - key
    struck["end"] = np.where(release > onset, np.minimum(first_after, release), release)
    struck["end"][hangs & (struck["end"] > track.end_tick)] = file_end
    return struck
