"""What keeps the pedal in use in a new piece about as much as pianists use it.

A small model that goes on from its own music forgets the pedal: its presses are as likely as they should be on real
music, and come too seldom on its own, until a dry minute is what it knows. So a change of the pedal leans back to the
aim: the share of the keys that go down with the pedal down. At the aim it changes nothing. An answer is left as it is:
it forgets less in its half minute, and with this it had half as many figures of the phrase (docs/sampling.md).
"""

import math
from array import array

import numpy as np

from piano.events import Role
from piano.session import Logits
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import VOCABULARY

PIANISTS_SHARE = 0.6
"""The median over the pieces of MAESTRO's training split."""

_EXPONENT = 0.4
"""At strength 1: the largest that costs real music less than 0.005 bits a note, with a piece's own use as the aim."""

_RECENT = 100
"""So many of our own keys tell how much it is used now."""

_DOUBT = 40
"""So many keys at the aim are taken to have gone before."""

_MOST = 2.0
"""The most that two shares differ, in nats of their odds."""

_PRESS, _LIFT = (VOCABULARY.pedal(Role.OWN, down=down) for down in (True, False))


_FLOOR, _FLOOR_FROM, _FLOOR_TO = 0.02, 15, 45
"""How likely it comes up at least, before each event, once the last of so many keys was struck since it went down; so
much less, the nearer to none, for fewer. Pianists strike 15 under one pedal or fewer in 90 of 100, 43 in 99."""


def with_lift(logits: Logits, under_pedal: int, mask: Mask) -> Logits:
    """Return logits, (vocab,), in which a pedal comes up under which that many of our own keys were struck.

    The model forgets it as it forgets keys: of what it plays an eighth sounded in pedals of more than six seconds, of
    pianists' music 0.075. A mixture of distributions; others stay as likely against each other. Never in place.
    """
    if under_pedal <= _FLOOR_FROM or not mask[_LIFT]:
        return logits
    share = _FLOOR * min((under_pedal - _FLOOR_FROM) / (_FLOOR_TO - _FLOOR_FROM), 1.0)
    lifted = logits.copy()
    lifted[_LIFT] = np.logaddexp(logits[_LIFT], np.logaddexp.reduce(logits[mask]) + math.log(share))
    return lifted


class PedalGuard:
    """Counts keys of our own that went down with the pedal down; `rollback` takes keys back exactly. Plain state."""

    def __init__(self) -> None:
        self._own = array("b")

    def push(self, *, pedal_is_down: bool) -> None:
        """Take the next key."""
        self._own.append(pedal_is_down)

    def rollback(self, keys: int) -> None:
        """Forget all but the first `keys` keys."""
        del self._own[keys:]

    def adjust(self, logits: Logits, strength: float) -> Logits:
        """Return logits, (vocab,), in which a change of the pedal towards the aim is likelier.

        They are never changed in place; a strength of 0 changes nothing.
        """
        if strength == 0:
            return logits
        own = self._own[-_RECENT:]
        share = (sum(own) + PIANISTS_SHARE * _DOUBT) / (len(own) + _DOUBT)
        lean = np.float32(_EXPONENT * strength * min(max(_odds(PIANISTS_SHARE) - _odds(share), -_MOST), _MOST))
        leaned = logits.copy()
        leaned[_PRESS] += lean
        leaned[_LIFT] -= lean
        return leaned

    def copy(self) -> "PedalGuard":
        """Return an independent guard in the same state."""
        other = PedalGuard()
        other._own = self._own[:]
        return other


def _odds(share: float) -> float:
    """Return the logarithm of the odds of a share."""
    return math.log(share / (1 - share))
