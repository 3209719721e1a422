"""Notes cleaned: of each the likeliest place in time and pitch, given all that was read; every note once."""

import numpy as np
from numpy.typing import NDArray

from piano.events import HIGHEST_PITCH, LOWEST_PITCH
from piano.notes import NoteArray
from piano.tasks.note_noise import NoteNoise
from piano.tasks.note_posterior import FARTHEST_SEMITONES, ONSET_EDGES, Values, note_posterior
from piano.tasks.onset_grid import grid_odds

SHORTEST_S = 0.05
_RELEASE_S = 0.01
"""The shortest note, and the shortest time between two of one key, in seconds."""

LEAST_GAIN = 0.005
"""A note is moved where that brings it nearer by so much on the average, in deviations of the noise; else it stays."""

_CLASSES: Values = (ONSET_EDGES[1:] + ONSET_EDGES[:-1]) / 2


def cleaned(notes: NoteArray, noise: NoteNoise) -> NoteArray:
    """Return notes as they were most probably played, in the same order, where they were read with a noise.

    Onset and pitch are the medians of their posteriors: the values with the least expected distance. That of an onset
    has two parts: what the notes around it tell, and the grid of the file, where one is found; a note stays where it
    was read unless it is to come nearer. A length, which no other note tells of, is drawn towards the usual one as far
    as the noise outweighs how lengths differ.
    """
    found = notes.copy()
    if not notes.size:
        return found
    if noise.onset_s or noise.pitch:
        told = note_posterior(notes, noise)
        if noise.onset_s:
            found["onset_s"] = np.maximum(notes["onset_s"] + _moves_s(notes["onset_s"], told.onsets, noise.onset_s), 0)
        if noise.pitch:
            found["pitch"] = _pitches(notes["pitch"], told.pitches)
    if noise.length_s:
        found["duration_s"] = _lengths(notes["duration_s"], noise.length_s)
    if noise.onset_s or noise.pitch or noise.length_s:
        _strike_apart(notes["onset_s"], found)
    return found


def _strike_apart(read_s: Values, found: NoteArray) -> None:
    """Let the notes of one key keep their order and go down one after the other, each released before the next."""
    for pitch in np.unique(found["pitch"]).tolist():
        mine = np.flatnonzero(found["pitch"] == pitch)
        mine = mine[np.argsort(read_s[mine], kind="stable")]
        apart = SHORTEST_S + _RELEASE_S
        begins = np.maximum.accumulate(found["onset_s"][mine] - apart * np.arange(mine.size)) + apart * np.arange(
            mine.size
        )
        overlaps = np.append(begins[1:], np.inf) - _RELEASE_S - begins
        found["onset_s"][mine] = begins
        found["duration_s"][mine] = np.minimum(found["duration_s"][mine], overlaps)


def _moves_s(read_s: Values, onsets: Values, noise_s: float) -> Values:
    """Return by how much each onset is to be moved, by its posterior and by the grid."""
    told = onsets * grid_odds(read_s, noise_s, noise_s * _CLASSES)
    told /= told.sum(axis=1, keepdims=True)
    moved = _medians(told)
    gain = (told * (np.abs(_CLASSES) - np.abs(_CLASSES - moved[:, None]))).sum(axis=1)
    return np.asarray(np.where(gain > LEAST_GAIN, noise_s * moved, 0.0), np.float64)


def _medians(onsets: Values) -> Values:
    """Return the median of each distribution over classes, (notes,), in deviations; exact at the edges."""
    reached = np.concatenate([np.zeros((onsets.shape[0], 1)), np.cumsum(onsets, axis=1)], axis=1)
    above = np.clip(np.argmax(reached >= 0.5, axis=1), 1, ONSET_EDGES.size - 1)
    rows = np.arange(onsets.shape[0])
    low, high = reached[rows, above - 1], reached[rows, above]
    within = (0.5 - low) / np.maximum(high - low, 1e-12)
    return np.asarray(ONSET_EDGES[above - 1] + within * (ONSET_EDGES[above] - ONSET_EDGES[above - 1]), np.float64)


def _pitches(read: NDArray[np.uint8], told: Values) -> NDArray[np.uint8]:
    """Return the median pitch of each, on the keyboard."""
    moved = np.argmax(np.cumsum(told, axis=1) >= 0.5, axis=1) - FARTHEST_SEMITONES
    return np.asarray(np.clip(read.astype(np.int64) + moved, LOWEST_PITCH, HIGHEST_PITCH), np.uint8)


def _lengths(read_s: Values, noise_s: float) -> Values:
    """Return lengths on the line between the usual one and what was read, by the variances of both."""
    usual_s, spread = float(np.median(read_s)), float(np.var(read_s))
    share = max(spread - noise_s**2, 0.1 * spread) / max(spread, 1e-12)
    return np.maximum(usual_s + share * (read_s - usual_s), SHORTEST_S)
