"""What holds the pulse: the next chord likely begins where the last seconds, moved on by a lag of theirs, have one.

A model that draws each wait for itself jitters: where a phrase is steady, the first five seconds of what it goes on
with have half of the pulse that a pianist's have. So the onsets of the last ten seconds are correlated with themselves;
each lag at which they match, moved on from each onset, says where the next may come, and waits that end there become
likelier. How much so follows the phrase's own pulse: what is free stays free, and so does a new piece. That another key
joins the last chord stays as likely as it was; and since waits go past the moments between, keys come up with those
that go down, else they hang (docs/sampling.md).
"""

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from piano.events import LOWEST_PITCH, Role
from piano.sampling.rhythm import gained
from piano.session import Logits
from piano.tokens.vocabulary import KEYS, LONGEST_TIME_STEPS, VOCABULARY

CHORD_STEPS = 3
"""A key that follows the first of a chord by so many steps or fewer is of the chord."""

LAGS = (12, 200)
"""The shortest and the longest lag, in steps."""

_LOOKED_BACK = 1000
"""In steps: onsets that lie longer ago tell nothing."""

_KEYS_LOOKED_AT = 400
_FEWEST = {"phrase": 12, "own": 8}
"""Fewer chords have no pulse."""

_WIDTH = 1.5
"""How far an onset may be off, in steps: the deviation of a bell."""

_HALF_LIFE = 400.0
"""In steps: an onset so long ago tells half as much."""

_GAIN, _MOST = 1.5, 0.85
"""The exponent at a strength of 1, by the pulse of the phrase, and the most that it becomes."""

_ANYWHERE = 0.3
"""How likely any moment is, against the mean of those that are foreseen."""

_FARTHEST = 3.0
"""The most that a moment gains or loses, in nats."""

_REACH = np.arange(-10, 11)
_BELL = np.exp(-0.5 * (_REACH / _WIDTH) ** 2)
_NEAR = np.exp(-0.5 * (np.arange(-36, 37) / 12.0) ** 2)
"""Over which moments the mean is taken: what lies further apart is how busy the music is, and left to others."""
_PAIRED = np.convolve(_BELL, _BELL, mode="same")
"""How well two bells match, by how far they are apart: (2 x reach + 1,)."""
_TIME = VOCABULARY.first_time
_KEYS = slice(VOCABULARY.on(Role.OWN, LOWEST_PITCH), VOCABULARY.on(Role.OWN, LOWEST_PITCH) + KEYS)
_RELEASES = slice(VOCABULARY.off(Role.OWN, LOWEST_PITCH), VOCABULARY.off(Role.OWN, LOWEST_PITCH) + KEYS)

Curve = NDArray[np.float64]


