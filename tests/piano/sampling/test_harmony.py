"""Keys that lean to the changes: which key, never whether or when; all within the scale at full strength."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from piano.changes import scale_tones
from piano.cues import CUES, FIRST_CHORD, NO_CHORD, tones
from piano.events import Role
from piano.sampling.harmony import adjust
from piano.tokens.grammar import Grammar
from piano.tokens.vocabulary import VOCABULARY, Kind

CODES = st.integers(FIRST_CHORD, CUES - 1)
OWN_ON = (VOCABULARY.kinds == Kind.ON) & (VOCABULARY.roles == Role.OWN)
MASK = Grammar().mask()


def odds(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    weights = np.exp(np.where(MASK, logits, -np.inf) - logits[MASK].max()).astype(np.float64)
    return np.asarray(weights / weights.sum(), np.float64)


@given(CODES, st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_that_a_key_goes_down_stays_as_likely_and_all_else_too(code: int, strength: float, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 3, VOCABULARY.size).astype(np.float32)
    before, after = odds(logits), odds(adjust(logits, MASK, code, strength))
    assert after[OWN_ON].sum() == pytest.approx(before[OWN_ON].sum(), rel=1e-3)
    assert after[~OWN_ON] == pytest.approx(before[~OWN_ON], rel=1e-3, abs=1e-9)


@given(CODES, st.floats(0.05, 1))
def test_chord_tones_before_scale_tones_before_all_others(code: int, strength: float) -> None:
    logits = adjust(np.zeros(VOCABULARY.size, np.float32), MASK, code, strength)
    by_class = {pitch % 12: float(logits[VOCABULARY.on(Role.OWN, pitch)]) for pitch in range(48, 60)}
    in_chord = {by_class[tone] for tone in tones(code)}
    passing = {by_class[tone] for tone in scale_tones(code) - tones(code)}
    foreign = {by_class[tone] for tone in set(range(12)) - scale_tones(code)}
    assert max(in_chord) > max(passing) > max(foreign)
    assert max(in_chord) == pytest.approx(min(in_chord), abs=1e-5)


@given(CODES)
def test_at_full_strength_nothing_outside_the_scale(code: int) -> None:
    after = odds(adjust(np.zeros(VOCABULARY.size, np.float32), MASK, code, 1.0))
    struck = VOCABULARY.values[OWN_ON & (after > 0)] % 12
    assert set(struck.tolist()) <= scale_tones(code)


def test_without_strength_or_chord_nothing_changes() -> None:
    logits = np.zeros(VOCABULARY.size, np.float32)
    assert adjust(logits, MASK, FIRST_CHORD, 0.0) is logits
    assert adjust(logits, MASK, NO_CHORD, 1.0) is logits
