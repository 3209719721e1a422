"""The rhythm that is going on: the next chord likely comes as long after the last as that came after the one before.

A model looks little at how long the last wait from chord to chord was. Where the last waits were equal, or went to and
fro between two, real music goes on so more often than it expects: there the moment at which it would becomes likelier,
by so much as lowers the bits of real music (docs/sampling.md tells how the figures were fitted). Of all other moments
none becomes less likely against the others, and that another key joins the last chord stays as likely as it was: when
waits alone gained, chords grew thin.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from piano.events import LOWEST_PITCH, Role
from piano.tokens.vocabulary import KEYS, LONGEST_TIME_STEPS, VOCABULARY

REMEMBERED = 4
"""Waits from chord to chord."""

_CHORD_STEPS = 3
"""Keys that follow the first of a chord within so many steps are of the chord."""

_EQUAL = 0.11
"""Waits whose logarithms differ by less are equal."""

_LIKELIER = (0.25, 0.5, 0.55, 0.7)
"""By how much the moment after an equal wait becomes likelier, by how many of the last waits were equal before."""

_TO_AND_FRO = 0.9
"""The same for the wait before the last, where the last four went to and fro between two."""

_WIDTH, _WIDTH_STEPS = 0.04, 0.7
"""How far the moment may be off: a share of the wait, and steps."""

_AHEAD: NDArray[np.float32] = np.arange(1, LONGEST_TIME_STEPS + 1, dtype=np.float32)
_TIME = slice(VOCABULARY.first_time, VOCABULARY.first_time + LONGEST_TIME_STEPS)
_KEYS = slice(VOCABULARY.on(Role.OWN, LOWEST_PITCH), VOCABULARY.on(Role.OWN, LOWEST_PITCH) + KEYS)


class Rhythm(NamedTuple):
    """The last waits from chord to chord in steps, latest first, and the step at which the last chord began."""

    waits: tuple[int, ...] = ()
    onset: int | None = None

    def after(self, step: int) -> "Rhythm":
        """Return the rhythm after a key went down at a step."""
        if self.onset is None:
            return Rhythm(onset=step)
        wait = step - self.onset
        return self if wait <= _CHORD_STEPS else Rhythm((wait, *self.waits[: REMEMBERED - 1]), step)

    def expected(self) -> tuple[int, float] | None:
        """Return the step at which the next chord is expected, and by how much likelier it is; None without waits."""
        if self.onset is None or not self.waits:
            return None
        waits = self.waits
        equal = [_are_equal(one, before) for one, before in pairwise(waits)]
        if len(waits) == REMEMBERED and not equal[0] and all(map(_are_equal, waits[:2], waits[2:])):
            return self.onset + waits[1], _TO_AND_FRO
        run = next((number for number, is_equal in enumerate(equal) if not is_equal), len(equal))
        return self.onset + waits[0], _LIKELIER[run]

    def adjust(self, logits: NDArray[np.float32], step: int, strength: float) -> None:
        """Make waits from a step on that end at the expected moment likelier, in place, and keys that go down then.

        `strength` 1 is what fits real music. Keys of the last chord stay as likely as they were.
        """
        expected = self.expected()
        if expected is None or self.onset is None or strength <= 0:
            return
        due, likelier = expected
        width = _WIDTH * (due - self.onset) + _WIDTH_STEPS
        ahead = due - step
        if -3 * width < ahead:
            gains = np.log1p(strength * likelier * np.exp(-0.5 * ((_AHEAD - ahead) / width) ** 2))
            if step - self.onset <= _CHORD_STEPS:
                gains -= gained(logits[_TIME], gains)
            logits[_TIME] += gains
            if step - self.onset > _CHORD_STEPS:
                off = ahead / width
                logits[_KEYS] += np.float32(math.log1p(strength * likelier * math.exp(-0.5 * off * off)))


def gained(logits: NDArray[np.float32], gains: NDArray[np.float32]) -> np.float32:
    """Return by how much logits, (n,), gain together, in nats; 0 where all are masked, at minus infinity."""
    if not np.isfinite(logits).any():
        return np.float32(0.0)
    return np.float32(np.logaddexp.reduce(logits + gains) - np.logaddexp.reduce(logits))


def _are_equal(one: int, other: int) -> bool:
    return abs(math.log(one / other)) < _EQUAL


NO_RHYTHM = Rhythm()
