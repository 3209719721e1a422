"""The notes of a MIDI file, each known by the event that strikes it, with the program that plays it."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from piano.midi.events import TrackEvents
from piano.midi.scan import NOTE_ON, PROGRAM

STRUCK = np.dtype(
    [
        ("track", np.int32),
        ("event", np.int32),
        ("channel", np.uint8),
        ("pitch", np.uint8),
        ("velocity", np.uint8),
        ("program", np.uint8),
        ("onset", np.int64),
        ("end", np.int64),
    ]
)
"""One note of a file: its track, the index of the event that strikes it, channel 0 to 15, the program that plays it,
and its ticks."""

DRUMS = 9
"""The channel of the drums, counted from 0."""

_BEYOND_NOTES = 0xA0
"""A status below this strikes or releases a key."""

StruckArray = NDArray[np.void]


def struck_in(tracks: Sequence[TrackEvents], *, side_by_side: bool) -> StruckArray:
    """Return all notes (dtype STRUCK), track by track; what never ends does so with the file, or, where the tracks come
    one after the other, with its track."""
    file_end = max(track.end_tick for track in tracks)
    found = [_struck(track, index, file_end if side_by_side else track.end_tick) for index, track in enumerate(tracks)]
    changes = [_program_changes(track) for track in tracks]
    for struck, own in zip(found, changes, strict=True):
        for channel in np.flatnonzero(np.bincount(struck["channel"])).tolist():
            here = struck["channel"] == channel
            if channel in own:
                at, program = np.array(own[channel], np.int64)[:, 1:].T
                struck["program"][here] = _in_force(at, program, struck["event"][here])
            else:
                others = sorted(change for track in changes for change in track.get(channel, ()))
                if others:
                    tick, _, program = np.array(others, np.int64).T
                    struck["program"][here] = _in_force(tick, program, struck["onset"][here])
    return np.concatenate(found)


def _program_changes(track: TrackEvents) -> dict[int, list[tuple[int, int, int]]]:
    """Return a track's program changes by channel: tick, index of the event, program."""
    changes: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    table = track.table
    for number in np.flatnonzero(table.status & 0xF0 == PROGRAM).tolist():
        changes[int(table.status[number]) & 0x0F].append(
            (int(table.tick[number]), number, track.body[table.data[number]])
        )
    return changes


def _in_force(at: NDArray[np.int64], program: NDArray[np.int64], when: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the program at each place: the last one before it, and before the first that first one."""
    if program.size == 1:
        return program
    return np.asarray(program[np.maximum(np.searchsorted(at, when, side="right") - 1, 0)], np.int64)


def _struck(track: TrackEvents, index: int, file_end: int) -> StruckArray:
    """Return the notes of a track. Releases go to the keys in the order in which these were struck, but a note ends no
    later than at the first release of its key after it."""
    table, octets = track.table, track.octets
    events = np.flatnonzero(table.status < _BEYOND_NOTES)
    status, data = table.status.take(events), table.data.take(events)
    pitch, velocity = octets.take(data), octets.take(data + 1)
    strikes = (status >= NOTE_ON) & (velocity > 0)
    places = np.flatnonzero(strikes)
    struck = np.zeros(places.size, STRUCK)
    if not struck.size:
        return struck
    struck["track"], struck["event"] = index, events.take(places)
    channel = status & 0x0F
    struck["channel"], struck["pitch"] = channel.take(places), pitch.take(places)
    tick = table.tick.take(events)
    struck["velocity"], struck["onset"] = velocity.take(places), tick.take(places)
    # from here on key by key, of each the events in their order
    keys = channel.astype(np.int16) * 128 + pitch
    order = np.argsort(keys, kind="stable")
    key, tick = keys.take(order), tick.take(order)
    strike_at, release_at = _pairs(key, strikes.take(order))
    hangs = release_at < 0
    onset, release = tick.take(strike_at), tick.take(release_at)
    release[hangs] = track.end_tick + 1
    end = _cut_short(key.take(strike_at), onset, release)
    end[hangs & (end > track.end_tick)] = file_end
    in_order = np.empty(tick.size, np.int64)
    in_order[order.take(strike_at)] = end
    struck["end"] = in_order.take(places)
    return struck


def _cut_short(key: NDArray[np.int16], onset: NDArray[np.int64], release: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where notes end, (strikes,), key by key: at their release, or the first of their key after their onset."""
    if not ((release[:-1] > onset[1:]) & (key[:-1] == key[1:])).any():
        return release
    of_key = key.astype(np.int64) << 52  # ticks of 24 hours have 52 bits
    of_keys = of_key + release
    following = np.searchsorted(of_keys, of_key + onset, side="right")
    first_after = of_keys[np.minimum(following, of_keys.size - 1)] - of_key
    return np.where(release > onset, np.minimum(first_after, release), release)


def _pairs(key: NDArray[np.int16], strike: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the index of each strike and that of the release that is its own, -1 for none: (strikes,) each.

    `key` and `strike`, (events,), tell of each strike and release its key and which of both it is, key by key. The
    first release of a key is that of its first strike, and so on; a release of a key that is not held is nobody's.
    """
    if strike[::2].all() and not strike[1::2].any() and np.array_equal(key[::2], key[1::2]):  # down and up by turns
        return np.arange(0, key.size, 2), np.arange(1, key.size, 2)
    begins = np.concatenate(([True], key[1:] != key[:-1]))
    group = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    # How many of a key are held, were it to fall below none; each key starts far below the one before it.
    step = np.where(strike, 1, -1)
    balance = np.cumsum(step)
    zero = -group * (2 * key.size + 1)
    balance += zero - (balance[first] - step[first])[group]
    lowest = np.minimum(np.minimum.accumulate(balance), zero)
    before = np.concatenate(([0], lowest[:-1]))
    counts = ~strike & (balance >= np.minimum(before, zero))
    strike_at, release_at = np.flatnonzero(strike), np.flatnonzero(counts)
    releases = np.bincount(group[release_at], minlength=first.size)
    strike_group = group[strike_at]
    rank = np.arange(strike_at.size) - np.searchsorted(strike_group, strike_group)
    place = (np.cumsum(releases) - releases)[strike_group] + rank
    found = np.full(strike_at.size, -1, np.intp)
    has_one = rank < releases[strike_group]
    found[has_one] = release_at[place[has_one]]
    return strike_at, found
