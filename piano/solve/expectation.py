"""What the model expects of the time to come: how likely it is that nothing happens for a while."""

import numpy as np
from numpy.typing import NDArray

from piano.session import Logits
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, VOCABULARY, Kind

Floats = NDArray[np.float64]

TENTHS = 10
"""Silences are told of by tenths of a second; the longest wait of one token is so many of them."""

_EVENTS: Mask = np.isin(VOCABULARY.kinds, (Kind.ON, Kind.OFF, Kind.PEDAL))
_FIRST = VOCABULARY.first_time


def survival(logits: Logits) -> Floats:
    """Return the probability that nothing happens within a tenth of a second, two, … a whole one, (10,).

    `logits`, (vocab,), are of what follows an event: another in its step, a wait, or the end.
    """
    odds = np.exp(logits.astype(np.float64) - float(logits.max()))
    waits = odds[_FIRST : _FIRST + LONGEST_TIME_STEPS]
    end = odds[VOCABULARY.end]
    total = float(odds[_EVENTS].sum() + waits.sum() + end)
    at_least = np.cumsum(waits[::-1])[::-1]
    per_tenth = LONGEST_TIME_STEPS // TENTHS
    return np.asarray((at_least[per_tenth - 1 :: per_tenth] + end) / total)
