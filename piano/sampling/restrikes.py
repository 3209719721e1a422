"""How soon a key goes down again: about as soon as a pianist's finger can strike it, and not by the machine-gun.

A key that has just been struck comes again within 100 ms in 5 of 1,000 notes of pianists, within 70 ms in less than
one. The model has that right on real music, nearly; on its own music, where the memory asks for keys as well and one
that is down is released to be struck anew, it was 28 to 49 of 1,000. So soon after a key went down it is less likely
to go down again; real music pays nothing for it (docs/sampling.md).
"""

import math
from array import array

from piano.events import Role
from piano.notes import LOWEST_PITCH
from piano.session import Logits
from piano.tokens.vocabulary import VOCABULARY

_LIKELIER: tuple[tuple[int, float], ...] = ((4, 0.02), (7, 0.1), (10, 0.3), (15, 0.7))
"""How likely it is, against what the model says, before so many steps of 10 ms have gone by."""

_SOON = _LIKELIER[-1][0]
_LEANS = tuple(math.log(next(share for before, share in _LIKELIER if steps < before)) for steps in range(_SOON))
_FIRST = VOCABULARY.on(Role.OWN, LOWEST_PITCH) - LOWEST_PITCH


class RestrikeGuard:
    """Follows when our own keys went down; `rollback` takes them back exactly. Plain state."""

    def __init__(self) -> None:
        self._pitches, self._steps = array("b"), array("q")

    def push(self, pitch: int, step: int) -> None:
        """Take the next key, which goes down at a step no earlier than the one before."""
        self._pitches.append(pitch)
        self._steps.append(step)

    def rollback(self, keys: int) -> None:
        """Forget all but the first `keys` keys."""
        del self._pitches[keys:], self._steps[keys:]

    def lean(self, logits: Logits, step: int) -> Logits:
        """Return logits, (vocab,), in which keys that went down just before a step are less likely; never in place."""
        leaned = logits
        seen: set[int] = set()
        place = len(self._steps) - 1
        while place >= 0 and step - self._steps[place] < _SOON:
            pitch = self._pitches[place]
            if pitch not in seen:
                seen.add(pitch)
                leaned = logits.copy() if leaned is logits else leaned
                leaned[_FIRST + pitch] += _LEANS[max(0, step - self._steps[place])]
            place -= 1
        return leaned

    def copy(self) -> "RestrikeGuard":
        """Return an independent guard in the same state."""
        other = RestrikeGuard()
        other._pitches, other._steps = self._pitches[:], self._steps[:]
        return other
