"""Where within the beat keys go down: told by those that stand and those that are replaced.

    p(place | notes)  ∝  how many of them lie there, in these bars and in the whole

A file has quarter notes, by its tempo map; where within them its music lies is its own: on eighths, triplets, a swing
or sixteenths, and a song that was recorded begins anywhere between two ticks. So places are not chosen from a list,
but counted. A performance whose file has a tempo that nobody followed has keys anywhere in the beat: how much better
places tell the notes than none do is the evidence of a grid, and without it nothing is told. Pure functions.
"""

from dataclasses import dataclass
from math import exp, lgamma, log

import numpy as np
from numpy.typing import NDArray

from piano.solve.local_shares import local_shares
from piano.tokens.vocabulary import STEP_S

Values = NDArray[np.float64]

TWELFTHS = 12
"""In so many parts a quarter note is told; between them time is taken to be even."""

OFF_GRID = 0.01
"""How likely a key is where no note lies, of how likely it is where most lie."""

_PLACES = 48
"""Within a quarter note: whole ones for what is divided by three and by four."""

_COARSE, _EVEN = 24, 0.5
"""Places for the evidence, and how many notes count as if they had been seen on each."""

_TRUST, _DOUBT = 0.7, 2.0
"""The power of the evidence, since notes follow each other at like distances; and what is against a grid, in nats."""

_REACH = 8
"""So many quarter notes around count."""

_REPLACED = 3.0
"""A note that is replaced tells so many times as much as one that stands."""

_HALVES = 0.3
"""Where nothing is replaced: how likely a key is half a beat from a place of what stands, of how likely it is there."""

_BLUR_S = 0.008
"""How far keys are off their place: the deviation of a bell."""


@dataclass(frozen=True, slots=True)
class BeatPlaces:
    """How sure it is that there is a grid, 0 to 1, and how likely a key is at each step on it, (steps,), at most 1."""

    sure: float
    weights: Values


def beat_places(standing_s: Values, replaced_s: Values, twelfths_s: Values, steps: int) -> BeatPlaces:
    """Return what onsets, (notes,), tell of so many steps, where the twelfths of quarter notes are at some moments."""
    onset_s = np.concatenate([standing_s, replaced_s])
    if not onset_s.size or twelfths_s.size < 2:
        return BeatPlaces(0.0, np.ones(steps))
    beats = _beats(onset_s, twelfths_s)
    weights = np.where(np.arange(onset_s.size) < standing_s.size, 1.0, _REPLACED)
    sure = _sure(beats, onset_s)
    if not replaced_s.size:
        beats, weights = np.concatenate([beats, beats + 0.5]), np.concatenate([weights, _HALVES * weights])
    counts = np.zeros((twelfths_s.size // TWELFTHS + 2, _PLACES))
    np.add.at(counts, _rows_and_places(beats), weights)
    shares = local_shares(_blurred(counts, float(np.median(np.diff(twelfths_s))) * TWELFTHS), _REACH)
    likely = np.maximum(shares / shares.max(axis=1, keepdims=True), OFF_GRID)
    at = _rows_and_places(_beats(np.arange(steps, dtype=np.float64) * STEP_S, twelfths_s))
    return BeatPlaces(sure, np.asarray(likely[at], np.float64))


def _beats(moments_s: Values, twelfths_s: Values) -> Values:
    """Return at which quarter note, with its fraction, moments are."""
    return np.asarray(np.interp(moments_s, twelfths_s, np.arange(twelfths_s.size) / TWELFTHS), np.float64)


def _rows_and_places(beats: Values) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows, places = np.divmod(np.rint(beats * _PLACES).astype(np.int64), _PLACES)
    return rows, places


def _blurred(counts: Values, quarter_s: float) -> Values:
    """Return counts that each place shares with those around it; what is behind the end of the beat is its begin."""
    off = np.arange(-_PLACES // 8, _PLACES // 8 + 1)
    bell = np.exp(-0.5 * (off / _PLACES * quarter_s / _BLUR_S) ** 2)
    bell /= bell.sum()
    return np.asarray(sum(weight * np.roll(counts, shift, axis=1) for shift, weight in zip(off, bell, strict=True)))


def _sure(beats: Values, onset_s: Values) -> float:
    """Return how likely it is that there is a grid, by how notes lie in the beat; those of a chord are one."""
    order = np.argsort(onset_s, kind="stable")
    begins = np.diff(onset_s[order], prepend=-1.0) > 2 * STEP_S
    places = (beats[order][begins] % 1.0) * _COARSE
    told = [_evidence(np.bincount(np.floor(places + off).astype(np.int64) % _COARSE)) for off in (0.0, 0.5)]
    return 1.0 / (1.0 + exp(min(_DOUBT - _TRUST * max(told), 700.0)))


def _evidence(counts: NDArray[np.int64]) -> float:
    """Return by how many nats places tell counts, (some,), better than none do: Dirichlet's multinomial."""
    notes, seen = int(counts.sum()), counts[counts > 0].tolist()
    whole = _EVEN * _COARSE
    told = sum(lgamma(_EVEN + count) - lgamma(_EVEN) for count in seen)
    return told + lgamma(whole) - lgamma(whole + notes) + notes * log(_COARSE)
