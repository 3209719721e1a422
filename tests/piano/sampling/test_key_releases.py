"""Keys that are down come up as the distribution means it, and everything else stays as likely as it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from piano.events import Role
from piano.sampling.key_releases import floor, with_releases
from piano.tokens.vocabulary import VOCABULARY, Kind

EVERYTHING = np.ones(VOCABULARY.size, np.bool_)
IS_OWN_OFF = (VOCABULARY.kinds == Kind.OFF) & (VOCABULARY.roles == Role.OWN)
PRESSED = st.dictionaries(st.integers(21, 108), st.integers(0, 600), min_size=1, max_size=8)


def on(pitch: int) -> int:
    return VOCABULARY.on(Role.OWN, pitch)


def off(pitch: int) -> int:
    return VOCABULARY.off(Role.OWN, pitch)


def logits_of(likely: dict[int, float], rest: float = 1e-9) -> NDArray[np.float32]:
    weights = np.full(VOCABULARY.size, rest)
    for token, weight in likely.items():
        weights[token] = weight
    logits: NDArray[np.float32] = np.log(weights).astype(np.float32)
    return logits


def test_to_strike_a_key_that_is_down_is_to_release_it() -> None:
    before = logits_of({on(60): 0.2, off(60): 0.1, off(64): 0.1, VOCABULARY.time(5): 0.6})
    weights = np.exp(with_releases(before, {60: 100, 64: 100}, 110, EVERYTHING))
    assert weights[off(60)] == pytest.approx(0.3, rel=1e-5)
    assert weights[off(64)] == pytest.approx(0.1, rel=1e-5)


def test_a_release_of_a_key_that_is_up_is_one_of_a_key_that_is_down_the_likelier_the_older_it_is() -> None:
    before = logits_of({off(61): 0.3, VOCABULARY.time(5): 0.7})
    weights = np.exp(with_releases(before, {60: 60, 64: 85}, 100, EVERYTHING))
    assert weights[off(60)] == pytest.approx(0.3 * 0.45 / 0.65, rel=1e-4)
    assert weights[off(64)] == pytest.approx(0.3 * 0.20 / 0.65, rel=1e-4)


def test_what_is_held_for_long_comes_up_though_the_model_forgot_it() -> None:
    before = logits_of({VOCABULARY.time(5): 1.0}, rest=1e-12)
    weights = np.exp(with_releases(before, {60: 0, 64: 240}, 250, EVERYTHING))
    assert weights[off(60)] == pytest.approx(0.006 * 2.0, rel=1e-3)
    assert weights[off(64)] == pytest.approx(0, abs=1e-9)
    assert floor(np.array([0.1, 0.5, 3.5, 60.0])).tolist() == pytest.approx([0, 0, 0.018, 0.018])


@given(PRESSED, st.integers(0, 2**32 - 1))
def test_all_else_stays_as_it_was(pressed: dict[int, int], seed: int) -> None:
    before = np.random.default_rng(seed).normal(0, 3, VOCABULARY.size).astype(np.float32)
    kept = before.copy()
    after = with_releases(before, pressed, 600, EVERYTHING)
    assert np.array_equal(before, kept)
    assert np.array_equal(after[~IS_OWN_OFF], before[~IS_OWN_OFF])
    held = [off(pitch) for pitch in pressed]
    up = IS_OWN_OFF.copy()
    up[held] = False
    assert np.array_equal(after[up], before[up])
    assert (after[held] >= before[held] - 1e-4).all()
    assert np.isfinite(after[held]).all()


@given(PRESSED)
def test_a_key_under_another_hand_is_left_to_it(pressed: dict[int, int]) -> None:
    before = np.random.default_rng(1).normal(0, 3, VOCABULARY.size).astype(np.float32)
    theirs, *ours = pressed
    allowed = EVERYTHING.copy()
    allowed[off(theirs)] = False
    after = with_releases(before, pressed, 600, allowed)
    assert after[off(theirs)] == before[off(theirs)]
    alone = with_releases(before, {theirs: 0}, 600, allowed)
    assert alone is before
    if ours:
        without = before.copy()
        without[[on(theirs), off(theirs)]] = -np.inf  # their release says nothing of our keys
        expected = with_releases(without, {pitch: pressed[pitch] for pitch in ours}, 600, allowed)
        held = [off(pitch) for pitch in ours]
        np.testing.assert_allclose(after[held], expected[held], atol=0.3)


def test_where_nothing_is_down_nothing_changes() -> None:
    before = logits_of({VOCABULARY.time(5): 1.0})
    assert with_releases(before, {}, 10, EVERYTHING) is before
