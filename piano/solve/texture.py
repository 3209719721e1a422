"""What a part that is filled in is to be like: how busy, at which moments its keys go down, and how long they are held.

    p(key goes down now | heard, what stands)  ∝  p_model(now | heard) · p(now | what stands)

What stands tells the pulse: keys of the new part go down with those of the others, or halfway between two of them, more
often than elsewhere; where a file keeps to its beats, at those places within them that its notes use. How many keys
there are to be is known from what is replaced, or from how many such a part usually has; where there have been more of
them than that, the next is less likely, and likelier where there were fewer. A key is held about as long as keys near
to it in time and pitch: of those that are replaced, or of those that stand. What is replaced tells two things more: at
how many moments its keys went down, so that chords do not take what single keys had; and its register.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from piano.events import Role
from piano.notes import NoteArray
from piano.solve.beat_places import beat_places
from piano.solve.local_shares import local_shares
from piano.solve.register import Press, Register, register_of
from piano.tasks.exercise import Exercise
from piano.tasks.previews import steps_of
from piano.tokens.vocabulary import STEP_S

USUAL_RATIO = {
    "above_median": 1.13, "below_median": 0.89, "above_low_quartile": 3.35, "below_low_quartile": 0.29,
    "above_high_quartile": 0.39, "below_high_quartile": 2.6, "middle_quartiles": 0.98, "extreme_quartiles": 1.03,
    "top_line_1": 0.77, "top_line_2": 2.8, "top_line_3": 7.2, "bottom_line_1": 0.71, "bottom_line_2": 2.58,
    "bottom_line_3": 6.91, "inner_voices": 0.34, "outer_voices": 2.82, "left_hand": 0.8, "right_hand": 1.26,
    "short_notes": 0.98, "long_notes": 1.03, "chord_rest": 0.1, "stride": 1.0, "band": 0.57, "random": 0.98,
    "loud": 1.07, "soft": 0.94, "very_loud": 0.36, "very_soft": 0.32, "moderate": 0.99, "extreme": 1.02,
    "accompaniment": 1.31, "duet": 0.94,
}  # fmt: skip
"""How many notes the part of a task has for each that stands: the geometric mean over MAESTRO's training split."""

ELSEWHERE = 0.12
"""How likely a key is off the pulse, of how likely it is on it."""

BETWEEN = 0.6
"""The same halfway between two moments of what stands."""

_ALIKE, _NEAR_STEPS, _NEAR_SEMITONES = 12, 100, 6
"""So many notes are taken for like a key: the nearest, where so many steps count as much as so many semitones."""

_LOOKED_AT = 4096
"""So many notes before and after it are looked at: a file of a quarter of a million would take hours otherwise."""

_EARLIEST, _LATEST = 0.7, 1.3
"""Between these shares of a length the model says when a key comes up."""

Onsets = NDArray[np.float64]

_GOLDEN = (5**0.5 - 1) / 2

AGAIN_STEPS, AGAIN_NATS = 25, 4.0
"""A key that went down within so many steps is so much less likely to go down again."""

_SMOOTH_S = 4.0
_MOST_LEAN, _PULL = 3.0, 1.2
_MISSED, _MAY_BE_MISSED, _MOST_MISSED = 0.5, 2.0, 3.5
"""How many nats rarer a wait in a gap is for each key that does not come, from how many on, and at most: with all else
it stays above what the stream takes for impossible."""

_TOGETHER = 2
"""A key that goes down so many steps after another, or sooner, joins it."""

_RECENT = 400
"""So many steps back moments are counted, and the keys that joined them."""

_MOMENT_PULL, _JOIN_PULL, _IN_ALL = 2.4, 4.0, 0.25
"""What moments that are due pull, and what keys that are to join do; how much what is due in all counts for these."""

_MOST_LATE = 2.0
"""The most, in nats, that moments which are due make a key likelier: with more, it comes off the pulse."""

_MOMENT_MISSED, _MOMENTS_MAY_BE_MISSED = 1.5, 0.5
"""How many nats rarer a wait is for each moment that does not come, and from how many on."""

_USUALLY_JOIN, _REACH_S = 0.3, 4
"""Which share of keys joins others, usually; what is replaced so many seconds away tells nothing of it."""

_NEAR = (1.0, 0.9, 0.6)
"""How much a moment counts so many steps beside it."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long keys are held: those of notes like these. Onsets, in order, pitches and lengths are (notes,), times in
    steps."""

    onsets: NDArray[np.int64]
    pitches: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def about(self, step: int, pitch: int) -> tuple[int, int]:
        """Return at which step a key that goes down at one comes up at the earliest, and at the latest.

        Keys that go down together come up about together: by one draw for a step, which is the same in each run.
        """
        middle = int(np.searchsorted(self.onsets, step))
        around = slice(max(middle - _LOOKED_AT, 0), middle + _LOOKED_AT)
        apart = (
            np.abs(self.onsets[around] - step) / _NEAR_STEPS + np.abs(self.pitches[around] - pitch) / _NEAR_SEMITONES
        )
        near = np.sort(self.lengths[around][np.argsort(apart, kind="stable")[:_ALIKE]])
        held = int(near[int(near.size * (step * _GOLDEN % 1.0))])
        return step + max(round(_EARLIEST * held), 1), step + max(round(_LATEST * held), 2)


