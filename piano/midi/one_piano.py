"""One piano out of many tracks: what happens when several sources press the same key or the same pedal.

A piano has one string per key and one sustain pedal, so a performance that came in tracks, channels or two
hands must be brought down to what one instrument can do. Each rule is defined here, once:

- doubles: notes of the same pitch whose onsets lie within `DOUBLE_S` of the first of them are one key press,
  with the earliest onset, the latest end, the highest velocity and the lowest track index;
- overlaps: a note ends at the latest where the next note of the same pitch begins;
- length: no note is shorter than `SHORTEST_S`;
- pedals: the pedal is down while it is down in any source.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from piano.notes import PEDAL, NoteArray, PedalArray, no_pedals, sort_notes

DOUBLE_S = 0.030
"""Two onsets of one pitch this close, in seconds, are one key press written twice."""

SHORTEST_S = 0.001
"""The duration, in seconds, that a shorter note is given."""


def merge_notes(notes: NoteArray) -> NoteArray:
    """Return the notes (any order, any number of tracks) as one piano can play them: see the module's rules."""
    if notes.size == 0:
        return notes.copy()
    by_key = notes.take(np.lexsort((notes["track"], notes["onset_s"], notes["pitch"])))
    first = np.flatnonzero(_begins_press(by_key["pitch"], by_key["onset_s"]))
    end_s = np.maximum.reduceat(by_key["onset_s"] + by_key["duration_s"], first)
    velocity = np.maximum.reduceat(by_key["velocity"], first)
    track = np.minimum.reduceat(by_key["track"], first)
    merged = by_key.take(first)
    same_key_next = merged["pitch"][1:] == merged["pitch"][:-1]
    end_s[:-1] = np.where(same_key_next, np.minimum(end_s[:-1], merged["onset_s"][1:]), end_s[:-1])
    merged["duration_s"] = np.maximum(end_s - merged["onset_s"], SHORTEST_S)
    merged["velocity"] = velocity
    merged["track"] = track
    return sort_notes(merged)


def _begins_press(pitch: NDArray[np.uint8], onset_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which notes, in order of pitch and onset, are not doubles of an earlier one."""
    begins = np.ones(pitch.size, np.bool_)
    close = (pitch[1:] == pitch[:-1]) & (np.diff(onset_s) <= DOUBLE_S)
    press = 0
    for index in (np.flatnonzero(close) + 1).tolist():
        if begins[index - 1]:
            press = index - 1
        begins[index] = onset_s[index] - onset_s[press] > DOUBLE_S
    return begins


def merge_pedals(sources: Sequence[PedalArray]) -> PedalArray:
    """Return the changes of one pedal that is down while it is down in any source; repeats are dropped.

    Each source is in order of time and may repeat itself. A pedal is up before its first change. Of several
    changes at one moment the last one counts.
    """
    changes = [settle_pedals(source) for source in sources]
    if len(changes) == 1:
        return changes[0]
    if not changes:
        return no_pedals()
    every = np.concatenate(changes)
    order = np.argsort(every["time_s"], kind="stable")
    every = every[order]
    sources_down = np.cumsum(np.where(every["down"], 1, -1))
    every["down"] = sources_down > 0
    return settle_pedals(every)


def settle_pedals(pedals: PedalArray) -> PedalArray:
    """Return the real changes among the pedal events: the last of each moment, without repeats, from up on."""
    if pedals.size == 0:
        return pedals.copy()
    last_of_moment = np.append(np.diff(pedals["time_s"]) > 0, True)
    settled = pedals[last_of_moment]
    before = np.concatenate(([False], settled["down"][:-1]))
    changes: PedalArray = settled[settled["down"] != before]
    return changes


def pedal_changes(time_s: NDArray[np.float64], down: NDArray[np.bool_]) -> PedalArray:
    """Return pedal changes (dtype PEDAL) from readings in order of time."""
    pedals = np.zeros(time_s.size, PEDAL)
    pedals["time_s"] = time_s
    pedals["down"] = down
    return settle_pedals(pedals)