class PulseGuard:
    """Follows when our own keys go down, and which were heard; `rollback` takes keys back exactly. Plain state."""

    def __init__(self) -> None:
        self._chords = array("q")
        """For each key the step at which the chord began that it is of."""
        self._drawn_from = 0
        self._learned = 0.0
        self._aim: float | None = None
        self._gains: tuple[float, NDArray[np.float32]] | None = None
        """By how much each step from the last chord on gains, (longest lag + 1,), and at which strength."""

    def learn(self, steps: Sequence[int]) -> None:
        """Take the steps of keys that are to be played like, as long as nothing is heard; to a guard that is new."""
        model = PulseGuard()
        for step in steps:
            model.push(step)
        self._learned = model._pulse(len(steps))

    def hear(self) -> None:
        """Take it that the next key is one that somebody else struck."""
        self._drawn_from, self._aim = len(self._chords) + 1, None

    def push(self, step: int) -> None:
        """Take the next key, which goes down at a step no earlier than the one before."""
        joins = bool(self._chords) and step - self._chords[-1] <= CHORD_STEPS
        self._chords.append(self._chords[-1] if joins else step)
        if not joins:
            self._gains = None

    def rollback(self, keys: int) -> None:
        """Forget all but the first `keys` keys."""
        del self._chords[keys:]
        if keys < self._drawn_from:
            self._drawn_from, self._aim = keys, None
        self._gains = None

    def adjust(self, logits: Logits, step: int, strength: float) -> Logits:
        """Return logits, (vocab,), in which waits from a step on that end where the pulse has an onset are likelier.

        They are never changed in place; a strength of 0 changes nothing.
        """
        if strength == 0 or not self._chords:
            return logits
        since = step - self._chords[-1]
        if since >= LAGS[1]:
            return logits
        if self._gains is None or self._gains[0] != strength:
            self._gains = strength, self._found(strength)
        gains = self._gains[1][since:]
        if not gains.size:
            return logits
        adjusted = logits.copy()
        ahead = gains[1 : LONGEST_TIME_STEPS + 1]
        waits = adjusted[_TIME : _TIME + ahead.size]
        if since <= CHORD_STEPS:
            ahead = ahead - gained(waits, ahead)
        else:
            adjusted[_KEYS] += gains[0]
            adjusted[_RELEASES] += max(gains[0], np.float32(0.0))  # those that the waits between went past
        waits += ahead
        return adjusted

    def copy(self) -> "PulseGuard":
        """Return an independent guard in the same state."""
        other = PulseGuard()
        other._chords, other._drawn_from, other._learned = self._chords[:], self._drawn_from, self._learned
        other._aim, other._gains = self._aim, self._gains
        return other

    def _onsets(self, keys: int) -> Curve:
        """Return how long before the last chord of the first `keys` keys the latest ones began, (chords,), in steps."""
        chords = np.unique(np.array(self._chords[max(0, keys - _KEYS_LOOKED_AT) : keys], np.int64))
        before: Curve = (chords[-1:].sum() - chords).astype(np.float64)
        return before[before < _LOOKED_BACK]

    def _pulse(self, keys: int) -> float:
        """Return the pulse of what is heard, the first `keys` keys, 0 to 1; 0 where there are few."""
        if not keys:
            return self._learned
        before = self._onsets(keys)
        has_one = before.size >= _FEWEST["phrase"]
        return float(_matches(before, np.ones_like(before)).max()) if has_one else 0.0

    def _found(self, strength: float) -> NDArray[np.float32]:
        """Return by how much each step from the last chord on gains, (longest lag + 1,) in nats; (0,) of few chords."""
        before = self._onsets(len(self._chords))
        if self._aim is None:
            self._aim = self._pulse(self._drawn_from)
        if not self._aim or before.size < _FEWEST["own"]:
            return np.zeros(0, np.float32)
        weights = 0.5 ** (before / _HALF_LIFE)
        last = LAGS[1]
        is_near = before <= last
        train = np.bincount((last - before[is_near]).astype(np.int64), weights[is_near], last + _REACH[-1] + 1)
        train = np.concatenate([np.convolve(train, _BELL, mode="same"), np.zeros(last)])
        foreseen = np.convolve(_matches(before, weights), train)[last : 2 * last + 1]
        mean = np.convolve(np.pad(foreseen, _NEAR.size // 2, mode="edge"), _NEAR / _NEAR.sum(), mode="valid") + 1e-9
        exponent = strength * min(_GAIN * self._aim, _MOST)
        gains = exponent * np.log((_ANYWHERE + foreseen / mean) / (_ANYWHERE + 1))
        return np.clip(gains, -_FARTHEST, _FARTHEST).astype(np.float32)


def _matches(before: Curve, weights: Curve) -> Curve:
    """Return how well onsets so many steps before the last match each other at each lag, (longest lag + 1,), 0 to 1.

    The autocorrelation of a train of bells, each as high as its weight, less what any lag would have by chance.
    """
    apart = before[:, None] - before[None, :]
    is_near = (apart >= 0) & (apart <= LAGS[1] + _REACH[-1])
    together = np.outer(weights, weights)[is_near]
    found = np.bincount(apart[is_near].astype(np.int64), together, LAGS[1] + 2 * _REACH[-1] + 1)
    mirrored = np.concatenate([found[_REACH[-1] : 0 : -1], found])
    found = np.convolve(mirrored, _PAIRED, mode="valid")[: LAGS[1] + 1]
    length = before.max() + 1
    by_chance = (weights.sum() * _BELL.sum() / length) ** 2
    found -= by_chance * np.maximum(length - np.arange(found.size), 0.0)
    matches: Curve = np.maximum(found / max(found[0], 1e-9), 0.0)
    matches[: LAGS[0]] = 0.0
    return matches
