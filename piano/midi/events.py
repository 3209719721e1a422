"""The events of one track chunk of a MIDI file, each with its bytes, and the chunk again with some of them changed.

What stays keeps its bytes: its delta time where the event before it stays too, its running status where that still
holds. What follows an early end of track is read as events where it is such, as `piano.midi.file` does.
"""

import contextlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from piano.midi.chunks import END_OF_TRACK
from piano.midi.event_table import EventTable, event_table
from piano.midi.faults import DamageError, Faults
from piano.midi.mending import mended_track
from piano.midi.scan import (
    META,
    META_END,
    META_NAME,
    MOST_EVENTS,
    MidiEvent,
    TooMuchError,
    scan,
    too_many,
    variable_length,
    wait_bytes,
)


class NewEvent(NamedTuple):
    """An event to put in: its tick, whether it stands before what the tick holds already, and its bytes."""

    tick: int
    is_first: bool
    data: bytes


@dataclass(frozen=True)
class TrackEvents:
    """A track chunk's body, with its events in their order; bytes behind the last event are nobody's."""

    body: bytes
    table: EventTable = field(repr=False, compare=False)

    @cached_property
    def events(self) -> tuple[MidiEvent, ...]:
        """Return the events one by one; what is asked of all of them is asked of `table` at once."""
        return self.table.events()

    @cached_property
    def octets(self) -> NDArray[np.uint8]:
        """Return the body as an array, (bytes,)."""
        return np.frombuffer(self.body, np.uint8)

    @property
    def end_tick(self) -> int:
        """Return the tick of the last event."""
        return int(self.table.tick[-1]) if len(self.table) else 0

    def payload(self, event: MidiEvent) -> bytes:
        """Return the bytes of an event after its status, and after the length where it has one."""
        return self.body[event.data : event.end]

    def is_meta(self, event: MidiEvent, kind: int) -> bool:
        """Say whether an event is a meta event of a kind."""
        return event.status == META and self._kind(event) == kind

    def _kind(self, event: MidiEvent) -> int:
        at = event.start
        while self.body[at] >= 0x80:  # the delta time
            at += 1
        return self.body[at + 2]

    @property
    def name(self) -> str:
        """Return the name that the track gives itself, or an empty text."""
        for number in self.metas(META_NAME).tolist():
            return _text(self.body[self.table.data[number] : self.table.end[number]])
        return ""

    def metas(self, kind: int) -> NDArray[np.intp]:
        """Return the indices of the meta events of a kind."""
        table, octets = self.table, self.octets
        metas = np.flatnonzero(table.status == META)
        at = table.start[metas]
        while (in_delta := octets[at] >= 0x80).any():
            at = at + in_delta
        return np.asarray(metas[octets[at + 2] == kind], np.intp)

    def patched(self, bytes_at: Mapping[int, int]) -> "TrackEvents":
        """Return the track with single bytes changed, by their place in the body; all events stay where they are."""
        body = bytearray(self.body)
        for at, value in bytes_at.items():
            body[at] = value
        return TrackEvents(bytes(body), self.table)

    def edited(
        self, dropped: Set[int], added: Iterable[NewEvent] = (), replaced: Mapping[int, bytes] | None = None
    ) -> "TrackEvents":
        """Return the track without some events (by index), with some put in, and some with other bytes.

        What is put in comes before the end of track, which moves if need be.
        """
        writer = _Writer(self.body)
        swaps = replaced or {}
        waiting = sorted(added, key=lambda new: (new.tick, not new.is_first))
        keys = [(new.tick, not new.is_first) for new in waiting]
        put = 0
        for index, event in enumerate(self.events):
            is_end = index == len(self.events) - 1 and self.is_meta(event, META_END)
            upto = len(waiting) if is_end else bisect_left(keys, (event.tick, True))
            for new in waiting[put:upto]:
                writer.add(new.tick, new.data)
            put = max(put, upto)
            if index in swaps:
                writer.add(event.tick, swaps[index])
            elif index not in dropped:
                writer.keep(event)
        for new in waiting[put:]:
            writer.add(new.tick, new.data)
        tail = self.body[self.events[-1].end :] if self.events else self.body
        return read_events(bytes(writer.out) + tail, 0)


class _Writer:
    """Puts events one behind the other: old ones with the bytes that they have, where these still say the same."""

    def __init__(self, body: bytes) -> None:
        self.out = bytearray()
        self._body = body
        self._old_end = 0
        self._tick = 0
        self._status: int | None = None

    def keep(self, event: MidiEvent) -> None:
        body = self._body
        behind_delta = event.start
        while body[behind_delta] >= 0x80:
            behind_delta += 1
        behind_delta += 1
        follows = event.start == self._old_end
        self.out += body[event.start : behind_delta] if follows else wait_bytes(event.tick - self._tick)
        if event.runs and self._status != event.status:
            self.out.append(event.status)
        self.out += body[behind_delta : event.end]
        self._old_end = event.end
        self._tick = max(event.tick, self._tick)
        if event.status < 0xF0:
            self._status = event.status
        elif not follows:  # a running status does not outlast it, save where the file has it so
            self._status = None

    def add(self, tick: int, data: bytes) -> None:
        self.out += wait_bytes(tick - self._tick) + data
        self._old_end = -1
        self._tick = max(tick, self._tick)
        self._status = data[0] if data[0] < 0xF0 else None


def read_events(body: bytes, index: int, faults: Faults | None = None, *, most: int = MOST_EVENTS) -> TrackEvents:
    """Read the body of a track chunk, the index-th of its file.

    An end of track before the end of the body ends the track only if what follows it is no events. A body that breaks
    off within an event, or holds what cannot stand in a file, is mended, and its faults are told to `faults`; without
    these it is a DamageError. With more events than `most` it is a TooMuchError.
    """
    table = event_table(body)
    if table is not None:
        if len(table) > most:
            raise too_many()
        return TrackEvents(body, table)
    try:
        return _one_by_one(body, ends_early=False, most=most)
    except TooMuchError:
        raise
    except DamageError as damage:
        if 0 <= body.find(END_OF_TRACK) < len(body) - len(END_OF_TRACK):
            with contextlib.suppress(DamageError):
                return _one_by_one(body, ends_early=True, most=most)
        if faults is None:
            raise DamageError(f"track {index + 1} {damage}") from damage
    mended = mended_track(body, index + 1, faults)
    return _one_by_one(mended, ends_early=False, most=most)


def _one_by_one(body: bytes, *, ends_early: bool, most: int) -> TrackEvents:
    return TrackEvents(body, EventTable.of_events(scan(body, ends_early=ends_early, most=most)))


def new_track(name: str, events: Iterable[NewEvent]) -> TrackEvents:
    """Return a track of its own with a name."""
    text = name.encode("utf-8")
    head = b"\x00\xff\x03" + variable_length(len(text)) + text
    return read_events(head + b"\x00" + END_OF_TRACK, 0).edited(frozenset(), events)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8").strip("\0 ")
    except UnicodeDecodeError:
        return data.decode("latin-1").strip("\0 ")
