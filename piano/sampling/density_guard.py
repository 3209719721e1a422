"""How busy the music is, and what brings it back to how busy it is to be.

A small model that goes on from its own music grows busier by the minute: no single token is to blame, each is about as
likely as it should be, but nothing calls the music back. The guard leans on the waits: one that is k times as long
becomes k^x times as likely, where x grows with how many times as busy as they are to be the last notes were. At the aim
it changes nothing.
"""

import math
from array import array
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from piano.tokens.vocabulary import STEP_S, VOCABULARY, Kind

PIANISTS_NOTES_PER_S = 10.0
"""The median over the pieces of MAESTRO's training split; the mean of the logarithm says the same."""

_PIECES_DIFFER = 0.34
"""The standard deviation of that logarithm."""

MEMORY_S = 15.0
"""How far back the notes are counted."""

FEWEST = 8
"""So many notes within the memory tell how busy somebody plays; of fewer, pianists' rate is a part of what is told."""

_PART_S = 0.25
"""So many seconds at pianists' rate count beside few notes."""

_DOUBT_S = 2.0
"""So many seconds of music at the aim are taken to have gone before, so that the first notes weigh little."""

_MOST = 1.5
"""The most that the exponent becomes, either way."""

_USUAL_WAIT = 5.0
"""In steps: a wait as long as this stays as likely as it was, against all that is no wait."""

_IS_TIME = VOCABULARY.kinds == Kind.TIME
_LENGTHS: NDArray[np.float32] = np.where(_IS_TIME, np.log(np.maximum(VOCABULARY.values, 1) / _USUAL_WAIT), 0.0).astype(
    np.float32
)
"""The logarithm of how long a wait is against the usual one, (vocab,); 0 for what is no wait."""


def drawn_notes_per_s(seed: int) -> float:
    """Return how busy a new piece is to be: drawn as pianists' pieces are, two thirds of them between 7 and 14."""
    return PIANISTS_NOTES_PER_S * math.exp(_PIECES_DIFFER * np.random.default_rng(seed).standard_normal())


class DensityGuard:
    """Counts notes as they go down, by the step of 10 ms; `rollback` takes notes back exactly. Plain state."""

    def __init__(self) -> None:
        self._steps = array("q")

    def __len__(self) -> int:
        """Return the number of notes."""
        return len(self._steps)

    def push(self, step: int) -> None:
        """Take the next note, which begins at a step, no earlier than the one before."""
        self._steps.append(step)

    def rollback(self, length: int) -> None:
        """Forget all but the first `length` notes."""
        if not 0 <= length <= len(self._steps):
            raise ValueError(f"{len(self._steps)} notes roll back to 0 to {len(self._steps)}, not {length}")
        del self._steps[length:]

    def copy(self) -> "DensityGuard":
        """Return an independent guard in the same state."""
        other = DensityGuard()
        other._steps = self._steps[:]
        return other

    def notes_per_s(self, step: int) -> float | None:
        """Return how busy the music was of late, in notes per second, seen from a step; None if there was no note."""
        count, seconds = self._recent(step)
        if count < FEWEST or seconds <= 0:
            return (count + PIANISTS_NOTES_PER_S * _PART_S) / (seconds + _PART_S) if count else None
        return count / seconds

    def penalise(self, logits: NDArray[np.float32], step: int, aim: float, strength: float) -> NDArray[np.float32]:
        """Return logits, (vocab,), in which waits from a step on are likelier the longer, or the shorter, they are.

        `aim` is in notes per second. The exponent is `strength` for music that is twice as busy as that, minus
        `strength` for half as busy. Logits are never changed in place.
        """
        if strength == 0 or not self._steps:
            return logits
        count, seconds = self._recent(step)
        rate = (count + aim * _DOUBT_S) / (seconds + _DOUBT_S)
        exponent = min(max(strength * math.log2(rate / aim), -_MOST), _MOST)
        return logits + np.float32(exponent) * _LENGTHS

    def _recent(self, step: int) -> tuple[int, float]:
        """Return how many notes there were within the memory, and how many seconds of it the music has lasted."""
        if not self._steps:
            return 0, 0.0
        first = bisect_left(self._steps, step - int(MEMORY_S / STEP_S))
        return len(self._steps) - first, min(MEMORY_S, (step - self._steps[0]) * STEP_S)
