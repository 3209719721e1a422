"""An answer stays near the phrase: which key it is leans there, that a key comes stays as likely."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import HIGHEST_PITCH, LOWEST_PITCH, Role
from piano.sampling.phrase_guard import FEWEST, REMEMBERED, PhraseGuard
from piano.tokens.vocabulary import VOCABULARY, Kind

ANY = np.ones(VOCABULARY.size, np.bool_)
FLAT = np.zeros(VOCABULARY.size, np.float32)
OWN_KEYS = (VOCABULARY.kinds == Kind.ON) & (VOCABULARY.roles == Role.OWN)
pitches = st.integers(LOWEST_PITCH, HIGHEST_PITCH)


def heard(*keys: int) -> PhraseGuard:
    guard = PhraseGuard()
    for pitch in keys:
        guard.hear(pitch)
    return guard


def gain(guard: PhraseGuard, pitch: int, strength: float = 1.0) -> float:
    return float(guard.adjust(FLAT, ANY, strength)[VOCABULARY.on(Role.OWN, pitch)])


def test_keys_of_its_register_and_its_key_gain_and_far_ones_lose() -> None:
    guard = heard(*[60, 62, 64, 65, 67] * 20)
    assert gain(guard, 64) > 0 > gain(guard, 100)
    assert gain(guard, 64) > gain(guard, 63), "a pitch class that was not heard"
    assert gain(guard, 64, 2.0) > gain(guard, 64)


@given(st.lists(pitches, min_size=FEWEST, max_size=60), st.integers(0, 99), st.floats(0.1, 5))
def test_that_a_key_comes_is_as_likely_as_it_was(keys: list[int], seed: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, VOCABULARY.size).astype(np.float32)
    mask = rng.random(VOCABULARY.size) < 0.5
    untouched = logits.copy()
    leaned = heard(*keys).adjust(logits, mask, strength)
    among = mask & OWN_KEYS
    assert np.array_equal(logits, untouched)
    assert np.array_equal(leaned[~among], logits[~among])
    assert np.exp(leaned[among].astype(float)).sum() == pytest.approx(
        np.exp(logits[among].astype(float)).sum(), rel=1e-4
    )


def test_little_music_or_no_strength_changes_nothing() -> None:
    assert heard(*[60] * (FEWEST - 1)).adjust(FLAT, ANY, 1.0) is FLAT
    assert heard(*[60] * FEWEST).adjust(FLAT, ANY, 0.0) is FLAT
    assert heard(*[60] * FEWEST).adjust(FLAT, ~OWN_KEYS, 1.0) is FLAT


@pytest.mark.parametrize("nothing", [-np.inf, np.nan])
def test_keys_that_the_model_never_strikes_stay_so_and_make_no_others_unsure(nothing: float) -> None:
    logits = FLAT.copy()
    logits[OWN_KEYS] = nothing
    assert heard(*[60] * FEWEST).adjust(logits, ANY, 1.0) is logits
    logits[VOCABULARY.on(Role.OWN, 60)] = 0.0
    leaned = heard(*[60] * FEWEST).adjust(logits, ANY, 1.0)
    assert leaned[VOCABULARY.on(Role.OWN, 60)] == pytest.approx(0.0)
    assert np.array_equal(leaned, logits, equal_nan=True)


@given(st.lists(pitches, max_size=3 * REMEMBERED))
def test_what_is_long_past_says_nothing(before: list[int]) -> None:
    last = [40 + number % 30 for number in range(REMEMBERED)]
    np.testing.assert_array_equal(heard(*before, *last).adjust(FLAT, ANY, 1.0), heard(*last).adjust(FLAT, ANY, 1.0))
    copied = heard(*before).copy()
    for pitch in last:
        copied.hear(pitch)
    assert gain(copied, 60) == gain(heard(*last), 60)
