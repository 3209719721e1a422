"""How music is brought to an end within some seconds: what may still be struck, and what becomes likelier.

From the moment of the wish on waits become longer and keys rarer, the more so the nearer the end is, and the end itself
becomes likelier, where the model may tell one. In the last part no key goes down any more: what sounds then is the last
chord. At the limit every key comes up. Which notes lead there is the model's choice. Times are nanoseconds of a clock.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.events import Role
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, VOCABULARY, Kind

Logits = NDArray[np.float32]

_LAST_CHORD_SHARE, _LAST_CHORD_NS = 0.35, 2_500_000_000
"""How much of the time the last chord has to sound: this share of it, and no more than so long."""

_SLOWER = 1.0
"""At the last key a wait k times as long as the usual one has become k to this power times as likely."""

_USUAL_WAIT = 5.0
"""In steps, as for the guard of density."""

_FEWER = 1.5
"""At the last key that one goes down has become e to this power times less likely."""

_LONGER = 1.5
"""And that one comes up, so that the last chord rings."""

_END = 6.0
"""And that the music ends e to this power times likelier."""

_OWN_ON = (VOCABULARY.kinds == Kind.ON) & (VOCABULARY.roles == Role.OWN)
_OWN_OFF = (VOCABULARY.kinds == Kind.OFF) & (VOCABULARY.roles == Role.OWN)
_LEAN = np.where(_OWN_ON, -_FEWER, np.where(_OWN_OFF, -_LONGER, 0.0))
_TIMES = slice(VOCABULARY.first_time, VOCABULARY.first_time + LONGEST_TIME_STEPS)
_LEAN[_TIMES] = _SLOWER * np.log(VOCABULARY.values[_TIMES] / _USUAL_WAIT)
_LEAN[VOCABULARY.end] = _END
_LEAN = _LEAN.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Ending:
    """An ending that was asked for at a moment, and by when every key is up."""

    from_ns: int
    by_ns: int

    def __post_init__(self) -> None:
        if self.by_ns < self.from_ns:
            raise ValueError(f"an ending that begins at {self.from_ns} ns is not over by {self.by_ns} ns")

    @property
    def last_key_ns(self) -> int:
        """Return the moment from which on no key goes down."""
        return self.by_ns - min(int(_LAST_CHORD_SHARE * (self.by_ns - self.from_ns)), _LAST_CHORD_NS)

    def share(self, at_ns: int) -> float:
        """Return how much of the way to the last key has passed at a moment, 0 to 1."""
        whole = self.last_key_ns - self.from_ns
        return min(max((at_ns - self.from_ns) / whole, 0.0), 1.0) if whole else 1.0

    def bias(self, at_ns: int) -> Logits:
        """Return what is to be added to the logits at a moment, (vocab,), so that they lead to the end."""
        return np.asarray(np.float32(self.share(at_ns)) * _LEAN, np.float32)
