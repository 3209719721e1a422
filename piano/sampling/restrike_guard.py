"""What ends the hammering: once most keys come again within a second, they come again less.

Of sixty notes of pianists 0.45 are keys that had gone down less than a second ago, in the median; a twentieth of their
music has more than 0.77, a fiftieth more than 0.83. What is drawn had more than 0.8 for a fifth of its time: one key or
one chord, over and over. So once there are more than in nearly all of pianists' music, and more than in the phrase that
it goes on from, a key that went down less than a second ago becomes less likely, the more so the larger the excess;
else nothing changes (docs/sampling.md).
"""

import math
from array import array

from piano.events import LOWEST_PITCH, Role
from piano.sampling.drawn_share import DrawnShare
from piano.session import Logits
from piano.tokens.vocabulary import STEP_S, VOCABULARY

SOON = round(1.0 / STEP_S)
"""A key comes again soon that went down less than so many steps before."""

MUCH = 0.75
"""The share of the notes drawn last that may be such keys: 7 % of pianists' music has more."""

_EXPONENT = 8.0
_FIRST = VOCABULARY.on(Role.OWN, LOWEST_PITCH)


class RestrikeGuard:
    """Follows which of our own keys came again soon; `rollback` takes keys back exactly. Plain state."""

    def __init__(self) -> None:
        self._keys, self._steps = array("b"), array("q")
        self._again = DrawnShare()

    def hear(self) -> None:
        """Take it that the next key is one that somebody else struck."""
        self._again.hear()

    def push(self, pitch: int, step: int) -> None:
        """Take the next key, which goes down at a step no earlier than the one before."""
        key = pitch - LOWEST_PITCH
        self._again.push(key in self._soon_before(step))
        self._keys.append(key)
        self._steps.append(step)

    def rollback(self, keys: int) -> None:
        """Forget all but the first `keys` keys."""
        del self._keys[keys:], self._steps[keys:]
        self._again.rollback(keys)

    def adjust(self, logits: Logits, step: int) -> Logits:
        """Return logits, (vocab,), in which keys of the last second are less likely, where too many came again.

        They are never changed in place.
        """
        drawn = self._again.drawn
        if drawn <= MUCH:
            return logits
        loss = _EXPONENT * math.log(max(drawn / max(MUCH, self._again.heard), 1.0))
        if not loss:
            return logits
        leaned = logits.copy()
        leaned[[_FIRST + key for key in self._soon_before(step)]] -= loss
        return leaned

    def copy(self) -> "RestrikeGuard":
        """Return an independent guard in the same state."""
        other = RestrikeGuard()
        other._keys, other._steps, other._again = self._keys[:], self._steps[:], self._again.copy()
        return other

    def _soon_before(self, step: int) -> set[int]:
        """Return the keys that went down less than a second before a step, as numbers from 0."""
        found = set()
        for key, struck in zip(reversed(self._keys), reversed(self._steps), strict=True):
            if step - struck >= SOON:
                break
            found.add(key)
        return found