def lengths_of(notes: NoteArray) -> Lengths | None:
    """Return how long keys like those of some notes are held; None where there are none."""
    if not notes.size:
        return None
    notes = notes[np.argsort(steps_of(notes), kind="stable")]
    lengths = np.maximum(np.rint(notes["duration_s"] / STEP_S).astype(np.int64), 1)
    return Lengths(steps_of(notes).astype(np.int64), notes["pitch"].astype(np.int64), lengths)


@dataclass(frozen=True, slots=True)
class Texture:
    """`pulse` is how much likelier, in nats, a key is at each step for what stands, (steps,); `due` how many keys are
    to have gone down by each, (steps,); `lengths` how long they are held, None: freely. `gaps` are the steps at which
    gaps begin that are to be filled in whole, each by what is due in it. Of what is replaced, if anything is, `moments`
    are at how many moments keys are to have gone down by each step, (steps,), `register` where they lie, and `joining`
    by how many nats a key joins another more rarely than usual, (seconds,).
    """

    pulse: NDArray[np.float32]
    due: NDArray[np.float32]
    lengths: Lengths | None = None
    gaps: tuple[int, ...] = ()
    moments: NDArray[np.float32] | None = None
    register: Register | None = None
    joining: NDArray[np.float64] | None = None

    def since(self, step: int) -> int:
        """Return the step from which on the keys of a step's gap count: 0 where there are no gaps."""
        return max((start for start in self.gaps if start <= step), default=0)

    def bias(self, step: int, played: int, lately: Sequence[Press] = ()) -> NDArray[np.float32]:
        """Return by how many nats keys are likelier at the steps from one on, (waits,).

        `played` is how many have gone down since `since(step)`, `lately` the latest of them: step and pitch, in order.
        """
        ahead = np.arange(step, step + _WAITS)
        inside = np.minimum(ahead, self.due.size - 1)
        pace = _PULL * self._late(step, inside, played) / max(2.0, _within(self.due, step))
        if self.moments is not None:
            began, recent = self._began(step, lately)
            usual = _within(self.moments, step)
            pace = _MOMENT_PULL * self._missed(self.moments, step, inside, began) / max(2.0, usual)
            pace = np.minimum(pace, _MOST_LATE)
            if lately:
                joining = began * max(_within(self.due, step) / max(usual, 1e-3), 1.0) - recent
                joining += _IN_ALL * float(self._late(step, inside[:1], played)[0])
                joins = ahead - lately[-1][0] <= _TOGETHER
                pace = np.where(joins, _JOIN_PULL * joining / max(2.0, usual), pace)
        pace = np.clip(pace, -_MOST_LEAN, _MOST_LEAN)
        if self.joining is not None and lately:
            second = min(round(step * STEP_S), self.joining.size - 1)
            pace = pace + np.where(ahead - lately[-1][0] <= _TOGETHER, self.joining[second], 0.0)
        return np.asarray(np.where(ahead < self.pulse.size, self.pulse[inside], 0.0) + pace, np.float32)

    def silence(self, step: int, played: int, lately: Sequence[Press] = ()) -> NDArray[np.float32]:
        """Return by how many nats it is likelier that nothing happens until each step behind one, (waits - 1,).

        What would stay empty is not let be: each key that is due and does not come makes the wait rarer.
        """
        inside = np.minimum(np.arange(step + 1, step + _WAITS), self.due.size - 1)
        if self.moments is not None:
            missed = self._missed(self.moments, step, inside, self._began(step, lately)[0]) - _MOMENTS_MAY_BE_MISSED
            missed *= _MOMENT_MISSED
        elif self.gaps:
            missed = _MISSED * (self._late(step, inside, played) - _MAY_BE_MISSED)
        else:
            return np.zeros(_WAITS - 1, np.float32)
        return np.asarray(-np.clip(missed, 0.0, _MOST_MISSED), np.float32)

    def _began(self, step: int, lately: Sequence[Press]) -> tuple[int, int]:
        """Return at how many moments keys have gone down of late, and how many keys."""
        start = max(step - _RECENT, self.since(step))
        recent = [pressed for pressed, _ in lately if pressed >= start]
        return sum(last - first > _TOGETHER for first, last in pairwise(recent)) + bool(recent), len(recent)

    def _missed(
        self, moments: NDArray[np.float32], step: int, at: NDArray[np.int64], began: int
    ) -> NDArray[np.float32]:
        """Return how many moments are due of late at steps and have not come, (steps,)."""
        start = max(step - _RECENT, self.since(step))
        before = moments[min(start, moments.size) - 1] if start else 0.0
        return np.asarray(moments[at] - began - before, np.float32)

    def _late(self, step: int, at: NDArray[np.int64], played: int) -> NDArray[np.float32]:
        """Return how many keys are due at steps and have not come, (steps,)."""
        start = self.since(step)
        return np.asarray(self.due[at] - played - (self.due[start - 1] if start else 0.0), np.float32)


