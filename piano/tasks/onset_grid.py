"""A grid in the onsets of a file, found though they are noisy: what it tells of where each note was struck.

    p(struck | read)  ∝  p(read | struck) · p(struck | the beats that all onsets tell of)

Time goes in spans of two seconds. A hidden state is a tempo, a place within the beat and a way of dividing it (in four
or in three); beside them stands the state in which onsets keep to no grid. Within a span onsets lie about the divisions
of the beat by the noise, or anywhere. From one span to the next the tempo mostly stays. Forward and backward over the
spans (Rabiner, 1989) give the odds of each state from all onsets, before and behind: where no grid is clear, those of
none win, and nothing is told. What onsets tell of all places at once is a correlation over the phase, and is computed
by Fourier's transform. Pure functions of the onsets.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Waves = NDArray[np.complex128]

SPAN_S = 2.0
LONGEST_SILENCE_S = 8.0
"""After a silence as long as this the search begins anew."""

_MOST_SPANS = 60
"""So many spans are looked at together: memory is bounded, not the result."""

FEWEST_NOTES = 24
"""Fewer notes tell of no grid."""

_TEMPI: Values = np.geomspace(1.0, 2.9, 128)
"""Beats a second: any tempo, or twice or half of it, is among them."""

_PHASES = 64
_USUAL_S, _SPREAD = 0.55, 0.4
"""The tempo before anything is heard: the usual length of a beat in seconds, the deviation of its logarithm."""

_DIVISIONS = (
    {0.0: 0.38, 0.5: 0.27, 0.25: 0.11, 0.75: 0.12},
    {0.0: 0.40, 1 / 3: 0.22, 2 / 3: 0.24},
)
"""How often onsets lie on each division of a beat, by the way it is divided."""

_ANYWHERE = 0.06
"""The share of onsets that lie on no division."""

_PLAYED_S = 0.008
"""How far players of a grid are off it by themselves."""

FARTHEST_S = 0.15
"""More noise than this hides every beat."""

_TRUST = 0.7
"""The power of the likelihood of an onset: those of a chord say the same thing several times."""

_SAME_TEMPO, _TEMPO_CHANGE, _PHASE_CHANGE = 0.9, 0.02, 0.008
"""How likely the tempo stays; the deviation of its logarithm where it changes; that of the place, in beats."""

_ANEW, _BEGINS, _ENDS = 0.004, 0.02, 0.02
"""How likely, from one span to the next, another grid begins, a first one begins, and one ends."""

_MOST_TEMPI = 24
"""The likeliest tempi of a span tell where its notes were struck; the others tell nothing."""

_AT_ONCE = 512
"""So many notes are counted at a time: memory is bounded, not the result."""

_HARMONICS = np.arange(_PHASES // 2 + 1)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The notes, in order of time, that are looked at together: their number in the file, span and time in it."""

    notes: NDArray[np.intp]
    spans: NDArray[np.int64]
    off_s: Values

    @property
    def count(self) -> int:
        return int(self.spans[-1]) + 1

    def parts(self) -> Iterator[slice]:
        return (slice(first, first + _AT_ONCE) for first in range(0, self.notes.size, _AT_ONCE))


def grid_evidence(onset_s: Values, noises_s: Sequence[float]) -> Values:
    """Return by how many nats a grid, about which onsets lie by each noise, tells them better than none does."""
    told = np.zeros(len(noises_s))
    for stretch in _stretches(onset_s):
        waves = _waves(stretch)
        told += [_forward(_likelihoods(waves, noise_s))[2] for noise_s in noises_s]
    return told


def grid_odds(onset_s: Values, noise_s: float, moved_s: Values) -> Values:
    """Return how much likelier than without a grid each note was struck so much later than it was read.

    (notes, moves), 1 on the average over time; all are 1 where there is no grid.
    """
    odds = np.ones((onset_s.size, moved_s.size))
    if noise_s > FARTHEST_S:
        return odds
    for stretch in _stretches(onset_s):
        likelihoods = _likelihoods(_waves(stretch), noise_s)
        heard, without, _ = _forward(likelihoods)
        states = _smoothed(likelihoods, heard, without)
        for part in stretch.parts():
            odds[stretch.notes[part]] = _odds_of(states, stretch.spans[part], stretch.off_s[part], moved_s)
    return odds


