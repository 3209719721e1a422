"""What the keys that were struck just now say of the next: it is hardly the same again, and hardly the one beside.

A key that has just been struck comes again within 100 ms in 5 of 1,000 notes of pianists, within 70 ms in less than
one. The model has that right on real music, nearly; on its own music, where the memory asks for keys as well and one
that is down is released to be struck anew, it was 28 to 49 of 1,000. And of keys that are struck together more lie a
semitone, a tone or a minor ninth apart than with pianists, on real music too: those are heard as wrong notes. So both
are made less likely; real music pays nothing for it (docs/sampling.md).
"""

import math
from array import array

import numpy as np
from numpy.typing import NDArray

from piano.events import LOWEST_PITCH, Role
from piano.session import Logits
from piano.tokens.vocabulary import KEYS, VOCABULARY

_AGAIN: tuple[tuple[int, float], ...] = ((4, 0.02), (7, 0.1), (10, 0.3), (15, 0.7))
"""How likely the same key is again, against what the model says, before so many steps of 10 ms have gone by."""

_TOGETHER = 2
"""Keys that are struck within so many steps are struck together."""

_BESIDE = {1: 0.5, 2: 0.7, 11: 0.75, 13: 0.5}
"""How likely a key is that lies so many semitones from the nearest that is struck together with it."""

_SOON = _AGAIN[-1][0]
_AGAIN_LEANS = tuple(math.log(next(share for before, share in _AGAIN if steps < before)) for steps in range(_SOON))
_BESIDE_LEANS: NDArray[np.float32] = np.log([_BESIDE.get(semitones, 1.0) for semitones in range(KEYS)]).astype(
    np.float32
)
_FIRST = VOCABULARY.on(Role.OWN, LOWEST_PITCH)
_INDICES = np.arange(KEYS)


class RecentKeysGuard:
    """Follows when our own keys went down; `rollback` takes them back exactly. Plain state."""

    def __init__(self) -> None:
        self._keys, self._steps = array("b"), array("q")

    def push(self, pitch: int, step: int) -> None:
        """Take the next key, which goes down at a step no earlier than the one before."""
        self._keys.append(pitch - LOWEST_PITCH)
        self._steps.append(step)

    def rollback(self, keys: int) -> None:
        """Forget all but the first `keys` keys."""
        del self._keys[keys:], self._steps[keys:]

    def adjust(self, logits: Logits, step: int) -> Logits:
        """Return logits, (vocab,), in which the keys of just before a step, and those beside, are less likely.

        They are never changed in place.
        """
        recent: dict[int, int] = {}
        for key, struck in zip(reversed(self._keys), reversed(self._steps), strict=True):
            if step - struck >= _SOON:
                break
            recent.setdefault(key, max(0, step - struck))
        if not recent:
            return logits
        leaned = logits.copy()
        for key, steps in recent.items():
            leaned[_FIRST + key] += _AGAIN_LEANS[steps]
        together = [key for key, steps in recent.items() if steps <= _TOGETHER]
        if together:
            nearest = np.abs(np.subtract.outer(together, _INDICES)).min(axis=0)
            leaned[_FIRST : _FIRST + KEYS] += _BESIDE_LEANS[nearest]
        return leaned

    def copy(self) -> "RecentKeysGuard":
        """Return an independent guard in the same state."""
        other = RecentKeysGuard()
        other._keys, other._steps = self._keys[:], self._steps[:]
        return other
