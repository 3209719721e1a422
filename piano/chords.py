"""Chords found from notes: templates of chord tones, held together over time by a hidden Markov model.

Each frame (a beat, or a fixed time) is a chroma: how long each pitch class sounds in it, and which is lowest. A chord
fits a frame as its tones are there and others are not; going from one chord to another costs a constant, so that a
passing note is no change of harmony. Viterbi finds the sequence that fits best. The few weights were set on the
training split of POP909's own annotations; docs/training.md tells how often they agree on its validation split.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.cue_arrays import CUE, CueArray
from piano.cues import FIRST_CHORD, NO_CHORD, QUALITIES
from piano.notes import NoteArray

Floats = NDArray[np.float64]

FRAME_S = 0.5
"""The length of a frame where no beats are known, in seconds."""

_LONGEST_FRAMES_A_NOTE = 16

_PRESENT_FROM = 0.08
"""From this share of a frame on a tone is wholly there."""

_UNITS = 1 << 12
"""How many units of a fit are one. Whole units add up exactly: chords that fit equally well do so on every machine."""

_STRETCH, _AHEAD = 16, 8
"""How many frames are worked on one after the other, beside as many from other places of the piece, and from how many
frames before them on."""


@dataclass(frozen=True, slots=True)
class LabellerWeights:
    """What counts for how much; all in the units of one frame that is full of one chord tone."""

    foreign: float = 0.8
    """What a tone outside the chord takes away."""
    absent: float = 0.1
    """What each tone of the chord that is not there takes away."""
    bass: float = 0.25
    """What the root in the bass adds."""
    fourth_tone: float = 0.2
    """What a chord of four tones has to be better by than a triad, and any triad than a plain one."""
    none: float = -0.35
    """How well "no chord" fits any frame."""
    change: float = 0.5
    """What a change of chord costs."""


_HELD = LabellerWeights(fourth_tone=0.05)
"""For keys that are held together: no tone of them is a passing one."""

FEWEST_TONES = 3
"""So many tones of different names make a chord; two are a part of many."""


def label_chords(notes: NoteArray, beats_s: Floats | None = None, weights: LabellerWeights | None = None) -> CueArray:
    """Return the chords of a performance as cues, each at the moment from which it sounds; equal neighbours are one.

    `notes` has dtype NOTE; `beats_s`, in seconds and ascending, makes a frame of each beat where they are known.
    """
    if not notes.size:
        return np.zeros(0, CUE)
    edges = _edges(notes, beats_s)
    chroma, bass = frames_of(notes, edges)
    codes = _viterbi(_fit(chroma, bass, weights or LabellerWeights()), (weights or LabellerWeights()).change)
    begins = np.concatenate(([True], codes[1:] != codes[:-1]))
    chords = np.zeros(int(begins.sum()), CUE)
    chords["time_s"], chords["code"] = edges[:-1][begins], codes[begins]
    return chords


def chord_of(pitches: Collection[int]) -> int:
    """Return the code of the chord that keys make together; "no chord" if they are of fewer than three names.

    The lowest of them is the root where that fits.
    """
    classes = sorted({pitch % 12 for pitch in pitches})
    if len(classes) < FEWEST_TONES:
        return NO_CHORD
    chroma = np.zeros((1, 12))
    chroma[0, classes] = 1 / len(classes)
    return int(_fit(chroma, np.array([min(pitches) % 12]), _HELD)[:, 0].argmax()) + NO_CHORD


def _edges(notes: NoteArray, beats_s: Floats | None) -> Floats:
    """Return where frames begin and, last, where the last one ends: (frames + 1,), in seconds."""
    end_s = float((notes["onset_s"] + notes["duration_s"]).max())
    if beats_s is None or beats_s.size < 2:
        return np.arange(int(np.ceil(end_s / FRAME_S)) + 1, dtype=np.float64) * FRAME_S
    before = np.arange(int(np.ceil(max(beats_s[0], 0.0) / FRAME_S))) * FRAME_S
    after = np.arange(beats_s[-1] + FRAME_S, max(end_s, beats_s[-1]) + FRAME_S, FRAME_S)
    edges = np.unique(np.concatenate([before[before < beats_s[0] - 0.05], beats_s, after]))
    long = np.diff(edges) > 2 * FRAME_S + 1e-9  # a slow beat, or a stretch of which no beats are known
    parts = [
        np.arange(start, end, (end - start) / np.ceil((end - start) / FRAME_S))[: int(np.ceil((end - start) / FRAME_S))]
        for start, end in zip(edges[:-1][long], edges[1:][long], strict=True)
    ]
    return np.unique(np.concatenate([edges, *parts]))


def frames_of(notes: NoteArray, edges: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the chroma of each frame, (frames, 12), summing to 1 or 0, and its lowest pitch class, -1 for none."""
    frames = edges.size - 1
    onset_s, end_s = notes["onset_s"], notes["onset_s"] + notes["duration_s"]
    first = np.clip(np.searchsorted(edges, onset_s + 0.03, side="right") - 1, 0, frames - 1)
    last = np.clip(np.searchsorted(edges, end_s - 1e-6, side="right") - 1, first, first + _LONGEST_FRAMES_A_NOTE - 1)
    last = np.minimum(last, frames - 1)
    # each note once for each frame that it sounds in
    counts = last - first + 1
    starts = np.repeat(first, counts)
    frame = np.arange(starts.size) - np.repeat(np.cumsum(counts) - counts - first, counts)
    pitch = np.repeat(notes["pitch"].astype(np.int64), counts)
    begins, ends = edges[frame], edges[frame + 1]
    sounding_s = np.minimum(np.repeat(end_s, counts), ends) - np.maximum(np.repeat(onset_s, counts), begins)
    # what was struck counts more than what is held, and a short chord tone as much as half a frame of it
    weight = np.clip(sounding_s / (ends - begins), 0.0, 1.0) * 0.7 + 0.3 * (frame == starts)
    chroma = np.bincount(frame * 12 + pitch % 12, weight, frames * 12).reshape(frames, 12)
    lowest = np.full(frames, 128, np.int64)
    np.minimum.at(lowest, frame, pitch)
    total = chroma.sum(axis=1, keepdims=True)
    return np.divide(chroma, total, out=chroma, where=total > 0), np.where(lowest < 128, lowest % 12, -1)


