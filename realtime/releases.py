"""When a key comes up: how a model that loses count of what it holds is told that it still holds it.

A model that has been trained on music has seen nearly every key come up within a second or two. What has been down for
longer it takes to be up already, and never lifts it; the grammar knows better. If the model could not tell at all, its
belief that a key is still down would be the share S(age) of notes that last so long, and its probability of a release
would be too low by just that factor. `RELEASE_SHARE` says how much of it is given back: 0 trusts the model, 1 takes it
to know nothing. It was chosen so that notes of free playing last as long as those of real performances, see
MODEL_CARD.md.
"""

import numpy as np
from numpy.typing import NDArray

from piano.events import Role
from piano.notes import LOWEST_PITCH
from piano.vocabulary import STEP_S, VOCABULARY

RELEASE_SHARE = 0.9

_LASTING_S = (0.0, 0.09, 0.46, 1.86, 2.51, 4.68, 9.54)
_SHARE_LASTING = (1.0, 0.5, 0.1, 0.01, 0.005, 0.001, 0.0001)
"""The share of notes that last longer, in the training split of MAESTRO."""

_AGES_S = np.arange(1000) * STEP_S
_MISSING_NATS = -np.interp(_AGES_S, _LASTING_S, np.log(_SHARE_LASTING)).astype(np.float32)
"""By age in steps: what a release would lack if the model could not tell, in nats."""


def with_releases(
    logits: NDArray[np.float32], pressed: dict[int, int], step: int, share: float = RELEASE_SHARE
) -> NDArray[np.float32]:
    """Return logits, (vocab,), in which the keys that were pressed at earlier steps come up as often as they should."""
    if not pressed or not share:
        return logits
    pitches = np.fromiter(pressed, np.int64, len(pressed))
    ages = step - np.fromiter(pressed.values(), np.int64, len(pressed))
    told = logits.copy()
    first = VOCABULARY.off(Role.OWN, LOWEST_PITCH)
    told[first + pitches - LOWEST_PITCH] += share * _MISSING_NATS[np.clip(ages, 0, _MISSING_NATS.size - 1)]
    return told
