"""What velocities come to without a model: baselines that hear one key after the other, fitted on training excerpts.

`copy` believes the keyboard; `flat` is the mean of the training split; `random` draws from its velocities; `running
mean` averages all readings so far, this key's among them; `smoother` is the best of the exponential means; `linear`
is the least-squares filter over three exponential means, the reading and the pitch. Means begin with the mean reading.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from piano.tasks.exercise import Exercise
from train.evaluate.velocity_chunks import Velocities

Values = NDArray[np.float64]

SMOOTHINGS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0)
"""The smoothers among which the best is chosen, on training excerpts: how much the newest reading counts."""

FILTER_SMOOTHINGS = (0.03, 0.1, 0.3)
"""The exponential means of the linear filter."""

VelocityBaseline = Callable[[Exercise, np.random.Generator], Velocities]


@dataclass(frozen=True, slots=True)
class _Heard:
    """One exercise as a keyboard reports it, and what was played in truth."""

    readings: Values
    pitch: Values
    truth: Values


def fit_velocity_baselines(exercises: Sequence[Exercise]) -> dict[str, VelocityBaseline]:
    """Return the baselines by name, fitted on exercises of the training split in the same situation."""
    heard = [_heard(exercise) for exercise in exercises]
    played = np.concatenate([each.truth for each in heard])
    mean, begin = float(played.mean()), float(np.mean([each.readings.mean() for each in heard]))
    errors = [
        sum(float(np.abs(_smoothed(each.readings, share, begin) - each.truth).sum()) for each in heard)
        for share in SMOOTHINGS
    ]
    best = SMOOTHINGS[int(np.argmin(errors))]
    features = np.concatenate([_features(each, begin) for each in heard])
    weights = np.linalg.lstsq(features, played, rcond=None)[0]

    def causal(found: Callable[[_Heard], Values]) -> VelocityBaseline:
        return lambda exercise, _: _velocities(found(_heard(exercise)))

    return {
        "copy": lambda exercise, _: exercise.as_heard.notes["velocity"].copy(),
        "random": lambda exercise, rng: _velocities(rng.choice(played, exercise.performance.notes.size)),
        "flat": causal(lambda each: np.full(each.truth.size, mean)),
        "running mean": causal(lambda each: np.cumsum(each.readings) / np.arange(1, each.readings.size + 1)),
        f"smoother {best:g}": causal(lambda each: _smoothed(each.readings, best, begin)),
        "linear": causal(lambda each: _features(each, begin) @ weights),
    }


def _heard(exercise: Exercise) -> _Heard:
    notes, readings = exercise.performance.notes, exercise.as_heard.notes["velocity"]
    return _Heard(*(np.asarray(column, np.float64) for column in (readings, notes["pitch"], notes["velocity"])))


def _smoothed(readings: Values, share: float, begin: float) -> Values:
    """Return the exponential mean up to and with each reading, begun with a value."""
    smoothed: Values = lfilter([share], [1.0, share - 1.0], readings, zi=[(1.0 - share) * begin])[0]
    return smoothed


def _features(each: _Heard, begin: float) -> Values:
    """Return what the linear filter weighs, (notes, features)."""
    means = [_smoothed(each.readings, share, begin) for share in FILTER_SMOOTHINGS]
    return np.stack([np.ones(each.pitch.size), each.pitch, each.readings, *means], axis=1)


def _velocities(found: Values) -> Velocities:
    return np.clip(np.rint(found), 1, 127).astype(np.uint8)
