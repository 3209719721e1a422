"""Where notes were that were read with noise: the posterior of each, from all that was read around it.

    p(played | read)  ∝  p(read | played) · p(played)

The language model hears a performance from left to right, and with its own doubtful notes as what it has heard it leads
astray (docs/tasks.md tells by how much). Which of two notes that were read in disorder came first, and which belong
together, is told by what stands before *and* behind them. So the posterior is amortised: a small network is shown
performances of the training split with noise that is drawn, and learns how far each note was moved. What it says is
p(played | read) for that noise: prior and likelihood are in it already.

What it is shown of a note is a picture of its surroundings: which keys, by their distance in semitones, go down around
its onset, come up around its onset, and go down around its release, in units of the noise.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from piano.notes import NoteArray
from piano.tasks.note_noise import NoteNoise

Values = NDArray[np.float64]
Floats = NDArray[np.float32]

REACH_SEMITONES = 24
TIME_BINS = 16
REACH = 4.0
"""How far a picture reaches in time, in units."""

PITCH_UNIT_S = 0.15
"""The unit of time where onsets were read as they were."""

ONSET_EDGES: Values = np.linspace(-2.75, 2.75, 34)
"""The edges of the classes of how far a note was moved, in deviations of the noise: 33 classes."""

FARTHEST_SEMITONES = 15
PITCH_CLASSES = 2 * FARTHEST_SEMITONES + 1

_PICTURES = 3
_KEYS = 2 * REACH_SEMITONES + 1
_PICTURE = _KEYS * TIME_BINS
FEATURES = _PICTURES * _PICTURE + 10
WEIGHTS = Path(__file__).with_name("note_posterior.npz")


@dataclass(frozen=True, slots=True)
class Posterior:
    """How far each note was moved when it was read: (notes, 33) over the classes of time, (notes, 31) over semitones
    from -15 to 15. Played minus read.
    """

    onsets: Values
    pitches: Values


@dataclass(frozen=True, slots=True)
class _Events:
    """What happens at some moments: which note it belongs to, and when, both by time."""

    order: NDArray[np.intp]
    times_s: Values


def _events(times_s: Values) -> _Events:
    order = np.argsort(times_s, kind="stable")
    return _Events(order, times_s[order])


def _strikes_and_releases(notes: NoteArray) -> tuple[_Events, _Events]:
    return _events(notes["onset_s"]), _events(notes["onset_s"] + notes["duration_s"])


def features(
    notes: NoteArray, noise: NoteNoise, rows: slice = slice(None), around: tuple[_Events, _Events] | None = None
) -> Floats:
    """Return what is shown of each note, or of some `rows` of them, (rows, FEATURES); `around` where it was found."""
    unit_s = noise.onset_s or PITCH_UNIT_S
    strikes, releases = around or _strikes_and_releases(notes)
    mine = np.arange(notes.size)[rows]
    shown, pitch = notes[mine], notes["pitch"].astype(np.int64)
    onset_s, end_s = shown["onset_s"], shown["onset_s"] + shown["duration_s"]
    pictures = [
        _picture(mine, at_s, events, pitch, unit_s)
        for at_s, events in ((onset_s, strikes), (onset_s, releases), (end_s, strikes))
    ]
    ones = np.ones(mine.size)
    scalars = np.stack(
        [
            ones * np.log(unit_s),
            ones * (noise.onset_s > 0),
            ones * (noise.length_s > 0),
            ones * noise.pitch / 5,
            ones * (noise.pitch > 0),
            pitch[mine] / 40 - 1.5,
            np.log(shown["duration_s"] / unit_s + 0.01),
            *(np.log1p(picture.sum(axis=1)) for picture in pictures),
        ],
        axis=1,
    )
    return np.concatenate([*pictures, scalars.astype(np.float32)], axis=1)


_MOST_AROUND = 1024
"""So many events before a moment and after it are looked at: more than any hands play there, so that what a file takes
grows with its notes and no faster."""


def _picture(mine: NDArray[np.intp], at_s: Values, events: _Events, pitch: NDArray[np.int64], unit_s: float) -> Floats:
    """Return how many events of other notes lie around a moment of each of mine, by key and time, (mine, keys x times).

    `pitch` is that of all notes.
    """
    middle = np.searchsorted(events.times_s, at_s)
    first = np.maximum(np.searchsorted(events.times_s, at_s - REACH * unit_s), middle - _MOST_AROUND)
    sizes = np.minimum(np.searchsorted(events.times_s, at_s + REACH * unit_s), middle + _MOST_AROUND) - first
    seen_by = np.repeat(np.arange(mine.size), sizes)
    place = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes) + np.repeat(first, sizes)
    other = events.order[place]
    apart = pitch[other] - pitch[mine[seen_by]]
    near = (other != mine[seen_by]) & (np.abs(apart) <= REACH_SEMITONES)
    seen_by, place, apart = seen_by[near], place[near], apart[near]
    where = ((events.times_s[place] - at_s[seen_by]) / unit_s + REACH) / (2 * REACH) * TIME_BINS - 0.5
    low = np.floor(where)
    row = seen_by * _PICTURE + (apart + REACH_SEMITONES) * TIME_BINS
    flat = np.zeros(mine.size * _PICTURE)
    for shift, weight in ((0, 1 - (where - low)), (1, where - low)):
        column = np.clip(low.astype(np.int64) + shift, 0, TIME_BINS - 1)
        flat += np.bincount(row + column, weights=weight, minlength=flat.size)
    return flat.reshape(mine.size, _PICTURE).astype(np.float32)


def note_posterior(notes: NoteArray, noise: NoteNoise) -> Posterior:
    """Return how far each of the notes, in any order, was moved in time and pitch by a noise."""
    layers, around = _layers(), _strikes_and_releases(notes)
    parts = [_answer(layers, features(notes, noise, part, around)) for part in _parts(notes.size)]
    both = np.concatenate(parts) if parts else np.zeros((0, ONSET_EDGES.size - 1 + PITCH_CLASSES))
    return Posterior(_softmax(both[:, : ONSET_EDGES.size - 1]), _softmax(both[:, ONSET_EDGES.size - 1 :]))


_NOTES_AT_ONCE = 512
"""So many notes go through the network at a time, with all around them: memory is bounded, not the result."""


def _parts(count: int) -> list[slice]:
    return [slice(first, min(first + _NOTES_AT_ONCE, count)) for first in range(0, count, _NOTES_AT_ONCE)]


def _answer(layers: tuple[Floats, ...], shown: Floats) -> Values:
    """Return the network's logits for some notes, (notes, classes)."""
    values: NDArray[Any] = shown
    for place in range(0, len(layers), 2):
        values = values @ layers[place] + layers[place + 1]
        if place + 2 < len(layers):
            values = _gelu(values)
    return values.astype(np.float64)


def _gelu(values: Floats) -> Floats:
    """Return x · Φ(x), with Φ to seven digits (Abramowitz and Stegun, 7.1.26)."""
    off = np.abs(values) / np.float32(np.sqrt(2))
    turn = 1 / (1 + 0.3275911 * off)
    series = turn * (
        0.254829592 + turn * (-0.284496736 + turn * (1.421413741 + turn * (-1.453152027 + turn * 1.061405429)))
    )
    below = 0.5 * series * np.exp(-off * off)
    return np.asarray(values * np.where(values >= 0, 1 - below, below), np.float32)


def _softmax(logits: Values) -> Values:
    weights = np.exp(logits - logits.max(axis=1, initial=-np.inf, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float64)


@cache
def _layers() -> tuple[Floats, ...]:
    """Return the weights (in, out) and biases of the network, layer after layer."""
    with np.load(WEIGHTS) as stored:
        return tuple(stored[f"layer_{number}"].astype(np.float32) for number in range(len(stored.files)))
