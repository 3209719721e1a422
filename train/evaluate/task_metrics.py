"""How near an answer comes to what was played: measures between the asked notes and those that were answered.

Of a note array against itself each is perfect. What cannot be said (an error of no notes) is NaN.

    f1, f1_velocity     notes found, onset within 50 ms (with velocity: within a tenth of the range, after the best
                        linear map), by mir_eval's transcription metrics
    velocity_mae        over the notes that were found
    deviation_ratio     the standard deviation of the velocities, over that of the true ones
    onset_error_ms      how far the partner of each asked note is, under the best pairing of notes of one pitch; a
                        note without a partner within a second counts as one second
    density_ratio       notes answered, over those that were asked
    repeats_excess      notes whose key went down within 250 ms before, as a share; less that of the asked
    tempo_kept          where the same keys go down: the share of stretches of eight seconds that take as long as those
                        of the asked, within 10 %
    together_ratio      the share of keys that go down within 25 ms of one that is given, over that of the asked
    X_intersection      of the histograms of X; X_wasserstein, the earth mover's distance between the values of X, in
                        milliseconds (inter_onset, duration), velocities, semitones (pitch), fifths (key)
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from mir_eval import transcription, transcription_velocity
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import wasserstein_distance

from piano.notes import NoteArray
from piano.tokens.vocabulary import VELOCITIES_PER_BIN

Values = NDArray[np.float64]
Scores = dict[str, float]

ONSET_TOLERANCE_S = 0.05
FARTHEST_PARTNER_S = 1.0
KEY_STRETCH_S = 2.0
"""The stretch of music of which one key is told."""

DISTRIBUTIONS = ("key", "inter_onset", "duration", "velocity", "pitch")

VELOCITY_METRICS = ("f1_velocity", "velocity_mae", "deviation_ratio", "velocity_intersection", "velocity_wasserstein")
"""What there is to measure where only velocities were asked."""

METRICS = (
    *("f1", "f1_velocity", "velocity_mae", "deviation_ratio", "onset_error_ms"),
    *("density_ratio", "repeats_excess", "tempo_kept", "together_ratio"),
    *(f"{name}_{measure}" for measure in ("intersection", "wasserstein") for name in DISTRIBUTIONS),
)

REPEATED_WITHIN_S, TOGETHER_WITHIN_S = 0.25, 0.025
TEMPO_STRETCH_S, TEMPO_WITHIN = 8.0, 0.1

_LARGEST_MATCH = 1000  # notes: the matching takes memory by the square of them
_TIME_EDGES_S = np.concatenate([[0.0], np.geomspace(0.01, 8.0, 30), [np.inf]])
_KRUMHANSL_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_KRUMHANSL_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def score(asked: NoteArray, answered: NoteArray, stands: NoteArray | None = None) -> Scores:
    """Return all measures of an answer, by name; there must be something asked. `stands`: the notes that are given."""
    if not asked.size:
        raise ValueError("nothing was asked: there is nothing to measure")
    f1, f1_velocity, velocity_mae = _matched(asked, answered)
    scores = {
        "f1": f1,
        "f1_velocity": f1_velocity,
        "velocity_mae": velocity_mae,
        "deviation_ratio": deviation_ratio(_velocity(asked), _velocity(answered)),
        "onset_error_ms": 1000 * onset_error_s(asked, answered),
        "density_ratio": answered.size / asked.size,
        "repeats_excess": repeats(answered) - repeats(asked),
        "tempo_kept": tempo_kept(asked, answered),
        "together_ratio": together_ratio(asked, answered, stands) if stands is not None else np.nan,
    }
    for name, distribution in _DISTRIBUTIONS.items():
        values = distribution.values(asked), distribution.values(answered)
        scores[f"{name}_intersection"] = _intersection(*(distribution.histogram(each) for each in values))
        scores[f"{name}_wasserstein"] = distribution.distance(*values) if min(map(len, values)) else np.nan
    return scores


def score_velocities(notes: NoteArray, velocities: NDArray[np.uint8]) -> Scores:
    """Return `VELOCITY_METRICS` of velocities found for notes, one for each."""
    answered = notes.copy()
    answered["velocity"] = velocities
    truth, found = _velocity(notes), velocities.astype(np.float64)
    parts = [slice(first, first + _LARGEST_MATCH) for first in range(0, notes.size, _LARGEST_MATCH)]
    f1 = [_matched(notes[part], answered[part])[1] for part in parts]
    distribution = _DISTRIBUTIONS["velocity"]
    return {
        "f1_velocity": float(np.average(f1, weights=[notes[part].size for part in parts])),
        "velocity_mae": float(np.abs(found - truth).mean()),
        "deviation_ratio": deviation_ratio(truth, found),
        "velocity_intersection": _intersection(distribution.histogram(truth), distribution.histogram(found)),
        "velocity_wasserstein": distribution.distance(truth, found),
    }


def deviation_ratio(truth: Values, found: Values) -> float:
    """Return the ratio of the standard deviations; NaN where the true one is nothing, or nothing was found."""
    deviation = float(truth.std()) if truth.size else 0.0
    return float(found.std()) / deviation if deviation and found.size else np.nan


def onset_error_s(asked: NoteArray, answered: NoteArray) -> float:
    """Return how far each asked note's partner is in time, on average."""
    total_s = 0.0
    for pitch in np.unique(asked["pitch"]):
        wanted, found = (notes["onset_s"][notes["pitch"] == pitch] for notes in (asked, answered))
        costs = np.minimum(np.abs(wanted[:, None] - found), FARTHEST_PARTNER_S)
        total_s += float(costs[linear_sum_assignment(costs)].sum())
        total_s += FARTHEST_PARTNER_S * max(wanted.size - found.size, 0)
    return total_s / asked.size


