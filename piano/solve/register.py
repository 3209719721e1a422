"""Where on the keyboard a part lies that is filled in: as what it replaces, and where of late too little was.

A part that is counted by its keys alone climbs among what stands, and a left hand loses its bass. So what is due is
told for each key, and what went down is counted beside it: bass that was left out becomes likelier, what there is too
much of rarer. That is a ratio of two shares, smoothed over neighbouring keys; which of these it is, the model says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.events import LOWEST_PITCH
from piano.notes import NoteArray
from piano.solve.local_shares import local_shares
from piano.tokens.vocabulary import KEYS, STEP_S

Press = tuple[int, int]
"""A key that went down: the step and its pitch."""

_SEMITONES = 3.0
"""How far a key counts for those beside it: the deviation of a bell."""

_REACH_S = 4
"""What is replaced so many seconds before or behind does not count as near."""

_COUNTED, _AS_WANTED = 24, 6.0
"""So many of the latest keys are counted, beside so many that lie half as they should and half anywhere."""

_PULL, _MOST_OUT, _MOST_IN = 2.5, -4.0, 3.0
"""The power of the ratio; by how many nats a key becomes rarer at most, and likelier."""

_BELLS = np.exp(-0.5 * ((np.arange(KEYS)[:, None] - np.arange(KEYS)) / _SEMITONES) ** 2)
_BELLS /= _BELLS.sum(axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class Register:
    """`shares` of each key, and of those near to it, in each second of what is replaced, (seconds, keys)."""

    shares: NDArray[np.float64]

    def bias(self, step: int, lately: Sequence[Press]) -> NDArray[np.float32]:
        """Return by how many nats each key is likelier at a step, after the latest presses, in order, (keys,)."""
        wanted = self.shares[min(round(step * STEP_S), len(self.shares) - 1)]
        keys = [pitch - LOWEST_PITCH for _, pitch in lately[-_COUNTED:]]
        before = _AS_WANTED * (wanted + 1 / KEYS) / 2
        there = (_BELLS[keys].sum(axis=0) + before) / (len(keys) + _AS_WANTED)
        return np.asarray(np.clip(_PULL * np.log(wanted / there), _MOST_OUT, _MOST_IN), np.float32)


def register_of(notes: NoteArray) -> Register:
    """Return the register of some notes, one at least."""
    seconds = np.maximum(np.rint(notes["onset_s"]).astype(np.int64), 0)
    counts = np.zeros((int(seconds.max()) + _REACH_S + 1, KEYS))
    keys = np.clip(notes["pitch"].astype(np.int64) - LOWEST_PITCH, 0, KEYS - 1)
    np.add.at(counts, seconds, _BELLS[keys])
    return Register(local_shares(counts, _REACH_S))