def _stretches(onset_s: Values) -> Iterator[_Stretch]:
    order = np.argsort(onset_s, kind="stable")
    at_s = onset_s[order]
    first = 0
    while first < at_s.size:
        pauses = np.flatnonzero(np.diff(at_s[first:]) > LONGEST_SILENCE_S)
        end = first + int(pauses[0]) + 1 if pauses.size else at_s.size
        end = min(end, int(np.searchsorted(at_s, at_s[first] + _MOST_SPANS * SPAN_S)))
        if end - first >= FEWEST_NOTES:
            since_s = at_s[first:end] - at_s[first]
            spans = (since_s // SPAN_S).astype(np.int64)
            yield _Stretch(order[first:end], spans, since_s - (spans + 0.5) * SPAN_S)
        first = max(end, first + 1)


def _profiles(off_s: float) -> Values:
    """Return Fourier's coefficients of how densely onsets lie over the phase, (divisions, tempi, harmonics)."""
    blur = np.exp(-2 * (np.pi * _HARMONICS * off_s * _TEMPI[:, None]) ** 2)
    lines = [
        sum(share * np.exp(-2j * np.pi * _HARMONICS * place) for place, share in division.items())
        / sum(division.values())
        for division in _DIVISIONS
    ]
    waves = np.stack([blur * line for line in lines])
    dense = np.maximum(np.fft.irfft(waves * _PHASES, n=_PHASES, axis=2), 0)
    return np.asarray(_ANYWHERE + (1 - _ANYWHERE) * dense, np.float64)


def _waves(stretch: _Stretch) -> Waves:
    """Return how the phases of the onsets of each span are spread by each tempo, about that of the middle of the span.

    Fourier's coefficients, turned round, (spans, tempi, harmonics).
    """
    counts = np.zeros((stretch.count, _TEMPI.size * _PHASES))
    for part in stretch.parts():
        spans = stretch.spans[part]
        place = (stretch.off_s[part, None] * _TEMPI) % 1 * _PHASES
        low = place.astype(np.int64)
        row = ((spans - spans[0])[:, None] * _TEMPI.size + np.arange(_TEMPI.size)) * _PHASES
        seen = counts[spans[0] : spans[-1] + 1]
        for shift, weight in ((0, low + 1 - place), (1, place - low)):
            column = row + (low + shift) % _PHASES
            found = np.bincount(column.ravel(), weights=weight.ravel(), minlength=seen.size)
            seen += found.reshape(seen.shape)
    return np.conj(np.fft.rfft(counts.reshape(stretch.count, _TEMPI.size, _PHASES), axis=2))


def _likelihoods(waves: Waves, noise_s: float) -> Values:
    """Return how much better than no grid each state tells the onsets of each span, in nats, (spans, states...).

    A state's phase is that of the middle of the span.
    """
    told = np.fft.rfft(np.log(_profiles(float(np.hypot(noise_s, _PLAYED_S)))), axis=2)
    return np.asarray(_TRUST * np.fft.irfft(waves[:, None] * told, n=_PHASES, axis=3), np.float64)


@dataclass(frozen=True, slots=True)
class _Moves:
    """How states follow one another: the odds of tempi, the turn over half a span, and what there is first."""

    tempi: Values
    onward: Waves
    usual: Values

    def move(self, states: Values, *, back: bool = False) -> Values:
        """Return states a span later, or what they tell of the span before."""
        turn = np.conj(self.onward) if back else self.onward
        waves = (self.tempi @ (np.fft.rfft(states, axis=2) * turn)) * turn
        return np.maximum(np.fft.irfft(waves, n=_PHASES, axis=2), 0)


@cache
def _moves() -> _Moves:
    apart = np.log(_TEMPI[:, None] / _TEMPI) / _TEMPO_CHANGE
    near = np.where(np.abs(apart) <= 2.5, np.exp(-0.5 * apart**2), 0.0)
    middle = near[_TEMPI.size // 2].sum()
    tempi = (1 - _SAME_TEMPO) * near / middle + _SAME_TEMPO * np.eye(_TEMPI.size)
    turn = np.exp(-1j * np.pi * _HARMONICS * _TEMPI[:, None] * SPAN_S)
    onward = turn * np.exp(-((np.pi * _HARMONICS * _PHASE_CHANGE) ** 2))
    tempo = np.exp(-0.5 * (np.log(_TEMPI * _USUAL_S) / _SPREAD) ** 2)
    usual = np.repeat((tempo / tempo.sum() / _PHASES / len(_DIVISIONS))[:, None], _PHASES, axis=1)
    return _Moves(tempi, onward, np.stack([usual] * len(_DIVISIONS)))


def _forward(likelihoods: Values) -> tuple[Values, Values, float]:
    """Return the odds of the states of each span by what came up to it, those of none, and the evidence in nats."""
    moves = _moves()
    heard, without = np.empty_like(likelihoods), np.empty(len(likelihoods))
    states, none, evidence = 0.5 * moves.usual, 0.5, 0.0
    for span, told in enumerate(likelihoods):
        if span:
            share = float(states.sum())
            states = moves.move(states)
            states *= (1 - _ENDS - _ANEW) * share / max(float(states.sum()), 1e-300)
            states += (_ANEW * share + _BEGINS * none) * moves.usual
            none = (1 - _BEGINS) * none + _ENDS * share
        most = max(float(told.max()), 0.0)
        states = states * np.exp(told - most)
        none *= float(np.exp(-most))
        whole = float(states.sum()) + none
        states, none = states / whole, none / whole
        evidence += float(np.log(whole)) + most
        heard[span], without[span] = states, none
    return heard, without, evidence


def _smoothed(likelihoods: Values, heard: Values, without: Values) -> Values:
    """Return the odds of the states of each span by all that was heard; what lacks to 1 is the odds of none."""
    moves = _moves()
    found = np.empty_like(heard)
    later, later_none = np.ones(heard.shape[1:]), 1.0
    for span in range(len(heard) - 1, -1, -1):
        states, none = heard[span] * later, float(without[span]) * later_none
        found[span] = states / (states.sum() + none)
        most = max(float(likelihoods[span].max()), 0.0)
        told = later * np.exp(likelihoods[span] - most)
        told_none = later_none * float(np.exp(-most))
        anew = float((moves.usual * told).sum())
        later = (1 - _ENDS - _ANEW) * moves.move(told, back=True) + _ANEW * anew + _ENDS * told_none
        later_none = (1 - _BEGINS) * told_none + _BEGINS * anew
        largest = max(float(later.max()), later_none)
        later, later_none = later / largest, later_none / largest
    return found


def _odds_of(states: Values, spans: NDArray[np.int64], off_s: Values, moved_s: Values) -> Values:
    """Return `grid_odds` of some notes, in order of their spans."""
    odds = np.empty((spans.size, moved_s.size))
    waves = np.fft.rfft(_profiles(_PLAYED_S), axis=2)
    for span in np.unique(spans).tolist():
        first, end = np.searchsorted(spans, [span, span + 1])
        held = np.conj(np.fft.rfft(states[span], axis=2))
        dense = np.maximum(np.fft.irfft((held * waves).sum(axis=0), n=_PHASES, axis=1), 0)  # (tempi, phases)
        likely = states[span].sum(axis=(0, 2))
        used = np.argsort(-likely, kind="stable")[:_MOST_TEMPI]
        place = ((off_s[first:end, None, None] + moved_s[:, None]) * _TEMPI[used]) % 1 * _PHASES  # (notes, moves, used)
        low = place.astype(np.int64)
        over = place - low
        told = dense[used, low % _PHASES] * (1 - over) + dense[used, (low + 1) % _PHASES] * over
        odds[first:end] = 1 - likely[used].sum() + told.sum(axis=2)
    return odds
