"""Notes that are owed: of a performance that is cleaned each note that was read comes back once, at or near its time.

What was read wrongly is free, and nothing else: where onsets were noisy, a pitch that was read comes back within the
margin; where pitches were noisy, as many keys go down at each onset as were read there; where both were, as many as
were read, each within the margin. What has not come back by the end of its margin is forced. Plain state; `copy` to
branch.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from piano.events import HIGHEST_PITCH, LOWEST_PITCH, Role
from piano.solve.limits import IS_OWN_ON, IS_TIME, NOTHING
from piano.tasks.exercise import Exercise
from piano.tasks.previews import steps_of, whole_steps
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import VOCABULARY

NOISY_PITCHES = ("clean_pitch", "clean_all")

_STEPS_A_SEMITONE = 6
"""How many steps of time weigh as much as one semitone: the noise is 0.3 s in time and 5 semitones in pitch."""

_FIRST_OWN_ON = VOCABULARY.on(Role.OWN, LOWEST_PITCH) - LOWEST_PITCH


@dataclass(frozen=True, slots=True)
class MustPlayNotes:
    """What was read, in order: at which step, and which pitch. A note comes back within so many steps of that; 0: at
    that step. `keeps_pitch`: as the pitch that was read.

    C4 at step 10 and E4 at step 20, with a reach of 5: C4 goes down at one of the steps 5 to 15, E4 at one of 15 to 25.
    Once C4 has gone down, at step 12 say, E4 is the next that is owed, and is forced at step 25 at the latest.
    """

    steps: tuple[int, ...]
    pitches: tuple[int, ...]
    reach: int
    keeps_pitch: bool


def owed_notes(exercise: Exercise) -> MustPlayNotes | None:
    """Return what must come back in an exercise that cleans notes; None in every other."""
    preview = exercise.preview
    if preview is None or not exercise.task.startswith("clean_"):
        return None
    notes = preview.notes[(preview.notes["pitch"] >= LOWEST_PITCH) & (preview.notes["pitch"] <= HIGHEST_PITCH)]
    steps, pitches = steps_of(notes), notes["pitch"].astype(np.int64)
    order = np.lexsort((pitches, steps))
    margin = whole_steps(preview.margin_s)
    reach = margin + 1 if margin else 0  # both ends are rounded
    return MustPlayNotes(
        tuple(steps[order].tolist()), tuple(pitches[order].tolist()), reach, exercise.task not in NOISY_PITCHES
    )


class MustPlayState:
    """What has come back so far, and what is still owed."""

    def __init__(self, owed: MustPlayNotes) -> None:
        self._owed = owed
        self._count = 0
        """How many have come back."""
        self._answered = bytearray(len(owed.steps))
        """Which: those of the pitch, or else those most like what was played."""
        self._first = 0
        """The first that has not."""

    @property
    def is_over(self) -> bool:
        """Say whether all has come back."""
        return self._count >= len(self._owed.steps)

    def copy(self) -> "MustPlayState":
        """Return an independent one in the same state."""
        other = MustPlayState.__new__(MustPlayState)
        other.__dict__.update(self.__dict__)
        other._answered = self._answered[:]
        return other

    def press(self, step: int, pitch: int) -> None:
        """Take it that a key went down: it answers a note of its pitch, or else the one that is most like it."""
        if self.is_over:
            return
        owed, near = self._owed, self._near(step)
        if owed.keeps_pitch:
            near = [index for index in near if owed.pitches[index] == pitch][:1]
        self._answer(min(near, key=lambda index: self._distance(index, step, pitch), default=self._first))

    def skip(self, step: int) -> None:
        """Give up what could only have come before a step."""
        while not self.is_over and self._last_step < step:
            self._answer(self._first)

    def forced(self) -> tuple[int, int] | None:
        """Return by which step which key must go down; None if nothing is owed, or there is a choice of keys."""
        if self.is_over or not self._owed.reach:
            return None
        return self._last_step, self._owed.pitches[self._first]

    def moment(self) -> int | None:
        """Return the step at which keys must go down next, where that is known."""
        return None if self.is_over or self._owed.reach else self._last_step

    def keys(self, step: int) -> Mask:
        """Return which keys of ours may go down at a step, (vocab,)."""
        owed = self._owed
        if owed.keeps_pitch:
            mask = np.zeros(VOCABULARY.size, np.bool_)
            mask[[_FIRST_OWN_ON + owed.pitches[index] for index in self._near(step)]] = True
            return mask
        is_open = not self.is_over and owed.steps[self._count] - owed.reach <= step <= self._last_step
        return IS_OWN_ON if is_open else NOTHING

    def only(self, allowed: Mask, step: int) -> Mask:
        """Return what of that which is allowed leaves room for the keys that must go down at this very step."""
        owed = self._owed
        if owed.reach or self.is_over or owed.steps[self._count] != step:
            return allowed
        due = bisect_right(owed.steps, step) - self._count
        keys = np.flatnonzero(allowed & IS_OWN_ON)
        if not keys.size:
            return allowed
        fitting = allowed & ~IS_TIME
        fitting[VOCABULARY.end] = False
        fitting[keys[max(0, keys.size - due) + 1 :]] = False
        return np.asarray(fitting, np.bool_)

    @property
    def _last_step(self) -> int:
        """Return the last step at which the next of them can come."""
        owed = self._owed
        return owed.steps[self._first if owed.keeps_pitch else self._count] + owed.reach

    def _distance(self, index: int, step: int, pitch: int) -> float:
        owed = self._owed
        return abs(owed.pitches[index] - pitch) + abs(owed.steps[index] - step) / _STEPS_A_SEMITONE

    def _answer(self, index: int) -> None:
        self._answered[index] = True
        self._count += 1
        while self._first < len(self._answered) and self._answered[self._first]:
            self._first += 1

    def _near(self, step: int) -> list[int]:
        """Return those that have not come back and could at a step."""
        owed = self._owed
        end = bisect_right(owed.steps, step + owed.reach)
        return [
            index
            for index in range(self._first, end)
            if not self._answered[index] and owed.steps[index] + owed.reach >= step
        ]
