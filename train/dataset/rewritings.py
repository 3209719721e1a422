"""Other ways to write the same music in tokens, so that layouts can be compared before the vocabulary is changed.

A rewriting stays within the vocabulary: the tokens mean what they always mean, another selection and order of them is
used. A model that is trained on rewritten music cannot be played; only trials make such models.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from piano.notes import Performance
from piano.tokens.encoding import TokenArray
from piano.tokens.vocabulary import VOCABULARY, Kind


def _same(tokens: TokenArray) -> TokenArray:
    return tokens


@dataclass(frozen=True, slots=True)
class Rewriting:
    """How event tokens of plain music are written anew. All keep the number of key-downs, `undo` brings all back.

    `grid_s` rounds every moment to a coarser grid before the music becomes tokens: what is finer is lost.
    """

    write: Callable[[TokenArray], TokenArray] = _same
    undo: Callable[[TokenArray], TokenArray] = _same
    grid_s: float | None = None

    def performance(self, performance: Performance, origin_s: float) -> Performance:
        """Return a performance with its moments on the grid that begins at `origin_s`."""
        if self.grid_s is None:
            return performance
        notes, pedals = performance.notes.copy(), performance.pedals.copy()
        ends = self._on_grid(notes["onset_s"] + notes["duration_s"], origin_s)
        notes["onset_s"] = self._on_grid(notes["onset_s"], origin_s)
        notes["duration_s"] = np.maximum(ends - notes["onset_s"], 0.0)
        pedals["time_s"] = self._on_grid(pedals["time_s"], origin_s)
        return Performance(notes, pedals)

    def _on_grid(self, moments: NDArray[np.float64], origin_s: float) -> NDArray[np.float64]:
        assert self.grid_s is not None
        rounded: NDArray[np.float64] = origin_s + np.floor((moments - origin_s) / self.grid_s + 0.5) * self.grid_s
        return rounded


def velocity_first(tokens: TokenArray) -> TokenArray:
    """Put each velocity before its key-down. Its own inverse is `velocity_last`."""
    return _swapped(tokens, Kind.ON, Kind.VELOCITY)


def velocity_last(tokens: TokenArray) -> TokenArray:
    """Put each velocity behind its key-down, where the vocabulary has it."""
    return _swapped(tokens, Kind.VELOCITY, Kind.ON)


def _swapped(tokens: TokenArray, first: Kind, second: Kind) -> TokenArray:
    kinds = VOCABULARY.kinds[tokens]
    at = np.flatnonzero((kinds[:-1] == first) & (kinds[1:] == second))
    swapped = tokens.copy()
    swapped[at], swapped[at + 1] = tokens[at + 1], tokens[at]
    return swapped


def split_time(tokens: TokenArray, grain: int = 10) -> TokenArray:
    """Write each TIME token as whole grains and the rest in steps, each unless it is 0: 370 ms as 300 and 70."""
    steps = np.where(VOCABULARY.kinds[tokens] == Kind.TIME, VOCABULARY.values[tokens], 0)
    coarse, fine = steps - steps % grain, steps % grain
    is_two = (coarse > 0) & (fine > 0)
    end = np.cumsum(1 + is_two)
    out = np.zeros(int(end[-1]) if end.size else 0, np.int32)
    out[end - 1] = np.where(is_two, VOCABULARY.first_time + fine - 1, tokens)
    out[end[is_two] - 2] = VOCABULARY.first_time + coarse[is_two] - 1
    return out


def join_time(tokens: TokenArray) -> TokenArray:
    """Write each run of TIME tokens as the vocabulary does: full seconds, then the rest. Inverse of `split_time`."""
    kinds = VOCABULARY.kinds[tokens]
    steps = np.where(kinds == Kind.TIME, VOCABULARY.values[tokens], 0)
    out: list[int] = []
    waited = 0
    for token, wait in zip(tokens.tolist(), steps.tolist(), strict=True):
        if wait:
            waited += wait
        else:
            out += (*VOCABULARY.wait(waited), token)
            waited = 0
    out += VOCABULARY.wait(waited)
    return np.array(out, np.int32)


REWRITINGS = {
    "velocity-first": Rewriting(velocity_first, velocity_last),
    "time-split": Rewriting(split_time, join_time),
    "time-20ms": Rewriting(grid_s=0.02),
    "time-20ms-and-rest": Rewriting(partial(split_time, grain=2), join_time),
}
"""The rewritings by name."""
