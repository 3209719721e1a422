"""Scoring: every event once, with the context that the windows promise, and the same for every size of batch."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from piano.events import Role
from piano.tokens.encoding import TokenArray, encode
from piano.tokens.vocabulary import VOCABULARY
from train.corpus.note_cache import NoteCache
from train.model.gpt2 import GPT2
from train.predictors.scoring import (
    HEAD,
    PARTS,
    Costs,
    Tally,
    WindowScorer,
    cross_entropy,
    cut_windows,
    press_cost,
    tally,
)
from train.predictors.torch_predictor import TorchPredictor


class Copycat:
    """A predictor that is sure of the token that came last, and keeps what it was shown."""

    context = 16

    def __init__(self) -> None:
        self.shown: list[NDArray[np.int64]] = []

    def logits(self, tokens: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        self.shown.append(tokens)
        return np.eye(VOCABULARY.size, dtype=np.float32)[tokens.ravel()[rows]] * 50


class Clueless:
    """A predictor for which all tokens are as likely."""

    context = 64

    def logits(self, tokens: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float32]:  # noqa: ARG002
        return np.zeros((rows.size, VOCABULARY.size), np.float32)


def test_what_comes_back_costs_less_with_a_memory_however_it_is_batched() -> None:
    figure = [
        token
        for pitch in (60, 67, 63, 72, 58, 65)
        for token in (
            VOCABULARY.on(Role.OWN, pitch),
            VOCABULARY.velocity(64),
            VOCABULARY.time(20),
            VOCABULARY.off(Role.OWN, pitch),
        )
    ]
    events = np.array(figure * 6, np.int32)
    plain = WindowScorer(Clueless()).nats(events)
    recalled = WindowScorer(Clueless(), recall=1.0).nats(events)
    assert recalled.sum() < 0.8 * plain.sum()
    assert np.allclose(recalled[: len(figure)], plain[: len(figure)], atol=0.05), "nothing came before the first"
    assert np.array_equal(recalled, WindowScorer(Clueless(), batch=1, recall=1.0).nats(events))


@settings(deadline=None)
@given(events=st.integers(1, 500), context=st.integers(4, 70))
def test_every_event_is_scored_once_with_half_a_context_behind_it(events: int, context: int) -> None:
    windows = cut_windows(events, context)
    room = context - HEAD.size + 1
    assert [index for each in windows for index in range(each.first, each.end)] == list(range(events))
    assert windows[0].start == windows[0].first == 0
    for each in windows:
        assert each.end - each.start <= room
        assert each.end > each.first >= each.start >= 0
    for each in windows[1:]:
        assert each.end - each.start == room
        assert each.first - each.start >= room // 2


def test_a_context_that_holds_no_music_is_refused() -> None:
    with pytest.raises(ValueError, match="context of 2 tokens is too short"):
        cut_windows(10, 2)


@pytest.mark.parametrize("count", [1, 2, 14, 15, 16, 40, 101])
def test_each_event_is_predicted_from_the_one_before_it(count: int) -> None:
    rng = np.random.default_rng(count)
    events = rng.integers(100, 110, count).astype(np.int32)
    before = np.concatenate([[HEAD[-1]], events[:-1]])
    for batch in (1, 3):
        copycat = Copycat()
        nats = WindowScorer(copycat, batch).nats(events)
        np.testing.assert_allclose(nats < 1, before == events)
        for tokens in copycat.shown:
            assert tokens.shape[0] <= batch
            assert tokens.shape[1] <= Copycat.context
            assert (tokens[:, : HEAD.size] == HEAD).all()


def test_the_size_of_a_batch_changes_nothing(tiny_model: GPT2, random_notes: NoteCache) -> None:
    events = encode(random_notes.performance(0))
    one, four = (WindowScorer(TorchPredictor(tiny_model), batch).nats(events) for batch in (1, 4))
    np.testing.assert_allclose(one, four, rtol=1e-5)
    assert one.size == events.size


def test_cross_entropy_is_minus_the_log_of_the_chance() -> None:
    logits = np.array([[0, 0, 0, 0], [1000, 0, 0, 0], [0, math.log(3), -1e30, -1e30]], np.float32)
    targets: TokenArray = np.array([2, 0, 1], np.int32)
    np.testing.assert_allclose(cross_entropy(logits, targets), [math.log(4), 0, math.log(4 / 3)], rtol=1e-6)


def test_the_parts_come_to_the_whole(tiny_model: GPT2, random_notes: NoteCache) -> None:
    scorer = WindowScorer(TorchPredictor(tiny_model))
    found = tally(scorer, [("notes", encode(random_notes.performance(number))) for number in range(2)])["notes"]
    assert tuple(found.bits_by_part) == PARTS
    assert sum(found.parts) == pytest.approx(found.nats, rel=1e-9)
    assert sum(bits or 0.0 for bits in found.bits_by_part.values()) == pytest.approx(found.bits_per_note)
    assert min(found.parts) > 0


def test_that_a_key_goes_down_costs_what_all_keys_together_do() -> None:
    logits = np.full((1, VOCABULARY.size), -100, np.float32)
    logits[0, [VOCABULARY.first_on, VOCABULARY.first_on + 5, VOCABULARY.first_time]] = np.log([0.1, 0.15, 0.75])
    np.testing.assert_allclose(press_cost(logits), -np.log(0.25), rtol=1e-6)


def test_a_tally_adds_up_by_name() -> None:
    class OneNat:
        def costs(self, events: TokenArray) -> Costs:
            return Costs(np.ones(events.size))

    on, velocity, step = VOCABULARY.first_on, VOCABULARY.first_velocity, VOCABULARY.first_time
    events = np.array([on, velocity, step, on + 1, velocity], np.int32)
    found = tally(OneNat(), [("a", events), ("b", events[:2]), ("a", events)])
    assert {name: (each.pieces, each.notes, each.tokens, each.nats) for name, each in found.items()} == {
        "a": (2, 4, 10, 10.0),
        "b": (1, 1, 2, 2.0),
    }
    both = sum(found.values(), Tally())
    assert both.to_json() == {
        "bits_per_note": pytest.approx(12 / math.log(2) / 5),
        "bits_by_part": {
            "time": pytest.approx(2 / math.log(2) / 5),
            "that a key": None,
            "which key": None,
            "velocity": pytest.approx(1 / math.log(2)),
            "release": 0.0,
            "pedal": 0.0,
        },
        "notes": 5,
        "tokens_per_note": 12 / 5,
        "nats_per_token": 1.0,
        "tokens": 12,
        "pieces": 3,
    }
