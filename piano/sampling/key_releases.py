"""What the distribution says of keys that are down, told so that they come up.

A small model loses track of what is down. Where music is dense, a key whose last 100 tokens were others is hardly ever
released any more (about once in a million tokens), while the model would strike it again (once in 200) or release
one that is not down at all. The grammar forbids both, so that the key stays down until the limit. Here what was meant
is done:

- to strike a key that is down is to release it first;
- to release a key that is not down is to release one that is, the likelier the longer it has been down;
- and what is held for long comes up at times in any case (`floor`).

All three are a mixture of distributions, and each makes real music likelier (docs/sampling.md).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from piano.events import HIGHEST_PITCH, LOWEST_PITCH, Role
from piano.tokens.vocabulary import STEP_S, VOCABULARY

Logits = NDArray[np.float32]

_FIRST_ON, _FIRST_OFF = (key(Role.OWN, LOWEST_PITCH) for key in (VOCABULARY.on, VOCABULARY.off))
_KEYS = HIGHEST_PITCH - LOWEST_PITCH + 1

_JUST_DOWN_S = 0.05
"""How old a key that has just gone down counts, where a release finds the key that it is of."""

_FLOOR_A_SECOND, _FLOOR_FROM_S, _FLOOR_TO_S = 0.006, 0.5, 3.5
"""How likely a release is at least, before each event: so much more for each second from one age to another."""

_LEAST = 1e-300


def floor(ages_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how likely each key comes up next at least, by how long it has been down, (keys,)."""
    return np.asarray(_FLOOR_A_SECOND * (np.clip(ages_s, _FLOOR_FROM_S, _FLOOR_TO_S) - _FLOOR_FROM_S))


def with_releases(logits: Logits, pressed: Mapping[int, int], step: int, allowed: NDArray[np.bool_]) -> Logits:
    """Return logits, (vocab,), in which keys of our own that are down come up as said at the top.

    `pressed` are all keys that are down, each with the step at which it went down, seen from a step at which an event
    may come; those whose release is `allowed`, (vocab,), come up. Events that are no releases stay as likely against
    each other. Logits are never changed in place.
    """
    down = np.fromiter(pressed, np.int64, len(pressed)) - LOWEST_PITCH
    since = np.fromiter(pressed.values(), np.int64, len(pressed))
    may_rise = allowed[_FIRST_OFF + down]
    if not may_rise.any():
        return logits
    keys, ages_s = down[may_rise], np.asarray((step - since[may_rise]) * STEP_S, np.float64)
    peak = float(logits.max())
    weights = np.exp(logits.astype(np.float64) - peak)
    of_releases = weights[_FIRST_OFF : _FIRST_OFF + _KEYS]
    lost = max(float(of_releases.sum() - of_releases[down].sum()), 0.0)
    shares = ages_s + _JUST_DOWN_S
    releases = of_releases[keys] + weights[_FIRST_ON + keys]
    releases += lost * shares / shares.sum() + floor(ages_s) * weights.sum()
    changed = logits.copy()
    changed[_FIRST_OFF + keys] = peak + np.log(np.maximum(releases, _LEAST))
    return changed
