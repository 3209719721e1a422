"""What ends a figure on two or three keys that goes round: a trill without end, a bass to which nothing comes.

Of 24 notes in a row pianists have fewer than six keys 6 times in 1,000 (MAESTRO's validation split; POP909's 2 times);
what was drawn had it 34 times, since the pulse and the memory both expect what went round to go round. So where the
notes drawn last are of fewer keys than nearly all of pianists' music has, and than the phrase ever had, those keys
become less likely against the others. That a key goes down, and when, stays as likely as it was (docs/sampling.md). One
hand alone is of fewer keys: where somebody else plays along, or something is given, it is off.
"""

import math
from array import array

import numpy as np

from piano.events import LOWEST_PITCH, Role
from piano.sampling.drawn_share import REMEMBERED
from piano.session import Logits
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import KEYS, VOCABULARY

FEWEST = {12: 4, 24: 6, 40: 8, 60: 10}
"""Of how many keys so many notes are at least, in 99 % of pianists' music."""

_EXPONENT = 4.0
"""To which power of the lack a key becomes less likely."""

_OWN_KEYS = slice(VOCABULARY.on(Role.OWN, LOWEST_PITCH), VOCABULARY.on(Role.OWN, LOWEST_PITCH) + KEYS)


class FewKeysGuard:
    """Follows which of our own keys went down; `rollback` takes keys back exactly. Plain state."""

    def __init__(self) -> None:
        self._keys = array("b")
        self._drawn_from = 0
        self._allowed: dict[int, int] | None = None
        self._lack: tuple[float, list[int]] | None = None
        """By how many nats which keys become less likely, once it was asked for."""

    def hear(self) -> None:
        """Take it that the next key is one that somebody else struck."""
        self._drawn_from, self._allowed = len(self._keys) + 1, None

    def push(self, pitch: int) -> None:
        """Take the next key."""
        self._keys.append(pitch - LOWEST_PITCH)
        self._lack = None

    def rollback(self, keys: int) -> None:
        """Forget all but the first `keys` keys."""
        del self._keys[keys:]
        if keys < self._drawn_from:
            self._drawn_from, self._allowed = keys, None
        self._lack = None

    def adjust(self, logits: Logits, mask: Mask) -> Logits:
        """Return logits, (vocab,), in which the few keys that go round are less likely among all that a mask allows.

        They are never changed in place.
        """
        if self._lack is None:
            self._lack = self._found()
        loss, few = self._lack
        keys = mask[_OWN_KEYS] & np.isfinite(logits[_OWN_KEYS])
        if not loss or not keys.any():
            return logits
        leaned = logits.copy()
        own = leaned[_OWN_KEYS]
        before = np.logaddexp.reduce(own[keys])
        own[few] -= np.float32(loss)
        own[keys] += before - np.logaddexp.reduce(own[keys])
        return leaned

    def copy(self) -> "FewKeysGuard":
        """Return an independent guard in the same state."""
        other = FewKeysGuard()
        other._keys, other._drawn_from = self._keys[:], self._drawn_from
        other._allowed, other._lack = self._allowed, self._lack
        return other

    def _found(self) -> tuple[float, list[int]]:
        """Return by how many nats the keys of the window that lacks most become less likely, and which they are."""
        drawn = len(self._keys) - self._drawn_from
        windows = [notes for notes in FEWEST if notes <= drawn]
        if not windows:
            return 0.0, []
        if self._allowed is None:
            self._allowed = _fewest_of(self._keys[: self._drawn_from][-REMEMBERED:])
        lacks = [(math.log(self._allowed[notes] / len(set(self._keys[-notes:]))), notes) for notes in windows]
        lack, notes = max(lacks)
        return (_EXPONENT * lack, sorted(set(self._keys[-notes:]))) if lack > 0 else (0.0, [])


def _fewest_of(heard: "array[int]") -> dict[int, int]:
    """Return of how few keys so many notes may be after a phrase: as few as it had itself, if that is fewer."""
    return {
        notes: min(
            [fewest, *(len(set(heard[end - notes : end])) for end in range(notes, len(heard) + 1))],
        )
        for notes, fewest in FEWEST.items()
    }
