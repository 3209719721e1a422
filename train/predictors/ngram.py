"""The baseline: an interpolated Witten-Bell n-gram (Witten & Bell 1991) of any order, in sorted numpy arrays.

Order 4 predicts a token from the three before it. With c(h, w) the times that w followed h, c(h) their sum and t(h)
the number of different followers,

    p(w | h) = (c(h, w) + t(h) p(w | h')) / (c(h) + t(h)),    h' being h without its oldest token,

and p is uniform below order 1; where h was never seen, p(w | h) = p(w | h').
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from piano.tokens.encoding import TokenArray
from piano.tokens.vocabulary import VOCABULARY
from train.predictors.scoring import Costs, Nats

Integers = NDArray[np.integer[Any]]

_UNSEEN = -1


@dataclass(frozen=True, slots=True)
class _Level:
    """The n-grams of one length. A gram's number is its place among `keys`, which are prefix number * size + token."""

    keys: NDArray[np.int64]  # (grams,), ascending
    counts: Integers  # (grams,)
    totals: Integers  # (prefixes,): the sum of the counts after a prefix
    followers: Integers  # (prefixes,): how many different tokens they are


class NGram:
    """An n-gram model of event tokens; what comes before the first event of a performance is BOS throughout."""

    def __init__(self, levels: Sequence[_Level]) -> None:
        self._levels = tuple(levels)

    @property
    def order(self) -> int:
        """Return the length of the longest grams."""
        return len(self._levels)

    @classmethod
    def fit(cls, performances: Sequence[TokenArray], order: int, *, progress: bool = False) -> "NGram":
        """Count the n-grams of up to `order` tokens in the event tokens of performances.

        It takes about 50 bytes a token for a while.
        """
        if order < 1:
            raise ValueError(f"an n-gram has an order of 1 or more, not {order}")
        tokens, is_event = _join(performances, order)
        prefixes = np.zeros(tokens.size, np.int32)
        levels = []
        for length in tqdm(range(1, order + 1), desc="counting", unit="order", disable=not progress):
            keys = prefixes * np.int64(VOCABULARY.size) + tokens
            if length == order:
                grams, counts = np.unique(keys[is_event], return_counts=True)
            else:
                grams, numbers = np.unique(keys, return_inverse=True)
                counts = np.bincount(numbers[is_event], minlength=grams.size)
                prefixes[1:] = numbers[:-1]
                del numbers
            levels.append(_level(grams, counts))
        return cls(levels)

    def shortened(self, order: int) -> "NGram":
        """Return the model of a lower order, trained on the same performances."""
        if not 1 <= order <= self.order:
            raise ValueError(f"the order is 1 to {self.order}, not {order}")
        return NGram(self._levels[:order])

    def costs(self, events: TokenArray) -> Costs:
        """Return what each event token costs; not how much of it tells that a key goes down."""
        return Costs(self.nats(events))

    def nats(self, events: TokenArray) -> Nats:
        """Return the negative natural logarithm of the probability of each event token."""
        tokens, is_event = _join([events], self.order)
        prefixes = np.zeros(tokens.size, np.int64)
        chance = np.full(tokens.size, 1 / VOCABULARY.size)
        for level in self._levels:
            is_known = prefixes != _UNSEEN
            keys = prefixes * VOCABULARY.size + tokens
            at = np.minimum(np.searchsorted(level.keys, keys), level.keys.size - 1)
            is_found = is_known & (level.keys[at] == keys)
            # A prefix may be known and yet have no follower: it ended a performance.
            is_counted = is_known & (prefixes < level.totals.size)
            prefix = np.where(is_counted, prefixes, 0)
            count = np.where(is_found, level.counts[at], 0)
            total, followers = (np.where(is_counted, of[prefix], 0) for of in (level.totals, level.followers))
            chance = np.where(total > 0, (count + followers * chance) / np.maximum(total + followers, 1), chance)
            prefixes[0] = _UNSEEN
            prefixes[1:] = np.where(is_found, at, _UNSEEN)[:-1]
        nats: Nats = -np.log(chance[is_event])
        return nats


def _join(performances: Sequence[TokenArray], order: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return performances one after the other, each behind as many BOS as a context is long, and which are events."""
    gap = np.full(order - 1, VOCABULARY.bos, np.int32)
    tokens = np.concatenate([part for events in performances for part in (gap, events)])
    lengths = [length for events in performances for length in (gap.size, events.size)]
    return tokens.astype(np.int32, copy=False), np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)


def _level(grams: NDArray[np.int64], counts: NDArray[np.intp]) -> _Level:
    prefixes = grams // VOCABULARY.size
    totals = np.bincount(prefixes, weights=counts).astype(np.int64)
    followers = np.bincount(prefixes[counts > 0], minlength=totals.size)
    return _Level(grams, counts.astype(np.int32), totals.astype(np.int32), followers.astype(np.int32))
