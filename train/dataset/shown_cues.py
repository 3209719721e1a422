"""Which cues a training window shows: each kind in part of the windows only, so that its absence means nothing.

Beats waver in part of them, since a clock that comes in does not know when the pianist will strike. A chord is told at
the beat before it sounds, or where no beats are known a while before. The ending is told some seconds ahead.
"""

import numpy as np

from piano.cue_arrays import CUE, CueArray, is_chord
from piano.cues import DOWNBEAT, ENDING

BEATS_SHOWN, CHORDS_SHOWN, ENDING_SHOWN = 0.5, 0.35, 0.5
"""The shares of the windows that show beats, chords and the ending, of those in which they are known."""

WAVER_S = (0.005, 0.025)
"""The smallest and the largest standard deviation of beats that waver, in seconds; half of the windows have none."""

CHORD_LEAD_S = (0.3, 1.0)
"""How long before it sounds a chord is told where no beat is known, in seconds: one draw a window."""

ENDING_LEAD_S = (2.0, 12.0)
"""How long before the last key comes up the ending is told, in seconds."""

_SAME_MOMENT_S = 0.1
_LONGEST_BEAT_S = 2.5


def shown_cues(
    cues: CueArray, origin_s: float, horizon_s: float, end_s: float | None, rng: np.random.Generator
) -> CueArray:
    """Return the cues that a window from `origin_s` to `horizon_s` shows, in order of time and code.

    `cues` are those of the whole piece; `end_s` is when the piece ends, where it does so within the window.
    """
    beats = cues[cues["code"] <= DOWNBEAT]
    parts = []
    waver_s = float(rng.uniform(*WAVER_S)) if rng.random() < 0.5 else 0.0
    if rng.random() < BEATS_SHOWN and beats.size:
        inside = beats[(beats["time_s"] >= origin_s) & (beats["time_s"] < horizon_s)].copy()
        inside["time_s"] = np.maximum(inside["time_s"] + waver_s * rng.standard_normal(inside.size), origin_s)
        parts.append(inside)
    lead_s = float(rng.uniform(*CHORD_LEAD_S))
    if rng.random() < CHORDS_SHOWN:
        parts.append(told_ahead(cues[is_chord(cues["code"])], beats, origin_s, horizon_s, lead_s))
    ending_s = float(rng.uniform(*ENDING_LEAD_S))
    if rng.random() < ENDING_SHOWN and end_s is not None and end_s - ending_s >= origin_s:
        parts.append(np.array([(end_s - ending_s, ENDING)], CUE))
    told = np.concatenate(parts) if parts else np.zeros(0, CUE)
    return told[np.lexsort((told["code"], told["time_s"]))]


def told_ahead(chords: CueArray, beats: CueArray, origin_s: float, horizon_s: float, lead_s: float) -> CueArray:
    """Return the chords of a window at the moments at which they are told, the one that sounds at its origin first."""
    told = chords.copy()
    told["time_s"] -= lead_s
    if beats.size:
        before = np.searchsorted(beats["time_s"], chords["time_s"] - _SAME_MOMENT_S) - 1
        beat_s = beats["time_s"][np.maximum(before, 0)]
        is_near = (before >= 0) & (chords["time_s"] - beat_s < _LONGEST_BEAT_S)
        told["time_s"] = np.where(is_near, beat_s, told["time_s"])
        told["time_s"] = np.maximum.accumulate(told["time_s"])
    first = max(int(np.searchsorted(told["time_s"], origin_s, side="right")) - 1, 0)
    told = told[first : int(np.searchsorted(told["time_s"], horizon_s))]
    told["time_s"] = np.maximum(told["time_s"], origin_s)
    return told
