"""The nearest neighbour: for what is known in a window, the most similar window of the training split answers.

Windows are `WINDOW_S` long. They are alike if they have much the same pitch classes, the same place and spread on the
keyboard, and keys pressed at the same places; a training window may be transposed by up to a tritone first. Its own
part, transposed alike, is the answer: for velocities, those of its nearest notes in time and pitch. Where a preview
has a clock of its own, windows are so many notes, and the neighbour lends its rhythm, touch and velocities to the
pitches that are known.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from piano.events import HIGHEST_PITCH, LOWEST_PITCH, Role
from piano.notes import NoteArray, sort_notes
from piano.tasks.exercise import Asked, Exercise, PreviewClock

WINDOW_S = 4.0
WINDOW_NOTES = 24
TRAINING_HOP_S = 2.0

SHIFTS = np.arange(-6, 6)
"""The transpositions that are tried, in semitones."""

_DENSITY_BINS = 8
_MEAN_PITCH = 60.0
_DENSITY_WEIGHT, _PLACE_WEIGHT, _SPREAD_WEIGHT = 0.1, 0.5, 0.25
_TIME_UNIT_S, _PITCH_UNIT = 0.1, 3.0

Features = NDArray[np.float64]  # (..., 12 pitch classes, density bins, place, spread)


class _Window(NamedTuple):
    """What is known in a window, and its own part; times count from the window's beginning."""

    known: NoteArray
    own: NoteArray


class NearestNeighbour:
    """Windows of training exercises of one task, and the answers that they give to others."""

    def __init__(self, exercises: Sequence[Exercise]) -> None:
        self._windows = [window for exercise in exercises for window in _cut(exercise, TRAINING_HOP_S)]
        self._features = np.stack([_features(window.known) for window in self._windows])

    def notes(self, exercise: Exercise) -> NoteArray:
        """Return the own notes that the neighbours have, window after window."""
        if exercise.preview is not None and exercise.preview.clock is PreviewClock.ORDER:
            return self._in_order(exercise.preview.notes)
        known = known_notes(exercise)
        parts = [known[:0]]
        for start_s, window in _windows_in_time(known, WINDOW_S):
            neighbour, shift = self._nearest(window)
            part = _transposed(self._windows[neighbour].own, shift)
            part["onset_s"] += start_s
            parts.append(part)
        answered = np.concatenate(parts)
        if exercise.gaps:
            edges_s = [edge for gap in exercise.gaps for edge in (gap.start_s, gap.end_s)]
            answered = answered[np.searchsorted(edges_s, answered["onset_s"], side="right") % 2 == 1]
        return sort_notes(answered)

    def velocities(self, exercise: Exercise) -> NDArray[np.uint8]:
        """Return for each note the velocity of the nearest note in the neighbour of its window."""
        notes = exercise.performance.notes
        found = np.zeros(notes.size, np.uint8)
        first = 0
        for _, window in _windows_in_time(notes, WINDOW_S):
            if not window.size:
                continue
            neighbour, shift = self._nearest(window)
            own = self._windows[neighbour].own
            apart = np.abs(window["onset_s"][:, None] - own["onset_s"]) / _TIME_UNIT_S
            apart += np.abs(window["pitch"][:, None] - own["pitch"].astype(np.float64) - shift) / _PITCH_UNIT
            found[first : first + window.size] = own["velocity"][np.argmin(apart, axis=1)]
            first += window.size
        return found

    def _in_order(self, known: NoteArray) -> NoteArray:
        answered = known.copy()
        end_s = 0.0
        for first in range(0, known.size, WINDOW_NOTES):
            part = answered[first : first + WINDOW_NOTES]
            own = self._windows[self._nearest(_from_zero(part))[0]].own
            lent = np.minimum(np.arange(part.size), own.size - 1)
            part["onset_s"] = end_s + own["onset_s"][lent]
            part["duration_s"], part["velocity"] = own["duration_s"][lent], own["velocity"][lent]
            end_s = float(part["onset_s"].max()) + float(np.diff(own["onset_s"]).mean() if own.size > 1 else 0.2)
        return sort_notes(answered)

    def _nearest(self, known: NoteArray) -> tuple[int, int]:
        """Return the number of the most similar window, and by how many semitones it is to be transposed."""
        wanted, theirs = _features(known), self._features
        classes = np.stack([np.roll(wanted[:12], -shift) for shift in SHIFTS])  # transposing them up is ours down
        apart = np.abs(theirs[:, None, :12] - classes).sum(axis=2)  # (windows, shifts)
        apart += _DENSITY_WEIGHT * np.abs(theirs[:, 12:-2] - wanted[12:-2]).sum(axis=1)[:, None]
        apart += _PLACE_WEIGHT * np.abs(theirs[:, -2, None] + SHIFTS / 12 - wanted[-2])
        apart += _SPREAD_WEIGHT * np.abs(theirs[:, -1] - wanted[-1])[:, None]
        neighbour, shift = np.unravel_index(int(np.argmin(apart)), apart.shape)
        return int(neighbour), int(SHIFTS[shift])


