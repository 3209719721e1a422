"""When the notes of a score are played: a smooth tempo, log-normal waits about it, lengths about those written.

    p(wait | heard, score)  ∝  p_model(wait | heard) · p(wait | tempo curve, written wait)

The written wait is the distance between two moments of the score. What is played lies about it, times a tempo that
follows what was played and returns to the written one; and the further the playing is off the written clock, the more
the next wait makes up for it, so that eight bars last about as long as they are written. Keys of one moment go down
within a few steps of each other. A key comes up after about its written length: that is drawn beforehand, log-normal.

All times are steps of 10 ms. The model's distribution is over tokens, and a wait is one token before what ends it: so
what is weighed is how likely the next key is at the step that the wait leads to, against that it comes later.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from piano.tokens.vocabulary import STEP_S

Steps = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TempoSettings:
    """How freely a score is played.

    `deviation` is that of a wait about the tempo curve (of its logarithm), `length_deviation` that of a length.
    `is_free`: the tempo never returns to the written one. `makes_up_s` is the time in which the playing makes up for
    being off the written clock.
    """

    deviation: float = 0.04
    length_deviation: float = 0.15
    is_free: bool = False
    makes_up_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Score:
    """The moments at which the notes of a score are written, (notes,), in order, and how long each is to be held."""

    steps: tuple[int, ...]
    holds: tuple[int, ...]
    settings: TempoSettings


def score_of(steps: Steps, lengths: Steps, pitches: Steps, settings: TempoSettings, rng: np.random.Generator) -> Score:
    """Return a score of notes in order, (notes,) each, with the holds drawn; none reaches the next press of its key."""
    drawn = lengths * np.exp(rng.normal(math.log(_USUAL_LENGTH), settings.length_deviation, lengths.size))
    room = np.full(steps.size, np.iinfo(np.int64).max)
    following: dict[int, int] = {}
    for index in range(steps.size - 1, -1, -1):
        pitch = int(pitches[index])
        if pitch in following:
            room[index] = max(int((following[pitch] - steps[index]) * _USUAL_LENGTH) - 1, 1)
        following[pitch] = int(steps[index])
    holds = np.minimum(np.maximum(np.rint(drawn).astype(np.int64), _SHORTEST_HOLD), room)
    return Score(tuple(steps.tolist()), tuple(holds.tolist()), settings)


_USUAL_LENGTH = 0.93
"""How long a key is held, of its written length, in the median."""

_SHORTEST_HOLD = 4
_TOGETHER = 0.45
"""How likely it is, step after step, that the next key of a moment goes down now."""

_MOST_APART = 4
"""The most steps between the first and the last key of a moment."""

_FOLLOWS, _RETURNS, _LARGEST_RUBATO = 0.25, 0.97, 0.12
"""How quickly the tempo follows what is played, how much of it is left after a note, and its largest logarithm."""

_LARGEST_FREE = 0.7
_USUAL_HAZARD, _KEY_SHARE = 0.05, 0.95
"""How likely a key is at any step of music, and which share of the events that are drawn are keys that go
down."""

_LATEST = 3.0
"""After so many deviations the next key goes down by force."""


class TempoCurve:
    """Where the playing of a score is, and when its next key is due. Plain state; `copy` to branch."""

    def __init__(self, score: Score) -> None:
        self._score = score
        self._next = 0
        self._moment = (score.steps[0], 0) if score.steps else (0, 0)
        """Where the last moment is written, and the step at which its first key went down."""
        self._rubato = 0.0
        self._offset = self._moment[0]
        """The written step that is played at step 0."""

    def copy(self) -> "TempoCurve":
        """Return an independent curve in the same state."""
        other = TempoCurve.__new__(TempoCurve)
        other.__dict__.update(self.__dict__)
        return other

    @property
    def hold(self) -> int:
        """Return for how many steps the next key is held."""
        return self._score.holds[self._next]

    @property
    def latest(self) -> int:
        """Return the step by which the next key must go down."""
        written, played = self._moment
        if self._score.steps[self._next] == written:
            return played + _MOST_APART
        centre, deviation = self._expected()
        return played + max(1, math.ceil(centre * math.exp(_LATEST * deviation)))

    def press(self, step: int) -> None:
        """Take it that the next key went down at a step."""
        written, played = self._score.steps[self._next], self._moment[1]
        self._next += 1
        before = self._moment[0]
        if written == before and self._next > 1:
            return
        if self._next == 1:
            self._offset = written - step
        elif step > played:
            apart = written - before
            settings = self._score.settings
            seen = math.log((step - played) / apart)
            follows = _FOLLOWS * min(1.0, apart / 25)
            self._rubato += follows * (seen - self._rubato)
            largest = _LARGEST_FREE if settings.is_free else _LARGEST_RUBATO
            self._rubato = max(-largest, min(largest, self._rubato))
            if not settings.is_free:
                self._rubato *= _RETURNS
        self._moment = written, step

    def bias(self, step: int, until: int | None) -> tuple[float, float, NDArray[np.float64]]:
        """Return by how many nats likelier it is, seen from a step, that the next key goes down at this step, that
        something else comes now, and that time passes: (waits,) of 1, 2, … steps, of which those that reach `until`
        only say that it comes no earlier than that.
        """
        ends = np.arange(step - 1, step + _LONGEST_WAIT + 1)
        later = self._survival(ends)  # of the end of each step from the one before on
        later = later / max(later[0], 1e-12)
        now = -np.diff(later)  # at each step from this one on
        key = np.log(np.maximum(now, _NEVER) / _USUAL_HAZARD)
        other = np.log(np.maximum(later[1:], _NEVER))
        waits = np.logaddexp(key[1:] + math.log(_KEY_SHARE), other[1:] + math.log(1 - _KEY_SHARE))
        if until is not None and until - step <= _LONGEST_WAIT:
            reaches = max(until - step, 1)
            waits[reaches - 1 :] = other[reaches - 1]
        return float(key[0]), float(other[0]), waits

    def _expected(self) -> tuple[float, float]:
        """Return the next wait, from moment to moment, in steps, and the deviation of its logarithm."""
        written, played = self._moment
        settings = self._score.settings
        apart = self._score.steps[self._next] - written
        centre = apart * math.exp(self._rubato)
        if not settings.is_free:
            ahead = (written - self._offset) - played
            centre += ahead * (1 - math.exp(-apart * STEP_S / settings.makes_up_s))
        centre = max(centre, 0.5 * apart, 1.0)
        return centre, math.hypot(settings.deviation, _CLOCK / centre)

    def _survival(self, ends: Steps) -> NDArray[np.float64]:
        """Return how likely it is that the next key goes down after the end of each step, (steps,)."""
        written, played = self._moment
        if self._next == 0:
            return np.where(ends >= 0, 0.0, 1.0)
        passed = ends - played
        if self._score.steps[self._next] == written:
            return np.where(passed >= _MOST_APART, 0.0, (1 - _TOGETHER) ** np.maximum(passed + 1, 0))
        centre, deviation = self._expected()
        off = np.log(np.maximum(passed + 0.5, 1e-3) / centre) / deviation
        return np.where(off > _LATEST, 0.0, _upper_tail(off))


_LONGEST_WAIT = 100
_NEVER = 1e-9
_CLOCK = 0.7
"""The deviation that the steps of the stream themselves cause, in steps."""


def _upper_tail(off: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of a normal distribution beyond so many deviations."""
    return np.array([0.5 * math.erfc(value / math.sqrt(2)) for value in off.tolist()])


def scaled(settings: TempoSettings, strength: float) -> TempoSettings:
    """Return settings in which the deviations are as they are at a strength of one half, and none at 0."""
    return replace(
        settings,
        deviation=settings.deviation * 2 * strength,
        length_deviation=settings.length_deviation * 2 * strength,
    )