def joins_last(step: int, lately: Sequence[Press]) -> bool:
    """Say whether a key that goes down at a step joins the last that went down."""
    return bool(lately) and step - lately[-1][0] <= _TOGETHER


def _within(due: NDArray[np.float32], step: int) -> float:
    """Return how many are to go down within two seconds around a step."""
    half = round(1.0 / STEP_S)
    first, last = (min(max(place, 0), due.size - 1) for place in (step - half, step + half))
    return float(due[last] - due[first])


_WAITS = 101


def texture_of(
    exercise: Exercise, *, follows_own: bool, density: float = 1.0, twelfths_s: tuple[float, ...] | None = None
) -> Texture:
    """Return what a part is to be like beside what stands in an exercise.

    `follows_own`: it has as many notes, where they are, as the own part of the exercise, if there is any; else as many
    as is usual. Times `density`. `twelfths_s` are those of the file's quarter notes, if it has any.
    """
    notes = exercise.performance.notes
    given, own = notes[exercise.roles == Role.GIVEN], notes[exercise.roles == Role.OWN]
    size = round(exercise.performance.end_s / STEP_S) + 2
    replaced = own if follows_own else own[:0]
    starts = tuple(max(round(gap.start_s / STEP_S), 0) for gap in exercise.gaps)
    pulse = _pulse(given["onset_s"], replaced["onset_s"], size, twelfths_s)
    if replaced.size:
        steps = np.sort(steps_of(replaced))
        firsts = steps[np.diff(steps, prepend=-_TOGETHER - 1) > _TOGETHER]
        due, moments = (_due(exercise, at, density, size) for at in (steps, firsts))
        return Texture(pulse, due, lengths_of(replaced), starts, moments, register_of(replaced), _joining(steps))
    if exercise.gaps:  # as dense as what stands around
        inside = _inside(exercise, size)
        smooth = inside * density * given.size / max(size - inside.sum(), 1.0)
        return Texture(pulse, np.cumsum(smooth).astype(np.float32), lengths_of(given), starts)
    due = _due(exercise, steps_of(given), USUAL_RATIO.get(exercise.task, 1.0) * density, size)
    return Texture(pulse, due, lengths_of(given), starts)


def _due(exercise: Exercise, steps: NDArray[np.int64], ratio: float, size: int) -> NDArray[np.float32]:
    """Return how many are to have come by each step, (steps,), where so many times as many came at some."""
    counted = np.zeros(size)
    np.add.at(counted, np.clip(steps, 0, size - 1), ratio)
    window = np.hanning(round(_SMOOTH_S / STEP_S))
    smooth = np.convolve(counted, window / window.sum(), "same") if size > window.size else counted
    smooth *= counted.sum() / max(smooth.sum(), 1e-9)
    if exercise.gaps:
        smooth *= _inside(exercise, size)
    return np.cumsum(smooth).astype(np.float32)


def _joining(steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return by how many nats keys join others more rarely than usual, (seconds,), at most 0, by those of some steps.

    Counting what joined alone lets some keys join a single voice first, and only then holds others back.
    """
    seconds = np.maximum(np.rint(steps * STEP_S).astype(np.int64), 0)
    counts = np.zeros((int(seconds.max()) + _REACH_S + 1, 2))
    np.add.at(counts, (seconds, (np.diff(steps, prepend=-_TOGETHER - 1) <= _TOGETHER).astype(np.int64)), 1.0)
    return np.asarray(np.minimum(np.log(local_shares(counts, _REACH_S)[:, 1] / _USUALLY_JOIN), 0.0))


def _inside(exercise: Exercise, size: int) -> NDArray[np.float64]:
    inside = np.zeros(size)
    for gap in exercise.gaps:
        inside[max(round(gap.start_s / STEP_S), 0) : max(round(gap.end_s / STEP_S), 0)] = 1.0
    return inside


def _pulse(given_s: Onsets, replaced_s: Onsets, size: int, twelfths_s: tuple[float, ...] | None) -> NDArray[np.float32]:
    """Return the pulse of what stands, and of what is replaced, (steps,)."""
    weight = np.full(size, ELSEWHERE)
    moments = np.unique(np.rint(given_s / STEP_S).astype(np.int64))
    apart = np.diff(moments)
    _mark(weight, (moments[:-1] + apart // 2)[(apart > _NO_PULSE_BELOW) & (apart < _NO_PULSE_ABOVE)], BETWEEN)
    _mark(weight, moments, 1.0)
    if twelfths_s is not None:
        places = beat_places(given_s, replaced_s, np.array(twelfths_s), size)
        weight = places.sure * places.weights + (1 - places.sure) * weight
    return np.asarray(np.log(weight), np.float32)


_NO_PULSE_BELOW, _NO_PULSE_ABOVE = 14, 120


def _mark(weight: NDArray[np.float64], steps: NDArray[np.int64], most: float) -> None:
    for off in range(1 - len(_NEAR), len(_NEAR)):
        there = steps + off
        there = there[(there >= 0) & (there < weight.size)]
        weight[there] = np.maximum(weight[there], most * _NEAR[abs(off)])
