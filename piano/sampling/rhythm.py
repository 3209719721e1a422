"""The rhythm that is going on: which wait of the last few comes next, and how much that is believed.

A hypothesis for each lag: the next wait from chord to chord is as long as the one that came so many chords ago. One
that was right weighs more, as in a forward filter; where there is no such rhythm none weighs anything. On real music it
tells a model nothing new. A small model that hears itself loses track of when the last key went down, and its pulse
fades: the guard leans on the waits, and on when a key goes down, towards what the rhythm expects.
"""

import math
from typing import NamedTuple

from piano.sampling.forecast import Forecast, due_at, odds_of

LAGS = 8

_CHORD_STEPS = 3
"""Keys that follow the first of a chord within so many steps are of the chord."""

_DEVIATION = 0.1
"""Of the logarithm of a wait from the one that it repeats; and a step, by rounding."""

_SHORTEST = 4.0
_MISS = 0.05
_ANY_WAIT = 0.45
"""How likely a wait is, by the logarithm, in music that repeats none."""

_LET_GO, _TAKEN_UP = 0.1, 0.02
_LIGHTEST = 0.02
_LEAST_WEIGHT = 0.05
_SAME_STEPS, _SAME_SHARE = 1.5, 0.08
"""Waits so near to each other are one."""

_MOST_DUES = 2
_ROOT = math.sqrt(2 * math.pi)


class Rhythm(NamedTuple):
    """The last waits in steps, latest first, what the hypothesis of each lag weighs, and when the last chord began."""

    waits: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()
    onset: int | None = None

    def after(self, step: int) -> "Rhythm":
        """Return the rhythm after a key went down at a step."""
        if self.onset is None:
            return Rhythm(onset=step)
        wait = step - self.onset
        if wait <= _CHORD_STEPS:
            return self
        whole = (1.0 - sum(self.weights)) * _ANY_WAIT
        likely = []
        for weight, past in zip(self.weights, self.waits, strict=True):
            deviation = _DEVIATION + 1.0 / max(past, _SHORTEST)
            off = math.log(wait / past) / deviation
            likely.append(weight * (math.exp(-0.5 * off * off) / deviation / _ROOT + _MISS))
        whole += sum(likely)
        weights = [share / whole * (1.0 - _LET_GO) for share in likely]
        free = _TAKEN_UP * (1.0 - sum(weights))
        waits = (wait, *self.waits[: LAGS - 1])
        return Rhythm(waits, tuple(weight + free for weight in (*weights, 0.0)[: len(waits)]), step)

    def may_be_a_chord(self, step: int) -> bool:
        """Say whether a key that goes down at a step is of the last chord."""
        return self.onset is not None and step - self.onset <= _CHORD_STEPS

    def forecast(self) -> Forecast | None:
        """Return when the next chord is expected; None if there is no rhythm."""
        whole = sum(self.weights)
        if self.onset is None or whole < _LEAST_WEIGHT:
            return None
        found: dict[int, float] = {}
        for weight, wait in sorted(zip(self.weights, self.waits, strict=True), reverse=True)[: LAGS // 2]:
            if weight < _LIGHTEST:
                break
            near = next((one for one in found if abs(wait - one) <= _SAME_STEPS + _SAME_SHARE * one), wait)
            found[near] = found.get(near, 0.0) + weight
        if not found:
            return None
        likeliest = sorted(found.items(), key=lambda entry: -entry[1])[:_MOST_DUES]
        share = sum(weight for _, weight in likeliest)
        dues = tuple(due_at(weight / share, self.onset + wait, self.onset) for wait, weight in likeliest)
        return Forecast(odds_of(whole), (), dues)


NO_RHYTHM = Rhythm()
