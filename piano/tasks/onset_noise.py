"""How far the onsets of a file seem to be off, from the onsets alone.

Pianists strike the keys of a chord within some 20 ms of each other. Where noise lies on the onsets, such near onsets
become as rare as chance has them. How often onsets follow each other within 4 to 120 ms, against chance at the same
density, tells noise of up to some 60 ms (fitted on MAESTRO's and POP909's training splits). More looks like
that: what is told is then the least that it may be.
"""

import numpy as np
from numpy.typing import NDArray

FEWEST_NOTES = 32
"""Fewer notes tell nothing."""

UNTOUCHED_S = 0.012
"""What looks like no more than this is taken for a performance as it was played."""

_EDGES_S = np.array([0.004, 0.008, 0.012, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12])
_AROUND = 16
_LINEAR = np.array([-0.226, -0.52, -0.567, -1.935, -1.121, 0.841, 4.77, 1.621, -2.773])
_CONSTANT = -2.95
_SQUARED = np.array([0.11, -0.258, 0.696, 0.033, -1.247, -1.707, 1.554, 2.311, -4.646])
_SMALLEST_S, _LARGEST_S = 0.003, 0.15


def estimated_noise_s(onset_s: NDArray[np.float64]) -> float:
    """Return the deviation of the onsets about those that were played, in seconds; 0 where nothing tells of any."""
    distance_s = np.diff(np.sort(onset_s))
    if distance_s.size < FEWEST_NOTES:
        return 0.0
    window = np.ones(_AROUND)
    mean_s = np.convolve(distance_s, window, "same") / np.convolve(np.ones(distance_s.size), window, "same")
    by_chance = (1 - np.exp(-_EDGES_S / np.maximum(mean_s, 1e-3)[:, None])).mean(axis=0)
    found = (distance_s[:, None] < _EDGES_S).mean(axis=0)
    ratio = np.log((found + 0.01) / (by_chance + 0.01))
    log_s = float(ratio @ _LINEAR + _CONSTANT + (ratio * ratio) @ _SQUARED)
    estimate_s = float(np.clip(np.exp(log_s), _SMALLEST_S, _LARGEST_S))
    return estimate_s if estimate_s >= UNTOUCHED_S else 0.0
