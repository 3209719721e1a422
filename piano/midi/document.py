"""A MIDI file held event by event: what nobody asks to change is written back byte for byte.

Every file that is read is read here; `piano.midi.file` makes music of it. A file is what it says, with its tempo map,
its words, its drums and its oddities. A note is known by the event that strikes it, so that its velocity can be set in
place and the note can be taken out.
"""

import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from piano.errors import MidiFileError
from piano.midi.chunks import TickClock, split_chunks
from piano.midi.events import NewEvent, TrackEvents, read_events
from piano.midi.faults import DamageError, Faults
from piano.midi.load import LONGEST_OF_A_NOTE_S, LONGEST_S, LONGEST_WITHOUT_NOTES_S, MOST_NOTES, load_midi
from piano.midi.scan import META_TEMPO, MOST_EVENTS, MidiEvent, TooMuchError
from piano.midi.strikes import StruckArray, struck_in
from piano.midi.tempo_map import DEFAULT_TEMPO_US, TempoMap
from piano.midi.wrappers import unwrapped

_HEADER = struct.Struct(">4sIHHH")
_TEMPO_BYTES = 3


@dataclass(frozen=True)
class MidiDocument:
    """A MIDI file: its header, its tracks, and what stands between them (chunks of other kinds) and behind the last."""

    name: str
    header: bytes
    clock: TickClock
    tracks: tuple[TrackEvents, ...]
    between: tuple[bytes, ...]  # (tracks + 1,)
    warning: str = ""
    """What was wrong with the file's bytes, in one line; empty where nothing was."""

    @classmethod
    def read(cls, source: Path | bytes, *, name: str | None = None) -> "MidiDocument":
        """Read a file, or its bytes; `name` is what error messages call it.

        What can be read of a damaged file is read, and `warning` tells what was wrong; what stands in its tracks is
        then sound. MidiFileError where there is no track, where no clock tells how fast it goes, or where it is longer
        or has more in it than the limits say.
        """
        called = name or ("MIDI data" if isinstance(source, bytes) else str(source))
        data = load_midi(source, called)
        faults = Faults()
        try:
            chunks = split_chunks(unwrapped(data), faults)
            tracks: list[TrackEvents] = []
            room = MOST_EVENTS
            for index, body in enumerate(chunks.bodies):
                tracks.append(read_events(body, index, faults, most=room))
                room -= len(tracks[-1].table)
            document = cls(called, chunks.header, chunks.clock, tuple(tracks), chunks.between)
            document._check_length()
            _tell_tempi(tracks, faults)
            if document.struck.size > MOST_NOTES:
                raise TooMuchError(f"there are {document.struck.size:,} notes in it, more than {MOST_NOTES:,}")
        except TooMuchError as damage:
            raise MidiFileError(f"{called}: {damage}; give a file of one performance") from damage
        except DamageError as damage:
            raise MidiFileError(f"{called}: {damage}; export or download the file again") from damage
        warning = faults.line(called)
        return replace(document, warning=warning) if warning else document

    def _check_length(self) -> None:
        """DamageError where it is longer than LONGEST_S, whatever stands there, or far too long for its notes."""
        for track, clock in zip(self.tracks, self.clocks, strict=True):
            end_s = float(clock.seconds(np.array([track.end_tick], np.int64))[0])
            if end_s > LONGEST_S:
                raise DamageError(f"it lasts {end_s / 3600:,.0f} hours, more than {LONGEST_S / 3600:.0f}")
            if end_s > LONGEST_WITHOUT_NOTES_S + LONGEST_OF_A_NOTE_S * self.struck.size:
                raise DamageError(
                    f"it lasts {end_s / 3600:,.1f} hours with no more than {self.struck.size:,} notes in it"
                )

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
        """Return all notes (dtype STRUCK), track by track in the order of the file."""
        return struck_in(self.tracks, side_by_side=self.file_type != 2)

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

    def with_tempi(self, ticks: NDArray[np.int64], seconds: NDArray[np.float64]) -> "MidiDocument":
        """Return the file in other tempi: each of these ticks, (moments,) and ascending, falls on its moment.

        What comes before the first and after the last of them keeps the tempo that it has. MidiFileError where time is
        counted in frames, or each track has a time of its own.
        """
        if self.clock.tick_s is not None or self.file_type == 2:
            raise MidiFileError(f"{self.name}: its tracks share no tempo map to change; leave --keep-grid away")
        per_quarter = self.clock.ticks_per_quarter
        old = self.clocks[0].tempo_map
        first_us = int(np.rint(1e6 * per_quarter * seconds[0] / ticks[0])) if ticks[0] else DEFAULT_TEMPO_US
        added = [NewEvent(0, True, _tempo_bytes(first_us))] if ticks[0] else []
        at_s = ticks[0] * first_us / (1e6 * per_quarter)
        for tick, following, until_s in zip(ticks[:-1].tolist(), ticks[1:].tolist(), seconds[1:].tolist(), strict=True):
            tempo_us = min(max(round(1e6 * per_quarter * (until_s - at_s) / (following - tick)), 1), _SLOWEST_US)
            added.append(NewEvent(tick, True, _tempo_bytes(tempo_us)))
            at_s += (following - tick) * tempo_us / (1e6 * per_quarter)
        last = int(ticks[-1])
        segment = int(np.searchsorted(old.tick, last, side="right")) - 1
        after = zip([last, *old.tick[segment + 1 :].tolist()], old.tick_s[segment:].tolist(), strict=True)
        added += [NewEvent(tick, True, _tempo_bytes(round(1e6 * per_quarter * tick_s))) for tick, tick_s in after]
        document = self
        for index, track in enumerate(self.tracks):
            dropped = {number for number, event in enumerate(track.events) if _is_tempo(track, event)}
            if dropped or not index:
                document = document.with_track(index, track.edited(dropped, [] if index else added))
        return document


