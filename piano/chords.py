"""Chords found from notes: templates of chord tones, held together over time by a hidden Markov model.

Each frame (a beat, or a fixed time) is a chroma: how long each pitch class sounds in it, and which is lowest. A chord
fits a frame as its tones are there and others are not; going from one chord to another costs a constant, so that a
passing note is no change of harmony. Viterbi finds the sequence that fits best. The few weights were set on the
training split of POP909's own annotations; docs/choices.md tells how often they agree on its validation split.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.cues import CUE, FIRST_CHORD, NO_CHORD, QUALITIES, CueArray
from piano.notes import NoteArray

Floats = NDArray[np.float64]

FRAME_S = 0.5
"""The length of a frame where no beats are known, in seconds."""

_LONGEST_FRAMES_A_NOTE = 16


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
    pitch = notes["pitch"].astype(np.int64)
    chroma = np.zeros((frames, 12))
    lowest = np.full(frames, 128, np.int64)
    first = np.clip(np.searchsorted(edges, onset_s + 0.03, side="right") - 1, 0, frames - 1)
    last = np.clip(np.searchsorted(edges, end_s - 1e-6, side="right") - 1, first, frames - 1)
    for reach in range(_LONGEST_FRAMES_A_NOTE):
        now = first + reach <= last
        if not now.any():
            break
        frame = first[now] + reach
        sounding_s = np.minimum(end_s[now], edges[frame + 1]) - np.maximum(onset_s[now], edges[frame])
        # what was struck counts more than what is held, and a short chord tone as much as half a frame of it
        weight = np.clip(sounding_s / (edges[frame + 1] - edges[frame]), 0.0, 1.0) * 0.7 + (0.3 if reach == 0 else 0.0)
        np.add.at(chroma, (frame, pitch[now] % 12), weight)
        np.minimum.at(lowest, frame, pitch[now])
    total = chroma.sum(axis=1, keepdims=True)
    return np.divide(chroma, total, out=chroma, where=total > 0), np.where(lowest < 128, lowest % 12, -1)


def _fit(chroma: Floats, bass: NDArray[np.int64], weights: LabellerWeights) -> Floats:
    """Return how well each chord fits each frame, (frames, codes - NO_CHORD)."""
    frames = chroma.shape[0]
    fit = np.full((frames, FIRST_CHORD - NO_CHORD + 12 * len(QUALITIES)), weights.none)
    for index, (name, tones) in enumerate(QUALITIES.items()):
        burden = weights.fourth_tone * ((len(tones) == 4) + (name not in ("maj", "min")))
        for root in range(12):
            inside = chroma[:, [(root + tone) % 12 for tone in tones]]
            share = inside.sum(axis=1)
            absent = np.clip(0.08 - inside, 0.0, None).sum(axis=1) / 0.08
            fit[:, 1 + 12 * index + root] = (
                share - weights.foreign * (1 - share) - weights.absent * absent
                + weights.bass * (bass == root) - burden
            )  # fmt: skip
    fit[bass < 0, 1:] = -1.0
    fit[bass < 0, 0] = 0.0
    return fit


def _viterbi(fit: Floats, change: float) -> NDArray[np.uint8]:
    """Return the codes, (frames,), whose fits less the cost of their changes have the greatest sum."""
    frames = fit.shape[0]
    score = fit[0].copy()
    came_from = np.zeros(fit.shape, np.int16)
    own = np.arange(fit.shape[1], dtype=np.int16)
    for frame in range(1, frames):
        best = int(score.argmax())
        switched = score[best] - change
        stays = score >= switched
        came_from[frame] = np.where(stays, own, best)
        score = np.where(stays, score, switched) + fit[frame]
    path = np.zeros(frames, np.uint8)
    state = int(score.argmax())
    for frame in range(frames - 1, -1, -1):
        path[frame] = state + NO_CHORD
        state = int(came_from[frame, state])
    return path
