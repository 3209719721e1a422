"""Whole performances to tokens and back, vectorised. `piano.tokens.stream` does the same, one live event at a time.

Within one step of 10 ms the order of events is canonical and does not depend on which finger was a
millisecond faster: cues in the order of their codes, key releases, pedal up, pedal down, key presses, each from low to
high. An event that depends on an earlier one of the same key in the same step (a re-struck key, a note shorter than the
step) stays behind it: its *level* is the number of times that key went down before, within the step.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.cue_arrays import CUE
from piano.events import LOWEST_PITCH
from piano.notes import NOTE, PEDAL, NoteArray, Performance
from piano.tokens.vocabulary import (
    KEYS,
    LONGEST_TIME_STEPS,
    STEP_NS,
    STEP_S,
    VELOCITIES_PER_BIN,
    VOCABULARY,
    Kind,
)

TokenArray = NDArray[np.int32]
RoleArray = NDArray[np.uint8]

CUE_RANK, OFF_RANK, PEDAL_UP_RANK, PEDAL_DOWN_RANK, ON_RANK = range(5)
"""The canonical order of kinds within one step and level."""

PEDAL_KEY = 0
"""The pitch under which the pedal is counted: lower than any key."""

FIRST_CUE_KEY = 128
"""The pitch under which the cue of code 0 is counted, and so on: higher than any key."""

SHORTEST_NOTE_S = 0.004
"""The duration decoded for a note that began and ended within one step."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What tokens say: a performance, with the `Role` of each of its notes and pedal changes."""

    performance: Performance
    roles: RoleArray  # (notes,)
    pedal_roles: RoleArray  # (pedals,)


@dataclass(frozen=True, slots=True)
class _Events:
    """Events in columns of one length: nanoseconds, rank, pitch, role, velocity (0 unless a key goes down)."""

    at_ns: NDArray[np.int64]
    rank: NDArray[np.int64]
    pitch: NDArray[np.int64]
    role: NDArray[np.int64]
    velocity: NDArray[np.int64]


