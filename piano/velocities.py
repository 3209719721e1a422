"""Velocities by Bayes' rule: the model's prior for a key, times what the keyboard read, is the answer.

    p(v | everything so far, reading)  ∝  p(v | everything so far) · p(reading | v)

The reading's likelihood is a normal distribution around the true velocity; its deviation says how little the keyboard
is to be trusted. A keyboard without velocity has a flat one: the answer is the model's own.
"""

import math

import numpy as np
from numpy.typing import NDArray

from piano.vocabulary import VELOCITIES_PER_BIN, VELOCITY_BINS

CENTRES = np.arange(VELOCITY_BINS) * VELOCITIES_PER_BIN + VELOCITIES_PER_BIN / 2
"""The velocity at the centre of each bin, (bins,)."""

HALF_WAY_NOISE = 30.0
"""The deviation of a reading at a strength of one half, in MIDI velocities."""


def noise_of_strength(strength: float) -> float:
    """Return the deviation that a reading is taken to have, for a strength of 0 (exact) to 1 (says nothing: inf)."""
    if not 0 <= strength <= 1:
        raise ValueError(f"strength lies between 0 and 1, not {strength}")
    return math.inf if strength == 1 else HALF_WAY_NOISE * strength / (1 - strength)


def posterior(prior_logits: NDArray[np.float32], reading: int, noise: float) -> NDArray[np.float64]:
    """Return the distribution over velocity bins, (bins,), from the model's logits for them and a reading, 1 to 127."""
    scores = prior_logits.astype(np.float64)
    if math.isfinite(noise):
        distance = (reading - CENTRES) / max(noise, 1e-3)
        scores = scores - 0.5 * distance**2
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum(), np.float64)


def median_velocity(distribution: NDArray[np.float64]) -> int:
    """Return the MIDI velocity that halves a distribution over bins, (bins,), taken as even within each bin."""
    reached = np.cumsum(distribution)
    index = min(int(np.searchsorted(reached, 0.5)), VELOCITY_BINS - 1)
    below = reached[index] - distribution[index]
    share = (0.5 - below) / distribution[index]
    return int(np.clip(round(VELOCITIES_PER_BIN * (index + share)), 1, 127))
