"""Cues as numpy structured arrays, in seconds; what their codes tell is in `piano.cues`."""

import numpy as np
from numpy.typing import NDArray

from piano.cues import FIRST_CHORD, NO_CHORD

CUE = np.dtype([("time_s", np.float64), ("code", np.uint8)])
"""One cue: when, in seconds, and what, as a code of `piano.cues`."""

CueArray = NDArray[np.void]


def no_cues() -> CueArray:
    """Return an empty cue array."""
    return np.zeros(0, CUE)


def is_chord(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which codes tell a chord, "no chord" among them."""
    return np.asarray(codes >= NO_CHORD, np.bool_)


def transposed(codes: NDArray[np.uint8], semitones: int) -> NDArray[np.uint8]:
    """Return codes with the chords moved by so many semitones."""
    quality, root = np.divmod(codes.astype(np.int64) - FIRST_CHORD, 12)
    moved = FIRST_CHORD + 12 * quality + (root + semitones) % 12
    return np.where(codes >= FIRST_CHORD, moved, codes).astype(np.uint8)
