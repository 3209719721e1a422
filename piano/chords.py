"""Chords found from notes: templates of chord tones, held together over time by a hidden Markov model.

Each frame (a beat, or a fixed time) is a chroma: how long each pitch class sounds in it, and which is lowest. A chord
fits a frame as its tones are there and others are not; going from one chord to another costs a constant, so that a
passing note is no change of harmony. Viterbi finds the sequence that fits best. The few weights were set on the
training split of POP909's own annotations; docs/choices.md tells how often they agree on its validation split.
"""

from collections.abc import Collection
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
    return int(_fit(chroma, np.array([min(pitches) % 12]), _HELD)[0].argmax()) + NO_CHORD


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
    lowest = np.full(frames, 128, np.int64)
    first = np.clip(np.searchsorted(edges, onset_s + 0.03, side="right") - 1, 0, frames - 1)
    last = np.clip(np.searchsorted(edges, end_s - 1e-6, side="right") - 1, first, frames - 1)
    places, weights = [], []
    for reach in range(_LONGEST_FRAMES_A_NOTE):
        now = np.flatnonzero(first + reach <= last)
        if not now.size:
            break
        frame = first[now] + reach
        begins, ends = edges[frame], edges[frame + 1]
        sounding_s = np.minimum(end_s[now], ends) - np.maximum(onset_s[now], begins)
        # what was struck counts more than what is held, and a short chord tone as much as half a frame of it
        weights.append(np.clip(sounding_s / (ends - begins), 0.0, 1.0) * 0.7 + (0.3 if reach == 0 else 0.0))
        places.append(frame * 12 + pitch[now] % 12)
        np.minimum.at(lowest, frame, pitch[now])
    chroma = np.bincount(np.concatenate(places), np.concatenate(weights), frames * 12).reshape(frames, 12)
    total = chroma.sum(axis=1, keepdims=True)
    return np.divide(chroma, total, out=chroma, where=total > 0), np.where(lowest < 128, lowest % 12, -1)


def _fit(chroma: Floats, bass: NDArray[np.int64], weights: LabellerWeights) -> Floats:
    """Return how well each chord fits each frame, (frames, codes - NO_CHORD)."""
    frames = chroma.shape[0]
    fit = np.full((FIRST_CHORD - NO_CHORD + 12 * len(QUALITIES), frames), weights.none)
    twice = np.concatenate((chroma.T, chroma.T))  # of pitch class `tone` on, twelve roots on end
    lacking = np.clip(0.08 - twice, 0.0, None)
    root_in_bass = weights.bass * (bass == np.arange(12)[:, None])
    shares, absences = _sums(twice), _sums(lacking)
    for index, (name, tones) in enumerate(QUALITIES.items()):
        burden = weights.fourth_tone * ((len(tones) == 4) + (name not in ("maj", "min")))
        share, absent = shares[tones], absences[tones] / 0.08
        here = fit[1 + 12 * index : 13 + 12 * index]
        np.subtract(1, share, out=here)
        here *= weights.foreign
        np.subtract(share, here, out=here)
        absent *= weights.absent
        here -= absent
        here += root_in_bass
        here -= burden
    fit[1:, bass < 0] = -1.0
    fit[0, bass < 0] = 0.0
    return np.ascontiguousarray(fit.T)


def _sums(twice: Floats) -> dict[tuple[int, ...], Floats]:
    """Return the sums over the tones of each quality above each root, (12, frames); what begins alike is added once."""
    sums: dict[tuple[int, ...], Floats] = {}
    for tones in QUALITIES.values():
        sums.setdefault(tones[:1], twice[tones[0] : tones[0] + 12])
        for count in range(2, len(tones) + 1):
            if tones[:count] not in sums:
                sums[tones[:count]] = sums[tones[: count - 1]] + twice[tones[count - 1] : tones[count - 1] + 12]
    return sums


def _viterbi(fit: Floats, change: float) -> NDArray[np.uint8]:
    """Return the codes, (frames,), whose fits less the cost of their changes have the greatest sum."""
    frames, codes = fit.shape
    score = fit[0].copy()
    came_from_itself = np.ones(fit.shape, np.bool_)
    best_before = [0] * frames
    argmax = score.argmax
    for frame, (fits, stays) in enumerate(zip(fit[1:], came_from_itself[1:], strict=True), 1):
        best_before[frame] = best = argmax()
        switched = score[best] - change
        np.greater_equal(score, switched, out=stays)
        np.maximum(score, switched, out=score)
        np.add(score, fits, out=score)
    path = np.zeros(frames, np.uint8)
    state, stays_at = int(score.argmax()), came_from_itself.tobytes()
    for frame in range(frames - 1, -1, -1):
        path[frame] = state + NO_CHORD
        if not stays_at[frame * codes + state]:
            state = int(best_before[frame])
    return path
