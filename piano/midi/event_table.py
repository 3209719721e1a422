"""The events of a sound track chunk, found in bulk: a table with a column for each thing that is known of an event.

Where an event ends follows from its first bytes, so that for every byte of the chunk it is worked out, at once, where
the next event would begin if one began there; the true ones are those that are reached from the first byte. A chunk
with any fault, and the rare one whose running status has one data byte, has no table here: `piano.midi.scan` reads it
event by event, and says what is wrong with it.
"""

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.midi.scan import DATA_BYTES, META, MidiEvent

_LEAPS = 3
"""The way from event to event is walked in strides of 2 ** this many events; what is between is filled in."""

_PADDING = 16
_MOST_CHANNEL_STATUS = 0xF0

_SIZE = np.zeros(256, np.int32)
"""How many bytes an event has from its status on, by that byte; a data byte stands for a running status."""
_SIZE[:0x80] = 2
for _kind, _data_bytes in DATA_BYTES.items():
    _SIZE[_kind : _kind + 16] = 1 + _data_bytes


@dataclass(frozen=True, slots=True)
class EventTable:
    """The events of a body in their order, a column each, (events,); the columns are those of `MidiEvent`."""

    tick: NDArray[np.int64]
    start: NDArray[np.int64]
    data: NDArray[np.int64]
    end: NDArray[np.int64]
    status: NDArray[np.uint8]
    runs: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of events."""
        return self.tick.size

    @classmethod
    def of_events(cls, events: "tuple[MidiEvent, ...]") -> "EventTable":
        """Return events as a table."""
        columns = list(zip(*events, strict=True)) or [()] * len(MidiEvent._fields)
        dtypes = (np.int64, np.int64, np.int64, np.int64, np.uint8, np.bool_)
        return cls(*(np.array(column, dtype) for column, dtype in zip(columns, dtypes, strict=True)))

    def events(self) -> tuple[MidiEvent, ...]:
        """Return the table as events, one by one."""
        columns = (self.tick, self.start, self.data, self.end, self.status, self.runs)
        return tuple(map(MidiEvent, *(column.tolist() for column in columns)))


def event_table(body: bytes) -> EventTable | None:
    """Return the events of a whole body without fault; None where they have to be read one by one."""
    size = len(body)
    if not size:
        return EventTable.of_events(())
    octets = np.frombuffer(body + bytes(_PADDING), np.uint8)
    said_at = _behind_numbers(octets, size)
    said = octets.take(said_at)
    follows = _SIZE.take(said)
    follows += said_at
    long = np.flatnonzero(said >= _MOST_CHANNEL_STATUS)
    data_at, ends = _with_lengths(octets, said_at[long], said[long])
    follows[long] = ends
    np.minimum(follows, size + 1, out=follows)  # beyond the end: a fault
    starts = _walk(follows, size)
    if starts is None:
        return None
    said, said_at, end = said.take(starts), said_at.take(starts), follows.take(starts).astype(np.int64)
    runs = said < 0x80
    longs = np.flatnonzero(said >= _MOST_CHANNEL_STATUS)
    status = _in_force(said, longs, runs)
    data = (said_at + ~runs).astype(np.int64)
    data[longs] = data_at[np.searchsorted(long, starts[longs])]
    values = octets.take(data) | octets.take(end - 1)
    values[longs] = 0
    values |= status ^ 0x80  # no status at all, then, counts as a value beyond 127
    if (values & 0x80).any() or _leaves_to_the_other(status, runs):
        return None
    return EventTable(np.cumsum(_numbers(octets, starts, said_at - starts)), starts, data, end, status, runs)


def _leaves_to_the_other(status: NDArray[np.uint8], runs: NDArray[np.bool_]) -> bool:
    """Say whether a running status is none that may run here: one with one data byte, or none of a channel."""
    running = status[runs]
    return bool(((running >= 0xC0) & (running < 0xE0)).any() or (running >= _MOST_CHANNEL_STATUS).any())


def _behind_numbers(octets: NDArray[np.uint8], size: int) -> NDArray[np.int32]:
    """Return for each byte where the number of variable length that may begin there ends, (size,); a number of more
    than four bytes ends beyond the body."""
    behind = np.arange(1, size + 1, dtype=np.int32)
    goes_on = np.flatnonzero(octets[:size] >= 0x80)
    for _ in range(3):
        at = behind[goes_on]
        behind[goes_on] = at + 1
        goes_on = goes_on[octets[at] >= 0x80]
        if not goes_on.size:
            return behind
    behind[goes_on] = size  # where zeros stand: an event there ends beyond the body
    return behind


def _with_lengths(
    octets: NDArray[np.uint8], at: NDArray[np.int32], said: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return where the data begin and end of meta and system events whose status is at these places."""
    nowhere = octets.size  # beyond the body
    number_at = np.minimum(at.astype(np.int64) + 1 + (said == META), octets.size - 5)
    length = np.zeros(at.size, np.int64)
    data = np.full(at.size, nowhere, np.int64)
    open_ = np.flatnonzero((said == META) | (said == 0xF0) | (said == 0xF7))
    for place in range(4):
        byte = octets[number_at[open_] + place]
        length[open_] = length[open_] << 7 | byte & 0x7F
        ended = byte < 0x80
        data[open_[ended]] = number_at[open_[ended]] + place + 1
        open_ = open_[~ended]
    return data, np.minimum(data + length, nowhere).astype(np.int32)


def _walk(follows: NDArray[np.int32], size: int) -> NDArray[np.int64] | None:
    """Return where the events begin that are reached from the first byte; None if they do not end with the body."""
    steps = [np.concatenate((follows, np.array([size, size + 1], np.int32)))]
    for _ in range(_LEAPS):
        steps.append(steps[-1].take(steps[-1]))
    stride, at = array("i", steps[-1].tobytes()), 0
    places = array("i")
    add = places.append
    while at < size:
        add(at)
        at = stride[at]
    if at != size:
        return None
    starts = np.frombuffer(places, np.int32)
    for step in steps[-2::-1]:
        both = np.empty(2 * starts.size, np.int32)
        both[::2] = starts
        step.take(starts, out=both[1::2])
        starts = both
    return starts[: np.searchsorted(starts, size)].astype(np.int64)


def _in_force(said: NDArray[np.uint8], longs: NDArray[np.intp], runs: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the status of each event: its own, or the last one of a channel; a data byte where there is none."""
    if not runs.any():
        return said
    own = np.where(runs, 0, np.arange(said.size))
    own[longs] = 0
    return np.where(runs, said.take(np.maximum.accumulate(own)), said)


def _numbers(octets: NDArray[np.uint8], at: NDArray[np.int64], lengths: NDArray[np.signedinteger]) -> NDArray[np.int64]:
    """Return the numbers of variable length at these places, each of so many bytes."""
    value = (octets[at] & 0x7F).astype(np.int64)
    more = np.flatnonzero(lengths > 1)
    for place in range(1, 4):
        if not more.size:
            break
        value[more] = value[more] << 7 | octets[at[more] + place] & 0x7F
        more = more[lengths[more] > place + 1]
    return value
