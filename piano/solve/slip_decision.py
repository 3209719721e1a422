"""Which of the keys that the best stream made others are changed in the end: those that were most likely missed.

The best stream is the likeliest of all at once, and may go through a key that most streams left as it was read. How
likely a key was read right is the share of the streams that left it so, weighed by how likely each is, once they have
heard some notes more: of 7,267 keys of validation music with one in twenty missed, of those that had 0.4 to 0.6 to be
wrong 59 % were, with 0.6 to 0.8 62 %, with 0.8 to 0.95 87 %, and above 89 %. Later the streams have all come from one.
"""

import numpy as np
from numpy.typing import NDArray

from piano.notes import NoteArray

HEARD_AFTER = 8
"""So many more notes are heard before it is weighed whether a key was read right."""

RIGHT = 0.4
"""A key that is likelier than this to have been read right stays: to spoil one costs as much as to mend one gains, and
not each that is changed is mended."""


def decided(notes: NoteArray, found: NDArray[np.uint8], right: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return pitches: those found, but as they were read where that is likely `right` (of each note, in their order).

    No key goes down again while another note that was changed holds it: that one stays as it was read too.
    """
    pitches = found.copy()
    back = (pitches != notes["pitch"]) & (right > RIGHT)
    while back.any():
        pitches[back] = notes["pitch"][back]
        back = _in_the_way(notes, pitches, np.flatnonzero(back))
    return pitches


def _in_the_way(notes: NoteArray, pitches: NDArray[np.uint8], kept: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which notes that were changed sound on the key of one of some others at the same time."""
    begin_s, end_s = notes["onset_s"], notes["onset_s"] + notes["duration_s"]
    found = np.zeros(notes.size, np.bool_)
    for note in kept.tolist():
        together = (begin_s < end_s[note]) & (end_s > begin_s[note]) & (pitches == pitches[note])
        found |= together & (pitches != notes["pitch"])
    return found
