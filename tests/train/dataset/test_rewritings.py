"""Other layouts of tokens: nothing is lost but what is said to be lost, and no note at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.notes import NOTE, Performance
from piano.tokens.encoding import TokenArray, encode
from piano.tokens.vocabulary import VOCABULARY, Kind
from tests.train.conftest import random_performance
from train.corpus.note_cache import NoteCache
from train.dataset.rewritings import REWRITINGS, split_time, velocity_first
from train.dataset.windows import IGNORED, WindowDataset, WindowPlan
from train.recipe import Augmentation

SEEDS = st.integers(0, 10_000)
untimed = settings(deadline=None, max_examples=40)


def key_downs(tokens: TokenArray) -> int:
    return int((VOCABULARY.kinds[tokens] == Kind.ON).sum())


def names(tokens: TokenArray) -> list[str]:
    return [VOCABULARY.names[token] for token in tokens]


@pytest.mark.parametrize("name", REWRITINGS)
@untimed
@given(seed=SEEDS, notes=st.integers(1, 60))
def test_tokens_come_back_and_notes_stay(name: str, seed: int, notes: int) -> None:
    events = encode(random_performance(seed, notes))
    rewriting = REWRITINGS[name]
    written = rewriting.write(events)
    assert written.dtype == events.dtype
    assert key_downs(written) == key_downs(events) == notes
    np.testing.assert_array_equal(rewriting.undo(written), events)


@pytest.mark.parametrize("name", REWRITINGS)
def test_nothing_is_rewritten_to_nothing(name: str) -> None:
    nothing = np.zeros(0, np.int32)
    assert REWRITINGS[name].write(nothing).size == REWRITINGS[name].undo(nothing).size == 0


def music(*lines: tuple[float, int]) -> Performance:
    made = np.zeros(len(lines), NOTE)
    made["onset_s"], made["pitch"] = zip(*lines, strict=True)
    made["duration_s"], made["velocity"] = 0.1, 64
    return Performance(made)


def test_a_velocity_is_told_before_its_key() -> None:
    written = names(velocity_first(encode(music((0.0, 60), (0.0, 64)))))
    assert written == ["VEL_16", "ON_OWN_60", "VEL_16", "ON_OWN_64", "TIME_10", "OFF_OWN_60", "OFF_OWN_64"]


def test_time_is_told_in_tenths_and_the_rest() -> None:
    written = names(split_time(encode(music((1.37, 60)))))
    assert written == ["TIME_100", "TIME_30", "TIME_7", "ON_OWN_60", "VEL_16", "TIME_10", "OFF_OWN_60"]


@untimed
@given(seed=SEEDS)
def test_a_grid_keeps_every_note_within_half_a_step(seed: int) -> None:
    performance = random_performance(seed, 40)
    origin_s = float(performance.notes["onset_s"][0])
    rewriting = REWRITINGS["time-20ms"]
    coarse = rewriting.performance(performance, origin_s)
    before, after = performance.notes, coarse.notes
    for column in ("pitch", "velocity"):
        np.testing.assert_array_equal(after[column], before[column])
    assert np.abs(after["onset_s"] - before["onset_s"]).max() <= 0.01 + 1e-9
    ends = after["onset_s"] + after["duration_s"] - before["onset_s"] - before["duration_s"]
    assert np.abs(ends).max() <= 0.01 + 1e-9
    tokens = encode(coarse, origin_s=origin_s)
    assert key_downs(tokens) == key_downs(encode(performance, origin_s=origin_s))
    steps = VOCABULARY.values[tokens][VOCABULARY.kinds[tokens] == Kind.TIME]
    assert not (steps % 2).any()
    assert performance.notes["duration_s"].max() == 0.05, "what was given is left as it was"


@pytest.mark.parametrize("name", REWRITINGS)
def test_training_windows_are_rewritten_up_to_their_length(name: str, random_notes: NoteCache) -> None:
    pieces, weights = [1, 2, 3], [1.0] * 3
    plain = WindowDataset(random_notes, pieces, weights, WindowPlan(64, 64, Augmentation(), 1), 5)
    plan = WindowPlan(64, 64, Augmentation(), 1, rewriting=REWRITINGS[name])
    rewritten = WindowDataset(random_notes, pieces, weights, plan, 5)
    for index in range(5):
        (tokens, _, _), (others, targets, _) = plain[index], rewritten[index]
        assert others.shape == tokens.shape
        np.testing.assert_array_equal(others[:2], tokens[:2])
        scored = targets[:-1] != IGNORED
        np.testing.assert_array_equal(targets[:-1][scored], others[1:][scored])
        assert scored.sum() > 40
    changed = [not np.array_equal(rewritten[index][0], plain[index][0]) for index in range(5)]
    assert any(changed)