def encode(
    performance: Performance,
    *,
    roles: RoleArray | None = None,
    pedal_roles: RoleArray | None = None,
    origin_s: float = 0.0,
) -> TokenArray:
    """Return the events of a performance as tokens, without a stream head.

    Notes outside the 88 keys have no token and are left out; cues stand where they are told. `roles` and `pedal_roles`
    default to OWN throughout.
    A key can be pressed only when it is up: a note ends at the latest where the next of its key and role begins.
    Time is counted from `origin_s`; what happened before it is left out, so that a key which was already down
    there shows only its release. A velocity outside 1 to 127 is a ValueError. Inverse: `decode`.
    """
    events = _events(performance, roles, pedal_roles, origin_s)
    if not events.at_ns.size:
        return np.zeros(0, np.int32)
    step = (events.at_ns + STEP_NS // 2) // STEP_NS
    order = _canonical_order(events, step)
    return _tokens(events, step, order)


def _events(
    performance: Performance, roles: RoleArray | None, pedal_roles: RoleArray | None, origin_s: float
) -> _Events:
    notes, pedals, cues = performance.notes, performance.pedals, performance.cues
    note_roles = np.zeros(notes.size, np.int64) if roles is None else roles.astype(np.int64)
    of_pedals = np.zeros(pedals.size, np.int64) if pedal_roles is None else pedal_roles.astype(np.int64)
    on_piano = (notes["pitch"] >= LOWEST_PITCH) & (notes["pitch"] < LOWEST_PITCH + KEYS)
    notes, note_roles = notes[on_piano], note_roles[on_piano]
    velocity = notes["velocity"].astype(np.int64)
    if velocity.size and not 1 <= velocity.min() <= velocity.max() <= 127:
        raise ValueError(f"a note has a velocity of 1 to 127, not {velocity.min()} to {velocity.max()}")
    pitch, silent = notes["pitch"].astype(np.int64), np.zeros(notes.size, np.int64)
    unstruck = np.zeros(pedals.size, np.int64)
    on_ns, off_ns = _presses(notes, note_roles * KEYS + pitch, origin_s)
    pedal_ns = np.rint((pedals["time_s"] - origin_s) * 1e9).astype(np.int64)
    cue_ns, untold = np.rint((cues["time_s"] - origin_s) * 1e9).astype(np.int64), np.zeros(cues.size, np.int64)
    at_ns = np.concatenate([on_ns, off_ns, pedal_ns, cue_ns])
    heard = at_ns >= 0
    return _Events(
        at_ns[heard],
        np.concatenate(
            [silent + ON_RANK, silent + OFF_RANK, PEDAL_UP_RANK + pedals["down"].astype(np.int64), untold + CUE_RANK]
        )[heard],
        np.concatenate([pitch, pitch, unstruck + PEDAL_KEY, FIRST_CUE_KEY + cues["code"].astype(np.int64)])[heard],
        np.concatenate([note_roles, note_roles, of_pedals, untold])[heard],
        np.concatenate([velocity, silent, unstruck, untold])[heard],
    )


def _presses(notes: NoteArray, key: NDArray[np.int64], origin_s: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when each note's key goes down and comes up, in nanoseconds after the origin.

    The presses of a key take turns: the releases of notes that touch are not to be rounded past the next onset, and
    notes of one onset follow each other by a nanosecond.
    """
    on_ns = np.rint((notes["onset_s"] - origin_s) * 1e9).astype(np.int64)
    off_ns = np.rint((notes["onset_s"] + notes["duration_s"] - origin_s) * 1e9).astype(np.int64)
    if not on_ns.size:
        return on_ns, off_ns
    by_key = np.lexsort((on_ns, key))
    begins, ends = on_ns[by_key], off_ns[by_key]
    same = key[by_key][1:] == key[by_key][:-1]
    if np.any(same & (begins[1:] <= begins[:-1])):
        begins = _one_by_one(begins, same)
    np.minimum(ends[:-1], begins[1:], out=ends[:-1], where=same)
    on_ns[by_key], off_ns[by_key] = begins, np.maximum(ends, begins + 1)
    return on_ns, off_ns


def _one_by_one(begins: NDArray[np.int64], same: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return ascending moments with equal ones of a group moved apart; `same` says who is in the group of the last."""
    number = np.arange(begins.size)
    group = np.concatenate(([0], np.cumsum(~same)))
    span = int(begins.max() - begins.min()) + begins.size
    spread = begins - number + group * span  # ascending from group to group, so that one running maximum serves all
    return np.asarray(np.maximum.accumulate(spread) + number - group * span, np.int64)


def _canonical_order(events: _Events, step: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the indices that put events into the order described at the top of this file."""
    turn = np.where(events.rank == PEDAL_DOWN_RANK, PEDAL_UP_RANK, events.rank)  # a pedal's changes keep their order
    by_key = np.lexsort((turn, events.at_ns, events.pitch, events.role, step))
    presses = (events.rank[by_key] >= PEDAL_DOWN_RANK).astype(np.int64)
    before = np.cumsum(presses) - presses
    same = np.ones(step.size, bool)
    for column in (step, events.role, events.pitch):
        same[1:] &= column[by_key][1:] == column[by_key][:-1]
    same[0] = False
    first_of_group = np.maximum.accumulate(np.where(same, 0, np.arange(step.size)))
    level = np.empty(step.size, np.int64)
    level[by_key] = before - before[first_of_group]
    return np.lexsort((events.role, events.pitch, events.rank, level, step))


def _tokens(events: _Events, step: NDArray[np.int64], order: NDArray[np.intp]) -> TokenArray:
    rank, pitch, role = events.rank[order], events.pitch[order], events.role[order]
    steps = np.diff(step[order], prepend=0)
    seconds, rest = np.divmod(steps, LONGEST_TIME_STEPS)
    is_on = rank == ON_RANK
    length = seconds + (rest > 0) + 1 + is_on
    end = np.cumsum(length)
    tokens = np.full(int(end[-1]), VOCABULARY.time(LONGEST_TIME_STEPS), np.int32)
    at = end - 1 - is_on  # where each event's own token stands
    key = role * KEYS + pitch - LOWEST_PITCH
    tokens[at] = np.select(
        [rank == OFF_RANK, is_on, rank == CUE_RANK],
        [VOCABULARY.first_off + key, VOCABULARY.first_on + key, VOCABULARY.first_cue + pitch - FIRST_CUE_KEY],
        VOCABULARY.first_pedal + 2 * role + (rank == PEDAL_DOWN_RANK),
    )
    tokens[at[is_on] + 1] = VOCABULARY.first_velocity + events.velocity[order][is_on] // VELOCITIES_PER_BIN
    tokens[at[rest > 0] - 1] = VOCABULARY.first_time + rest[rest > 0] - 1
    return tokens


def decode(tokens: TokenArray) -> Decoded:
    """Return the performance that event tokens describe; the head of a stream and previews are passed over.

    A key that comes up in the step in which it went down lasts `SHORTEST_NOTE_S`; one that never comes up ends
    with its next onset or with the last event. No sequence of tokens is an error: a key-down without its velocity
    or a release of a key that is up says nothing. Inverse of `encode`, to 5 ms and half a velocity bin.
    """
    kinds, values = _without_previews(VOCABULARY.kinds[tokens]), VOCABULARY.values[tokens].astype(np.int64)
    roles = VOCABULARY.roles[tokens]
    step = np.cumsum(np.where(kinds == Kind.TIME, values, 0))
    pedal_at = np.flatnonzero(kinds == Kind.PEDAL)
    pedals = np.zeros(pedal_at.size, PEDAL)
    pedals["time_s"], pedals["down"] = step[pedal_at] * STEP_S, values[pedal_at] == 1
    cue_at = np.flatnonzero(kinds == Kind.CUE)
    cues = np.zeros(cue_at.size, CUE)
    cues["time_s"], cues["code"] = step[cue_at] * STEP_S, values[cue_at]
    notes, note_roles = _decode_notes(kinds, values, roles, step)
    return Decoded(Performance(notes, pedals, cues), note_roles, roles[pedal_at])


def _without_previews(kinds: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the kinds with PAD in place of all that stands between PREVIEW and PLAY."""
    is_preview = kinds == Kind.PREVIEW
    if not is_preview.any():
        return kinds
    place = np.arange(1, kinds.size + 1)
    opened = np.maximum.accumulate(np.where(is_preview, place, 0))
    closed = np.maximum.accumulate(np.where(kinds == Kind.PLAY, place, 0))
    return np.where(opened > closed, np.uint8(Kind.PAD), kinds)


def _decode_notes(
    kinds: NDArray[np.uint8], values: NDArray[np.int64], roles: RoleArray, step: NDArray[np.int64]
) -> tuple[NoteArray, RoleArray]:
    is_press = kinds == Kind.ON
    is_press[:-1] &= kinds[1:] == Kind.VELOCITY
    is_press[-1:] = False
    key_at = np.flatnonzero(is_press | (kinds == Kind.OFF))
    key = roles[key_at] * np.int64(KEYS) + values[key_at]
    order = np.argsort(key, kind="stable")
    by_key, key = key_at[order], key[order]
    end_step = np.full(by_key.size, step[-1] if step.size else 0)
    same = key[1:] == key[:-1]
    end_step[:-1][same] = step[by_key[1:][same]]
    begins = is_press[by_key]
    on_at = by_key[begins]
    notes = np.zeros(on_at.size, NOTE)
    notes["onset_s"] = step[on_at] * STEP_S
    notes["duration_s"] = np.maximum((end_step[begins] - step[on_at]) * STEP_S, SHORTEST_NOTE_S)
    notes["pitch"] = values[on_at]
    notes["velocity"] = VELOCITIES_PER_BIN * values[on_at + 1] + VELOCITIES_PER_BIN // 2
    sequence = np.lexsort((notes["pitch"], notes["onset_s"]))
    return notes[sequence], roles[on_at][sequence]
