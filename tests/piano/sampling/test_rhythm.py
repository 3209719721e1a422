"""The rhythm that is going on: what repeats becomes likelier at its moment, and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from piano.events import Role
from piano.sampling.rhythm import NO_RHYTHM, REMEMBERED, Rhythm
from piano.tokens.vocabulary import VOCABULARY

FLAT = np.zeros(VOCABULARY.size, np.float32)
KEY = VOCABULARY.on(Role.OWN, 60)


def heard(waits: list[int], chord: int = 1) -> Rhythm:
    """Return the rhythm of keys that went down after such waits, each a chord of so many, a step apart."""
    rhythm, step = NO_RHYTHM.after(0), 0
    for wait in waits:
        step += wait
        for late in range(chord):
            rhythm = rhythm.after(step + late)
    return rhythm


def leant(rhythm: Rhythm, step: int, strength: float = 1.0) -> NDArray[np.float32]:
    logits = FLAT.copy()
    rhythm.adjust(logits, step, strength)
    return logits


@pytest.mark.parametrize("chord", [1, 3])
@pytest.mark.parametrize(
    ("waits", "expected"), [([25] * 8, 25), ([30, 10] * 5, 30), ([40, 20, 20], 20), ([24, 26, 25, 25, 24, 26], 26)]
)
def test_what_repeats_is_expected_at_its_moment(waits: list[int], expected: int, chord: int) -> None:
    last, rhythm = sum(waits), heard(waits, chord)
    found = rhythm.expected()
    assert found is not None
    assert found[0] == last + expected
    times = leant(rhythm, last)[VOCABULARY.first_time : VOCABULARY.first_time + 100]
    assert times.argmax() + 1 == expected
    assert leant(rhythm, last + expected)[KEY] > 0.1
    assert leant(rhythm, last + expected // 2)[KEY] < 0.02


def test_the_longer_it_was_so_the_likelier_it_goes_on() -> None:
    strengths = [found[1] for waits in ([20, 35], [20, 20], [20] * 3, [20] * 5) if (found := heard(waits).expected())]
    assert strengths == sorted(strengths)
    assert len(set(strengths)) == 4


def test_the_keys_of_a_chord_stay_as_they_were() -> None:
    rhythm = heard([4] * 6)
    assert leant(rhythm, 24 + 3)[KEY] == 0
    assert leant(rhythm, 24 + 4)[KEY] > 0.1


def test_nothing_is_expected_before_there_is_a_wait_and_nothing_at_no_strength() -> None:
    for rhythm in (NO_RHYTHM, NO_RHYTHM.after(7)):
        assert rhythm.expected() is None
        assert np.array_equal(leant(rhythm, 10), FLAT)
    assert np.array_equal(leant(heard([20] * 5), 100, 0.0), FLAT)


def test_that_another_key_joins_the_chord_stays_as_likely() -> None:
    time = slice(VOCABULARY.first_time, VOCABULARY.first_time + 100)
    logits = leant(heard([20] * 5), 100, 2.0)
    assert logits[time].max() > 0.5
    assert np.logaddexp.reduce(logits[time]) == pytest.approx(np.log(100), abs=1e-5)


@given(st.lists(st.integers(0, 400), max_size=40), st.integers(0, 300), st.floats(0, 10))
def test_nothing_becomes_less_likely_together_and_no_other_kind_changes(
    waits: list[int], later: int, strength: float
) -> None:
    rhythm = heard(waits)
    assert len(rhythm.waits) <= REMEMBERED
    logits = leant(rhythm, sum(waits) + later, strength)
    time = slice(VOCABULARY.first_time, VOCABULARY.first_time + 100)
    assert np.logaddexp.reduce(logits[time]) > np.log(100) - 1e-4, "all waits together, while a key may join the chord"
    assert (np.delete(logits, np.arange(time.start, time.stop)) >= 0).all()
    assert np.isfinite(logits).all()
    changed = logits.nonzero()[0]
    assert all(
        VOCABULARY.first_time <= token < VOCABULARY.first_time + 100 or token >= VOCABULARY.first_on
        for token in changed
    )
    assert not logits[VOCABULARY.off(Role.OWN, 60)]
    assert not logits[VOCABULARY.on(Role.GIVEN, 60)]
