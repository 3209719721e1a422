"""What holds of every guard that goes by the keys that were struck."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from piano.tokens.vocabulary import VOCABULARY

FLAT = np.zeros(VOCABULARY.size, np.float32)
Strikes = list[tuple[int, int]]
"""Keys, each with the steps that went by before it."""


class StrikeGuard(Protocol):
    """A guard to which the struck keys are pushed."""

    def copy(self) -> "StrikeGuard": ...

    def rollback(self, keys: int) -> None: ...

    def adjust(self, logits: NDArray[np.float32], step: int) -> NDArray[np.float32]: ...


def check_rollback(guard: Callable[[Strikes], StrikeGuard], kept: Strikes, taken_back: Strikes) -> None:
    """What is taken back leaves no trace in a guard, and its copy keeps it."""
    step = sum(wait for _, wait in kept)
    both = guard(kept + taken_back)
    copy = both.copy()
    both.rollback(len(kept))
    assert np.array_equal(both.adjust(FLAT, step + 2), guard(kept).adjust(FLAT, step + 2))
    later = step + sum(wait for _, wait in taken_back)
    assert np.array_equal(copy.adjust(FLAT, later + 2), guard(kept + taken_back).adjust(FLAT, later + 2))