def known_notes(exercise: Exercise) -> NoteArray:
    """Return what is known of an exercise: what its preview shows, and without one the given notes."""
    if exercise.preview is not None:
        return exercise.preview.notes
    given: NoteArray = exercise.performance.notes[exercise.roles == Role.GIVEN]
    return given


def _cut(exercise: Exercise, hop_s: float) -> Iterator[_Window]:
    """Yield the windows of an exercise whose answer is known."""
    own = exercise.performance.notes[exercise.roles == Role.OWN]
    if exercise.preview is not None and exercise.preview.clock is PreviewClock.ORDER:
        for first in range(0, own.size, WINDOW_NOTES):
            part = _from_zero(own[first : first + WINDOW_NOTES])
            yield _Window(_from_zero(exercise.preview.notes[first : first + WINDOW_NOTES]), part)
        return
    known = exercise.performance.notes if exercise.asked is Asked.VELOCITIES else known_notes(exercise)
    for start_s, window in _windows_in_time(known, hop_s):
        first, end = np.searchsorted(own["onset_s"], [start_s, start_s + WINDOW_S])
        part = own[first:end].copy()
        part["onset_s"] -= start_s
        if part.size or exercise.asked is not Asked.VELOCITIES:
            yield _Window(window, part)


def _windows_in_time(notes: NoteArray, hop_s: float) -> Iterator[tuple[float, NoteArray]]:
    """Yield where each window begins, from 0 on, and its notes, whose time begins with it."""
    last_s = float(notes["onset_s"].max(initial=0.0))
    for start_s in np.arange(0.0, last_s + 1e-9, hop_s):
        first, end = np.searchsorted(notes["onset_s"], [start_s, start_s + WINDOW_S])
        window = notes[first:end].copy()
        window["onset_s"] -= start_s
        yield float(start_s), window


def _from_zero(notes: NoteArray) -> NoteArray:
    """Return the notes with time counted from the first of them."""
    moved = notes.copy()
    moved["onset_s"] -= moved["onset_s"][:1].sum()
    return moved


def _features(known: NoteArray) -> Features:
    features = np.zeros(12 + _DENSITY_BINS + 2)
    if known.size:
        pitch = known["pitch"].astype(np.float64)
        features[:12] = np.bincount(known["pitch"] % 12, minlength=12) / known.size
        features[12:-2] = np.histogram(known["onset_s"], _DENSITY_BINS, (0.0, WINDOW_S))[0]
        features[-2:] = (pitch.mean() - _MEAN_PITCH) / 12, pitch.std() / 12
    return features


def _transposed(notes: NoteArray, shift: int) -> NoteArray:
    pitch = notes["pitch"].astype(np.int64) + shift
    kept = (pitch >= LOWEST_PITCH) & (pitch <= HIGHEST_PITCH)
    moved = notes[kept].copy()
    moved["pitch"] = pitch[kept]
    return moved
