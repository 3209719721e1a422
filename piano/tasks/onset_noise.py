"""How far the onsets of a file seem to be off, from the onsets alone.

Pianists strike the keys of a chord within some 20 ms of each other. Where noise lies on the onsets, such near onsets
become as rare as chance has them. How often the next onset and the one after it follow within 4 to 130 ms, against
chance at the same density, tells noise of up to some 40 ms (fitted on MAESTRO's and POP909's training splits, with
noise of 0 to 80 ms). More looks like that: what is told is then the least that it may be. Where the onsets keep to a
grid (`piano.tasks.onset_grid`), how far they are off it tells more; but that has what players do in it, too.
"""

import numpy as np
from numpy.typing import NDArray

from piano.tasks.onset_grid import grid_evidence

FEWEST_NOTES = 32
"""Fewer notes tell nothing."""

UNTOUCHED_S, PLAYED_S = 0.012, 0.018
"""What looks like no more than this is taken for a performance as it was played: without exception, and unless the
onsets keep as closely to a grid as no player does."""

CLEAR_NATS, STRICT_NATS = 8.0, 0.2
"""A grid is there where it tells the onsets better than none by so much; where by so much a note, it is kept to."""

ALIKE = 1.7
"""Onsets are farther off a grid than their noise says, but not so many times, where it is kept to."""

SATURATED_S = 0.028
"""Where near onsets tell of more, it may be much more."""

_EDGES_S = np.array([0.004, 0.008, 0.014, 0.022, 0.035, 0.055, 0.085, 0.13])
_AROUND = 16
_NEXT = np.array([-0.103, -0.253, -0.489, -1.034, -0.544, 2.487, 0.101, -1.939])
_SECOND = np.array([-0.21, -0.008, -0.147, -0.098, -0.084, 0.301, 0.792, -0.268])
_NEXT_SQUARED = np.array([0.089, -0.057, 0.145, -0.127, -0.908, 0.869, -0.263, -2.822])
_SECOND_SQUARED = np.array([0.0, -0.055, 0.033, 0.124, -0.05, -0.203, 0.371, -0.011])
_CONSTANT = -3.174
_SMALLEST_S, _LARGEST_S = 0.003, 0.08
_GRID_NOISE_S = np.geomspace(0.012, 0.15, 7)


def estimated_noise_s(onset_s: NDArray[np.float64]) -> float:
    """Return the deviation of the onsets about those that were played, in seconds; 0 where nothing tells of any."""
    if onset_s.size <= FEWEST_NOTES:
        return 0.0
    by_chords_s = _noise_of_chords_s(np.sort(onset_s))
    if by_chords_s < UNTOUCHED_S:
        return 0.0
    by_grid_s, nats = _noise_of_grid_s(onset_s)
    if by_chords_s < PLAYED_S:
        is_kept = nats > STRICT_NATS * onset_s.size and by_grid_s < ALIKE * by_chords_s
        return by_grid_s if is_kept else 0.0
    if nats < CLEAR_NATS:
        return by_chords_s
    return min(by_grid_s, by_chords_s if by_chords_s < SATURATED_S else float(np.cbrt(by_chords_s * by_grid_s**2)))


def _noise_of_chords_s(onset_s: NDArray[np.float64]) -> float:
    """Return the deviation that near onsets tell of; they are in order."""
    distance_s = np.diff(onset_s)
    window = np.ones(_AROUND)
    mean_s = np.convolve(distance_s, window, "same") / np.convolve(np.ones(distance_s.size), window, "same")
    wait = _EDGES_S / np.maximum(mean_s, 1e-3)[:, None]
    next_by_chance = (1 - np.exp(-wait)).mean(axis=0)
    second_by_chance = (1 - (1 + wait[:-1]) * np.exp(-wait[:-1])).mean(axis=0)
    near = _against((distance_s[:, None] < _EDGES_S).mean(axis=0), next_by_chance)
    second = _against((onset_s[2:, None] - onset_s[:-2, None] < _EDGES_S).mean(axis=0), second_by_chance)
    log_s = float(near @ _NEXT + second @ _SECOND + near**2 @ _NEXT_SQUARED + second**2 @ _SECOND_SQUARED + _CONSTANT)
    return float(np.clip(np.exp(log_s), _SMALLEST_S, _LARGEST_S))


def _against(found: NDArray[np.float64], by_chance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log((found + 0.01) / (by_chance + 0.01)), np.float64)


def _noise_of_grid_s(onset_s: NDArray[np.float64]) -> tuple[float, float]:
    """Return the deviation about a grid, that at which it tells most, and by how many nats it is better than none."""
    told = grid_evidence(onset_s, _GRID_NOISE_S.tolist())
    best = int(told.argmax())
    beyond = 0.0
    if 0 < best < told.size - 1:
        before, here, after = told[best - 1 : best + 2]
        beyond = 0.5 * (before - after) / (before - 2 * here + after)  # the top of the parabola through the three
    return float(_GRID_NOISE_S[best] * (_GRID_NOISE_S[1] / _GRID_NOISE_S[0]) ** beyond), float(told[best])
