"""Velocities by Bayes' rule: the model's prior for a key, times what the keyboard read, is the answer.

    p(v | everything so far, reading)  ∝  p(v | everything so far) · p(reading | v)

The reading's likelihood is a normal distribution around the true velocity; its deviation says how little the keyboard
is to be trusted. A keyboard without velocity has a flat one: the answer is the model's own.
"""

import math

import numpy as np
from numpy.typing import NDArray

from piano.tokens.vocabulary import VELOCITIES_PER_BIN

VELOCITIES = np.arange(1, 128)
"""The velocities of MIDI, (velocities,)."""

HALF_WAY_NOISE = 30.0
"""The deviation of a reading at a strength of one half, in MIDI velocities."""

_LEAST_NOISE = 1e-3
_BINS = VELOCITIES // VELOCITIES_PER_BIN
_SHARES = np.log(np.bincount(_BINS)[_BINS])
"""The logarithm of how many velocities share the bin of each, (velocities,)."""


def noise_of_strength(strength: float) -> float:
    """Return the deviation that a reading is taken to have, for a strength of 0 (exact) to 1 (says nothing: inf)."""
    if not 0 <= strength <= 1:
        raise ValueError(f"strength lies between 0 and 1, not {strength}")
    return math.inf if strength == 1 else HALF_WAY_NOISE * strength / (1 - strength)


def velocity_posterior(prior_logits: NDArray[np.float32], reading: int, noise: float) -> NDArray[np.float64]:
    """Return the distribution over `VELOCITIES` from the model's logits for the bins, (bins,), and a reading, 1 to 127.

    The model's probability of a bin is taken as even over the velocities in it. ValueError if the logits are not
    numbers.
    """
    if not np.isfinite(prior_logits).all():
        raise ValueError("no velocity can be found: the model's logits are not numbers")
    scores = prior_logits.astype(np.float64)[_BINS] - _SHARES
    if math.isfinite(noise):
        scores -= 0.5 * ((reading - VELOCITIES) / max(noise, _LEAST_NOISE)) ** 2
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum(), np.float64)


def median_velocity(distribution: NDArray[np.float64]) -> int:
    """Return the velocity that halves a distribution over `VELOCITIES`: the one with the least expected distance."""
    half = 0.5 - 1e-9  # of two that halve it alike, the softer, whatever the rounding
    index = int(np.searchsorted(np.cumsum(distribution), half))
    return int(VELOCITIES[min(index, VELOCITIES.size - 1)])
