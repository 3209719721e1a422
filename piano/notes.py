"""Performances as data: notes and pedal changes as numpy structured arrays, in seconds.

A *note* is complete: it has an onset, a duration, a pitch and a velocity. Key release and pedal are kept
apart: `duration_s` ends when the key comes up, however long the pedal carries the sound.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from piano.cue_arrays import CueArray, no_cues

NOTE = np.dtype(
    [
        ("onset_s", np.float64),
        ("duration_s", np.float64),
        ("pitch", np.uint8),
        ("velocity", np.uint8),
        ("track", np.uint8),
    ]
)
"""One note: onset and duration in seconds, MIDI pitch 0 to 127, velocity 1 to 127, and the index of its track."""

PEDAL = np.dtype([("time_s", np.float64), ("down", np.bool_)])
"""One change of the sustain pedal: when, in seconds, and whether it went down."""

NoteArray = NDArray[np.void]
PedalArray = NDArray[np.void]
NoteMask = NDArray[np.bool_]
"""Which notes of a note array are meant, (notes,)."""


def no_notes() -> NoteArray:
    """Return an empty note array."""
    return np.zeros(0, NOTE)


def no_pedals() -> PedalArray:
    """Return an empty pedal array."""
    return np.zeros(0, PEDAL)


@dataclass(frozen=True, slots=True)
class Performance:
    """What was played: `notes` (dtype NOTE) in order of onset then pitch, `pedals` (dtype PEDAL) in order of time.

    `cues` (dtype CUE, in order of time) is what was told beside it: beats, chords, the ending.
    """

    notes: NoteArray
    pedals: PedalArray = field(default_factory=no_pedals)
    cues: CueArray = field(default_factory=no_cues)

    @property
    def end_s(self) -> float:
        """Return when the last key comes up, in seconds; 0.0 if there are no notes."""
        return float((self.notes["onset_s"] + self.notes["duration_s"]).max()) if self.notes.size else 0.0


def sort_notes(notes: NoteArray) -> NoteArray:
    """Return the notes in order of onset, then pitch."""
    return notes.take(np.lexsort((notes["pitch"], notes["onset_s"])))
