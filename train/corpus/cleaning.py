"""What a performance must look like before it enters the corpus: on the 88 keys, from 0 s on, without long silences."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.events import HIGHEST_PITCH, LOWEST_PITCH
from piano.midi.one_piano import settle_pedals
from piano.notes import Performance

LONGEST_SILENCE_S = 5.0
"""A stretch without a key down lasts at most this long, in seconds, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A clean performance, how many of its notes were off the keyboard, and how many seconds of silence were cut."""

    performance: Performance
    off_keyboard: int
    silence_cut_s: float


def clean(performance: Performance, longest_silence_s: float = LONGEST_SILENCE_S) -> Cleaned:
    """Return the performance without notes off the 88 keys and without the parts in which nothing is played.

    The first onset comes to 0 s. From the moment the last held key comes up to the next onset at most
    `longest_silence_s` pass: the rest of the gap is cut out. Pedal changes in what is cut (also before the first
    onset and long after the last release) move to its edge, where only what they come to is kept; cues in it go.
    """
    notes = performance.notes
    on_keyboard = (notes["pitch"] >= LOWEST_PITCH) & (notes["pitch"] <= HIGHEST_PITCH)
    notes = notes.compress(on_keyboard)
    off_keyboard = int(performance.notes.size - notes.size)
    if notes.size == 0:
        return Cleaned(Performance(notes), off_keyboard, 0.0)
    onset_s = notes["onset_s"]
    silent_from_s = np.maximum.accumulate(onset_s + notes["duration_s"])
    long = np.flatnonzero(onset_s[1:] - silent_from_s[:-1] > longest_silence_s)
    cut_from_s = silent_from_s[long] + longest_silence_s
    cut_to_s = onset_s[long + 1]
    cut_s = np.cumsum(cut_to_s - cut_from_s)
    # Knots of the map from old to new time; flat over what is cut, and outside the first and the last of them.
    end_s = silent_from_s[-1] + longest_silence_s
    old_s = np.concatenate(([onset_s[0]], np.stack((cut_from_s, cut_to_s), axis=1).ravel(), [end_s]))
    cut_before_s = np.concatenate(([0.0], cut_s))
    shift_s = onset_s[0] + np.repeat(cut_before_s, 2)
    new_s = old_s - shift_s
    new_s[2:-1:2] = new_s[1:-1:2]
    moved, pedals = notes.copy(), performance.pedals.copy()
    # The shift, not the interpolation, moves notes: durations stay exact.
    moved["onset_s"] = onset_s - onset_s[0] - cut_before_s[np.searchsorted(cut_to_s, onset_s, side="right")]
    pedals["time_s"] = np.interp(pedals["time_s"], old_s, new_s)
    cues = performance.cues[_outside(performance.cues["time_s"], old_s)]
    cues["time_s"] = np.interp(cues["time_s"], old_s, new_s)
    return Cleaned(Performance(moved, settle_pedals(pedals), cues), off_keyboard, float(onset_s[0] + cut_before_s[-1]))


def _outside(at_s: NDArray[np.float64], knots_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which moments are in what is kept: between the knots of index 0 and 1, 2 and 3, and so on."""
    place = np.searchsorted(knots_s, at_s, side="right")
    return np.asarray((place % 2 == 1) | np.isin(at_s, knots_s), np.bool_)