def repeats(notes: NoteArray) -> float:
    """Return the share of the notes whose key went down within a quarter of a second before."""
    apart_s = [np.diff(notes["onset_s"][notes["pitch"] == pitch]) for pitch in np.unique(notes["pitch"])]
    return sum(int((each < REPEATED_WITHIN_S).sum()) for each in apart_s) / notes.size if notes.size else 0.0


def tempo_kept(asked: NoteArray, answered: NoteArray) -> float:
    """Return the share of stretches that take as long in the answer; NaN where other keys go down, or too few."""
    one, other = (notes[np.lexsort((notes["onset_s"], notes["pitch"]))] for notes in (asked, answered))
    if not np.array_equal(one["pitch"], other["pitch"]):
        return np.nan
    order = np.argsort(one["onset_s"], kind="stable")
    true_s, found_s = one["onset_s"][order], other["onset_s"][order]
    stretches = np.split(np.arange(order.size), np.flatnonzero(np.diff(true_s // TEMPO_STRETCH_S)) + 1)
    ends = [(each[0], each[-1]) for each in stretches if each.size and true_s[each[-1]] > true_s[each[0]]]
    kept = [abs((found_s[last] - found_s[first]) / (true_s[last] - true_s[first]) - 1) for first, last in ends]
    return float((np.array(kept) <= TEMPO_WITHIN).mean()) if kept else np.nan


def together_ratio(asked: NoteArray, answered: NoteArray, stands: NoteArray) -> float:
    """Return how many keys go down with one of what stands, against the asked; NaN where that says nothing."""
    if not stands.size or not answered.size:
        return np.nan
    true, found = (_together(notes["onset_s"], np.sort(stands["onset_s"])) for notes in (asked, answered))
    return found / true if true else np.nan


def _together(onset_s: Values, moments_s: Values) -> float:
    """Return the share of onsets that are near to one of some moments, which are in order."""
    right = np.clip(np.searchsorted(moments_s, onset_s), 1, max(moments_s.size - 1, 1))
    near = np.minimum(np.abs(onset_s - moments_s[right - 1]), np.abs(onset_s - moments_s[right % moments_s.size]))
    return float((near <= TOGETHER_WITHIN_S).mean())


def _matched(asked: NoteArray, answered: NoteArray) -> tuple[float, float, float]:
    """Return F1 without and with velocity, and the mean absolute error of the velocities of matched notes."""
    if not answered.size:
        return 0.0, 0.0, np.nan
    begins_s = min(0.0, float(asked["onset_s"].min()), float(answered["onset_s"].min()))
    (intervals, hertz), (found_intervals, found_hertz) = (_for_mir_eval(each, begins_s) for each in (asked, answered))
    how = {"onset_tolerance": ONSET_TOLERANCE_S, "offset_ratio": None}
    f1 = transcription.precision_recall_f1_overlap(intervals, hertz, found_intervals, found_hertz, **how)[2]
    pairs = transcription.match_notes(intervals, hertz, found_intervals, found_hertz, **how)
    if not pairs:
        return 0.0, 0.0, np.nan
    velocity, found_velocity = _velocity(asked), _velocity(answered)
    f1_velocity = transcription_velocity.precision_recall_f1_overlap(
        intervals, hertz, velocity, found_intervals, found_hertz, found_velocity, **how
    )[2]
    wanted, found = np.array(pairs).T
    return float(f1), float(f1_velocity), float(np.abs(velocity[wanted] - found_velocity[found]).mean())


def _for_mir_eval(notes: NoteArray, begins_s: float) -> tuple[Values, Values]:
    """Return intervals (notes, 2) in seconds, counted from a moment, and pitches (notes,) in hertz."""
    onset_s = notes["onset_s"] - begins_s
    ends_s = onset_s + np.maximum(notes["duration_s"], 0.001)
    return np.stack([onset_s, ends_s], axis=1), 440.0 * 2.0 ** ((notes["pitch"].astype(np.float64) - 69) / 12)


@dataclass(frozen=True, slots=True)
class _Distribution:
    """What is distributed: its values in notes, their histogram, and how far two sets of values are apart."""

    values: Callable[[NoteArray], Values]
    histogram: Callable[[Values], Values]
    distance: Callable[[Values, Values], float]


def _by_edges(edges: Values) -> Callable[[Values], Values]:
    return lambda values: np.asarray(np.histogram(values, edges)[0], np.float64)


def _earth_mover(unit: float) -> Callable[[Values, Values], float]:
    return lambda first, second: float(wasserstein_distance(first, second)) * unit


def _intersection(first: Values, second: Values) -> float:
    """Return the share that two histograms have in common, 0 to 1; two empty ones have all."""
    if not first.sum() or not second.sum():
        return float(first.sum() == second.sum())
    return float(np.minimum(first / first.sum(), second / second.sum()).sum())


def _inter_onsets(notes: NoteArray) -> Values:
    return np.asarray(np.diff(np.sort(notes["onset_s"])), np.float64)


def _velocity(notes: NoteArray) -> Values:
    return np.asarray(notes["velocity"], np.float64)


def _keys(notes: NoteArray) -> Values:
    """Return the key of each stretch that has notes, 0 to 11 major and 12 to 23 minor, after Krumhansl (1990)."""
    stretch = (notes["onset_s"] // KEY_STRETCH_S).astype(np.int64)
    counts = np.zeros((int(stretch.max(initial=-1)) + 1, 12))
    np.add.at(counts, (stretch, notes["pitch"] % 12), 1.0)
    counts = counts[counts.any(axis=1)]
    centred = counts - counts.mean(axis=1, keepdims=True)
    return np.asarray(np.argmax(centred @ _KEY_PROFILES.T, axis=1), np.float64)


def _key_profiles() -> Values:
    """Return what each key expects of the pitch classes, (24, 12), each centred and of length 1."""
    profiles = np.array([np.roll(kind, tonic) for kind in (_KRUMHANSL_MAJOR, _KRUMHANSL_MINOR) for tonic in range(12)])
    profiles -= profiles.mean(axis=1, keepdims=True)
    return np.asarray(profiles / np.linalg.norm(profiles, axis=1, keepdims=True), np.float64)


_KEY_PROFILES = _key_profiles()


def _fifths(keys: Values) -> Values:
    """Return how often each place of the circle of fifths is taken, as shares; a minor key is where its relative is."""
    tonic = np.where(keys < 12, keys, keys - 12 + 3).astype(np.int64) % 12
    shares: Values = np.bincount(tonic * 7 % 12, minlength=12) / keys.size
    return shares


def _around_the_circle(first: Values, second: Values) -> float:
    """Return the earth mover's distance on the circle of fifths (Werman et al. 1986: the median is the best cut)."""
    flow = np.cumsum(_fifths(first) - _fifths(second))
    return float(np.abs(flow - np.median(flow)).sum())


_DISTRIBUTIONS = {
    "key": _Distribution(_keys, _by_edges(np.arange(25.0)), _around_the_circle),
    "inter_onset": _Distribution(_inter_onsets, _by_edges(_TIME_EDGES_S), _earth_mover(1000.0)),
    "duration": _Distribution(lambda notes: notes["duration_s"], _by_edges(_TIME_EDGES_S), _earth_mover(1000.0)),
    "velocity": _Distribution(_velocity, _by_edges(np.arange(0.0, 129.0, VELOCITIES_PER_BIN)), _earth_mover(1.0)),
    "pitch": _Distribution(
        lambda notes: notes["pitch"].astype(np.float64), _by_edges(np.arange(129.0)), _earth_mover(1.0)
    ),
}