@dataclass(frozen=True, slots=True)
class TrackClock:
    """When the ticks of a track are, in seconds of the file."""

    start_s: float
    tempo_map: TempoMap

    def seconds(self, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return moments in ticks as seconds from the beginning, by the tempo map."""
        return self.start_s + self.tempo_map.seconds(ticks)

    def ticks(self, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the nearest ticks; what comes before the track begins falls on its beginning."""
        return self.tempo_map.ticks(np.maximum(seconds - self.start_s, 0.0))


_SLOWEST_US = 0xFFFFFF
"""The slowest tempo that fits into a file, in microseconds a quarter note."""


def _tempo_bytes(tempo_us: int) -> bytes:
    return b"\xff\x51\x03" + tempo_us.to_bytes(3)


def _is_tempo(track: TrackEvents, event: MidiEvent) -> bool:
    return track.is_meta(event, META_TEMPO) and event.end - event.data == _TEMPO_BYTES


def _tempo_map(tracks: tuple[TrackEvents, ...], clock: TickClock) -> TempoMap:
    """Return the map of all tempi of these tracks; a tempo of 0, which is none, is passed over."""
    if clock.tick_s is not None:
        return TempoMap.fixed(clock.tick_s)
    tempi = [(track.table.tick[events], tempo_us) for track in tracks for events, tempo_us in (_tempi(track),)]
    tick, tempo_us = (np.concatenate(column) for column in zip(*tempi, strict=True))
    return TempoMap.of_tempos(tick[tempo_us > 0], tempo_us[tempo_us > 0], ticks_per_quarter=clock.ticks_per_quarter)


def _tempi(track: TrackEvents) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the tempi of a track: the indices of their events, and microseconds a quarter note."""
    table = track.table
    events = track.metas(META_TEMPO)
    events = events[table.end[events] - table.data[events] == _TEMPO_BYTES]
    high, middle, low = (track.octets[table.data[events] + place].astype(np.int64) for place in range(_TEMPO_BYTES))
    return events, high << 16 | middle << 8 | low


def _tell_tempi(tracks: Sequence[TrackEvents], faults: Faults) -> None:
    for number, track in enumerate(tracks, 1):
        events, tempo_us = _tempi(track)
        for start in track.table.start[events[tempo_us == 0]].tolist():
            faults.add(f"track {number}, byte {start:,}: a tempo of 0 is passed over")
