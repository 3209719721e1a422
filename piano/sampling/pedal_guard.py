"""What keeps the pedal in use about as much as in the phrase, or in a new piece as much as pianists use it.

A small model that goes on from its own music forgets the pedal: its presses are as likely as they should be on real
music, and come too seldom on its own, until a dry minute is what it knows. So a change of the pedal leans back to the
aim: the share of the keys of the phrase that went down with the pedal down. At the aim it changes nothing.
"""

import math
from array import array

import numpy as np

from piano.events import Role
from piano.sampling.phrase_guard import FEWEST, REMEMBERED
from piano.session import Logits
from piano.tokens.vocabulary import VOCABULARY

PIANISTS_SHARE = 0.6
"""The median over the pieces of MAESTRO's training split."""

_EXPONENT = 0.4
"""The largest at strength 1 that costs real music less than 0.005 bits a note (docs/sampling.md)."""

_RECENT = 100
"""So many of our own keys tell how much it is used now."""

_DOUBT = 40
"""So many keys at the aim are taken to have gone before."""

_PRIOR = 6
"""So many keys with `PIANISTS_SHARE` are taken to have been heard before the phrase."""

_LEAST = 0.02
_MOST = 2.0
"""The least that a share counts, and the most that two differ, in nats of their odds."""

_PRESS, _LIFT = (VOCABULARY.pedal(Role.OWN, down=down) for down in (True, False))


class PedalGuard:
    """Counts keys that went down with the pedal down, heard and our own. Plain state; ours are taken back exactly."""

    def __init__(self) -> None:
        self._heard, self._own = array("b"), array("b")

    def hear(self, *, pedal_is_down: bool) -> None:
        """Take the next key that somebody else struck, where our own music goes on from it."""
        self._heard.append(pedal_is_down)
        if len(self._heard) >= 2 * REMEMBERED:
            del self._heard[:-REMEMBERED]

    def push(self, *, pedal_is_down: bool) -> None:
        """Take the next key of our own."""
        self._own.append(pedal_is_down)

    def rollback(self, notes: int) -> None:
        """Forget all but the first `notes` keys of our own."""
        del self._own[notes:]

    def lean(self, logits: Logits, strength: float, *, is_alone: bool) -> Logits:
        """Return logits, (vocab,), in which a change of the pedal towards the aim is likelier; never changed in place.

        Where too little was heard there is no aim, but for what plays alone: a new piece.
        """
        if strength == 0 or not (is_alone or len(self._heard) >= FEWEST):
            return logits
        heard, own = self._heard[-REMEMBERED:], self._own[-_RECENT:]
        aim = (sum(heard) + PIANISTS_SHARE * _PRIOR) / (len(heard) + _PRIOR)
        share = (sum(own) + aim * _DOUBT) / (len(own) + _DOUBT)
        lean = np.float32(_EXPONENT * strength * min(max(_odds(aim) - _odds(share), -_MOST), _MOST))
        leaned = logits.copy()
        leaned[_PRESS] += lean
        leaned[_LIFT] -= lean
        return leaned

    def copy(self) -> "PedalGuard":
        """Return an independent guard in the same state."""
        other = PedalGuard()
        other._heard, other._own = self._heard[:], self._own[:]
        return other


def _odds(share: float) -> float:
    """Return the logarithm of the odds of a share."""
    share = min(max(share, _LEAST), 1 - _LEAST)
    return math.log(share / (1 - share))
