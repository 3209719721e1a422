"""What has been played again and again: how often each figure of a few keys came within the last notes.

Pianists repeat themselves too: of the notes of MAESTRO's validation split, 6.0 % end a figure of six pitches that came
before within 500 notes, and 0.5 % one that came four times or more. A small model can go round in a figure for
minutes; each round makes the next one likelier. What has come more often than `FREE_TIMES` is therefore made less
likely by the sampler, the more so the more often it came.
"""

from array import array
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from piano.events import Role
from piano.tokens.vocabulary import VOCABULARY

FIGURE = 6
"""The keys of a figure, one after the other as they go down."""

MEMORY = 500
"""The notes within which the times are counted: about a minute of dense playing."""

FREE_TIMES = 4
"""A figure that came so often within the memory is held back when it would come again."""

_PITCH_BITS = 7
_CONTEXT = (1 << _PITCH_BITS * (FIGURE - 1)) - 1
_NOTHING: Mapping[int, int] = MappingProxyType({})


class RepetitionGuard:
    """Counts figures as notes are pushed; `rollback` takes notes back exactly. Plain state without a thread.

    The beginning of a figure, all but its last key, is one number of 7 bits a key.
    """

    def __init__(self) -> None:
        self._pitches = array("B")
        self._beginning = 0
        self._times: dict[int, dict[int, int]] = {}

    def __len__(self) -> int:
        """Return the number of notes."""
        return len(self._pitches)

    def push(self, pitch: int) -> None:
        """Take the next key that went down."""
        self._pitches.append(pitch)
        last = len(self._pitches) - 1
        self._count(last, self._beginning, 1)
        self._beginning = (self._beginning << _PITCH_BITS | pitch) & _CONTEXT
        self._count(last - MEMORY, self._before(last - MEMORY), -1)

    def rollback(self, length: int) -> None:
        """Forget all but the first `length` notes."""
        if not 0 <= length <= len(self._pitches):
            raise ValueError(f"{len(self._pitches)} notes roll back to 0 to {len(self._pitches)}, not {length}")
        for last in range(len(self._pitches) - 1, length - 1, -1):
            self._count(last - MEMORY, self._before(last - MEMORY), 1)
            self._count(last, self._before(last), -1)
        del self._pitches[length:]
        self._beginning = self._before(length)

    def copy(self) -> "RepetitionGuard":
        """Return an independent guard in the same state."""
        other = RepetitionGuard()
        other._pitches, other._beginning = self._pitches[:], self._beginning
        other._times = {beginning: dict(times) for beginning, times in self._times.items()}
        return other

    def following(self) -> Mapping[int, int]:
        """Return the pitches that ended a figure which begins with the last keys, and how often each did."""
        return self._times.get(self._beginning, _NOTHING) if len(self._pitches) >= FIGURE - 1 else _NOTHING

    def penalise(self, logits: NDArray[np.float32], nats: float) -> NDArray[np.float32]:
        """Return logits, (vocab,), in which our keys that would go on in a figure once too often are less likely.

        A key that ended the figure n times loses `nats` for each time from the `FREE_TIMES`-th on. Where there is none
        the logits come back as they are; they are never changed in place.
        """
        if nats == 0:
            return logits
        held_back = logits
        for pitch, times in self.following().items():
            if times >= FREE_TIMES:
                if held_back is logits:
                    held_back = logits.copy()
                held_back[VOCABULARY.on(Role.OWN, pitch)] -= nats * (times - FREE_TIMES + 1)
        return held_back

    def _before(self, place: int) -> int:
        """Return the number of the keys before a place."""
        beginning = 0
        for pitch in self._pitches[max(place - FIGURE + 1, 0) : max(place, 0)]:
            beginning = beginning << _PITCH_BITS | pitch
        return beginning

    def _count(self, place: int, beginning: int, change: int) -> None:
        """Count the figure that ends at a place, or forget it."""
        if place < FIGURE - 1:
            return
        pitch = self._pitches[place]
        times = self._times.setdefault(beginning, {})
        times[pitch] = times.get(pitch, 0) + change
        if times[pitch] == 0:
            del times[pitch]
            if not times:
                del self._times[beginning]
