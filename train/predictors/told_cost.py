"""What the music costs given its cues: the price of each token where a clock or a chart tells beats and chords.

A cue is told, so that it costs nothing. It also tells that the stream gets as far as its moment: a wait up to a cue
says only that no event comes before it, and costs what all waits as long or longer cost together. Where an event comes,
a cue was never possible, so that the probability of cues is shared among all else. This is a code that could be sent:
the receiver knows the cues and decodes the rest. What a model spends on cues in wrong places is counted as lost.
"""

import numpy as np
from numpy.typing import NDArray

from piano.tokens.encoding import TokenArray
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, VOCABULARY, Kind

_IS_CUE = VOCABULARY.kinds == Kind.CUE
_TIMES = slice(VOCABULARY.first_time, VOCABULARY.first_time + LONGEST_TIME_STEPS)


def steps_to_cue(events: TokenArray) -> NDArray[np.int64]:
    """Return, for each TIME token behind which the next event is a cue, the steps from before it to the cue; else 0.

    `events` are event tokens (n,). Of a wait of 1.2 s to a beat the two tokens have 120 and 20.
    """
    kinds = VOCABULARY.kinds[events]
    is_time = kinds == Kind.TIME
    steps = np.where(is_time, VOCABULARY.values[events], 0).astype(np.int64)
    passed = np.cumsum(steps)
    place = np.where(is_time, events.size, np.arange(events.size))
    following = np.minimum.accumulate(place[::-1])[::-1]  # the index of the event that comes next, (n,)
    is_led = is_time & (following < events.size)
    is_led[is_led] &= kinds[following[is_led]] == Kind.CUE
    to_cue = passed[np.minimum(following, max(events.size - 1, 0))] - passed + steps
    return np.where(is_led, to_cue, 0)


def told_cost(logits: NDArray[np.float32], targets: TokenArray, to_cue: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the cost in nats of each target (k,) under its logits (k, vocabulary), the cues being told.

    `to_cue` are the `steps_to_cue` of the targets.
    """
    highest = logits.max(axis=1, keepdims=True)
    weights = np.exp((logits - highest).astype(np.float64))  # (k, vocab)
    whole = weights.sum(axis=1) - weights[:, _IS_CUE].sum(axis=1)
    chosen = weights[np.arange(targets.size), targets]
    at_cue = np.flatnonzero((to_cue > 0) & (to_cue <= LONGEST_TIME_STEPS))
    reached = np.cumsum(weights[at_cue, _TIMES][:, ::-1], axis=1)[:, ::-1]  # all waits as long or longer
    chosen[at_cue] = reached[np.arange(at_cue.size), to_cue[at_cue] - 1]
    cost = np.log(whole) - np.log(chosen)
    cost[_IS_CUE[targets]] = 0.0
    return np.asarray(cost, np.float64)
