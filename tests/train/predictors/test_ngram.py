"""The n-gram: the same as a slow one in dictionaries, and a distribution for every context."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.tokens.encoding import TokenArray
from piano.tokens.vocabulary import VOCABULARY
from train.predictors.ngram import NGram

Streams = list[TokenArray]

few_tokens = st.lists(
    st.lists(st.integers(100, 103), min_size=1, max_size=30).map(lambda ids: np.array(ids, np.int32)),
    min_size=1,
    max_size=5,
)


class SlowNGram:
    """Witten-Bell as its formula says, a token at a time."""

    def __init__(self, performances: Streams, order: int) -> None:
        self.order = order
        self.counts: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for events in performances:
            for context, token in self.steps(events):
                for length in range(order):
                    self.counts[context[order - 1 - length :]][token] += 1

    def steps(self, events: Sequence[int] | TokenArray) -> list[tuple[tuple[int, ...], int]]:
        padded = [VOCABULARY.bos] * (self.order - 1) + [int(token) for token in events]
        return [(tuple(padded[at : at + self.order - 1]), padded[at + self.order - 1]) for at in range(len(events))]

    def chance(self, token: int, context: tuple[int, ...]) -> float:
        lower = self.chance(token, context[1:]) if context else 1 / VOCABULARY.size
        followers = self.counts.get(context)
        if not followers:
            return lower
        return (followers[token] + len(followers) * lower) / (followers.total() + len(followers))

    def nats(self, events: TokenArray) -> list[float]:
        return [-math.log(self.chance(token, context)) for context, token in self.steps(events)]


@settings(max_examples=60, deadline=None)
@given(training=few_tokens, heard=few_tokens, order=st.integers(1, 6))
def test_it_is_the_formula(training: Streams, heard: Streams, order: int) -> None:
    fast, slow = NGram.fit(training, order), SlowNGram(training, order)
    for events in [*training, *heard]:
        np.testing.assert_allclose(fast.nats(events), slow.nats(events), rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("context", [[], [101], [100, 101], [102, 102, 102], [7, 100, 101], [100, 101, 100, 102]])
def test_the_chances_of_all_tokens_add_up_to_one(order: int, context: list[int]) -> None:
    rng = np.random.default_rng(5)
    model = NGram.fit([rng.integers(100, 103, 50).astype(np.int32) for _ in range(3)], order)
    chances = [
        math.exp(-float(model.nats(np.array([*context, token], np.int32))[-1])) for token in range(VOCABULARY.size)
    ]
    assert sum(chances) == pytest.approx(1)


def test_a_lower_order_is_that_of_its_own_training() -> None:
    rng = np.random.default_rng(6)
    training = [rng.integers(100, 110, 200).astype(np.int32) for _ in range(3)]
    heard = rng.integers(100, 112, 80).astype(np.int32)
    longest = NGram.fit(training, 5)
    assert longest.order == 5
    for order in range(1, 6):
        np.testing.assert_allclose(longest.shortened(order).nats(heard), NGram.fit(training, order).nats(heard))


def test_no_gram_reaches_over_the_end_of_a_performance() -> None:
    one, other = np.array([100, 101], np.int32), np.array([102, 103], np.int32)
    apart, again = NGram.fit([one, other], 3), NGram.fit([other, one], 3)
    heard = np.array([100, 101, 102, 103, 100], np.int32)
    np.testing.assert_allclose(apart.nats(heard), again.nats(heard))


def test_nothing_has_no_cost() -> None:
    assert NGram.fit([np.array([100], np.int32)], 3).nats(np.zeros(0, np.int32)).size == 0


@pytest.mark.parametrize("order", [0, -1])
def test_an_impossible_order_is_refused(order: int) -> None:
    with pytest.raises(ValueError, match="order"):
        NGram.fit([np.array([100], np.int32)], order)
    with pytest.raises(ValueError, match="order"):
        NGram.fit([np.array([100], np.int32)], 2).shortened(order)