def _fit(chroma: Floats, bass: NDArray[np.int64], weights: LabellerWeights) -> NDArray[np.int16]:
    """Return how well each chord fits each frame, (codes - NO_CHORD, frames), in whole units of 1 / `_UNITS`."""
    share = chroma.T
    worth = (1 + weights.foreign) * share - (weights.absent / _PRESENT_FROM) * np.maximum(_PRESENT_FROM - share, 0.0)
    whole = np.rint(worth * _UNITS).astype(np.int16)
    twice = np.concatenate((whole, whole))  # of pitch class `tone` on, twelve roots on end
    root_in_bass = np.zeros_like(whole)
    root_in_bass[bass, np.arange(bass.size)] = round(weights.bass * _UNITS)
    fit = np.empty((FIRST_CHORD - NO_CHORD + 12 * len(QUALITIES), bass.size), np.int16)
    fit[0] = round(weights.none * _UNITS)
    for index, (name, tones) in enumerate(QUALITIES.items()):
        burden = weights.fourth_tone * ((len(tones) == 4) + (name not in ("maj", "min")))
        here = fit[1 + 12 * index : 13 + 12 * index]
        np.subtract(root_in_bass, round((weights.foreign + burden) * _UNITS), out=here)
        for tone in tones:
            here += twice[tone : tone + 12]
    silent = np.flatnonzero(bass < 0)
    fit[1:, silent] = -_UNITS
    fit[0, silent] = 0
    return fit


def _viterbi(fit: NDArray[np.int16], change: float) -> NDArray[np.uint8]:
    """Return the codes, (frames,), whose fits less the cost of their changes have the greatest sum."""
    cost = round(change * _UNITS)
    codes, frames = fit.shape
    scores = _scores(fit, cost)
    best = scores.argmax(axis=1)
    stays = (scores >= scores[np.arange(frames), best][:, None] - cost).tobytes()
    path = np.zeros(frames, np.uint8)
    state, best_before = int(best[-1]), best.tolist()
    for frame in range(frames - 1, -1, -1):
        path[frame] = state + NO_CHORD
        if frame and not stays[(frame - 1) * codes + state]:
            state = best_before[frame - 1]
    return path


def _scores(fit: NDArray[np.int16], cost: int) -> NDArray[np.int32]:
    """Return the greatest sum that ends with each code in each frame, (frames, codes), up to a constant a frame.

    Stretches of the piece are worked on side by side, each from some frames before it on: what it began with is soon
    forgotten. One that does not begin as the stretch before it ends is gone through again from there, to the frame
    from which on it is the same.
    """
    codes, frames = fit.shape
    stretches = -(-frames // _STRETCH)
    padded = np.zeros((_AHEAD + stretches * _STRETCH, codes), np.int32)
    padded[_AHEAD : _AHEAD + frames] = fit.T
    scores = np.empty((stretches * _STRETCH, codes), np.int32)
    score = entered = np.zeros((stretches, codes), np.int32)
    for place in range(-_AHEAD, _STRETCH):
        if place == 0:
            entered = score
        score = np.maximum(score, _after_change(score, cost), out=scores[place::_STRETCH] if place >= 0 else None)
        score += padded[place + _AHEAD :: _STRETCH][:stretches]
    ends = scores[_STRETCH - 1 :: _STRETCH]
    for stretch in 1 + np.flatnonzero((_below_best(entered[1:]) != _below_best(ends[:-1])).any(axis=1)):
        _go_on(scores, padded[_AHEAD:], int(stretch) * _STRETCH, cost)
    return scores[:frames]


def _go_on(scores: NDArray[np.int32], fit: NDArray[np.int32], frame: int, cost: int) -> None:
    """Put scores right from a frame on by those before it, to the frame where nothing is to be put right."""
    while frame < len(scores):
        before = scores[frame - 1]
        score = _below_best(np.maximum(before, _after_change(before, cost)) + fit[frame])
        if np.array_equal(score, _below_best(scores[frame])):
            return
        scores[frame] = score
        frame += 1


def _after_change(scores: NDArray[np.int32], cost: int) -> NDArray[np.int32]:
    """Return what any code has that the best one is changed for, (…, 1)."""
    return np.asarray(scores.max(axis=-1, keepdims=True) - cost, np.int32)


def _below_best(scores: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.asarray(scores - scores.max(axis=-1, keepdims=True), np.int32)
