"""The pace: what it counts, what it leans on, and that it takes notes back exactly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.sampling.density_guard import FEWEST, MEMORY_S, PIANISTS_NOTES_PER_S, DensityGuard, drawn_notes_per_s
from piano.tokens.vocabulary import VOCABULARY, Kind

LOGITS = np.zeros(VOCABULARY.size, np.float32)
steps = st.lists(st.integers(0, 400), max_size=60).map(lambda gaps: np.cumsum(gaps).tolist())


def paced(onsets: list[int]) -> DensityGuard:
    pace = DensityGuard()
    for step in onsets:
        pace.push(step)
    return pace


def even(notes_per_s: int, seconds: int = 60) -> DensityGuard:
    """Return a pace after so many notes a second, evenly spread."""
    return paced(list(range(0, 100 * seconds, 100 // notes_per_s)))


def exponent(pace: DensityGuard, step: int, aim: float, strength: float = 1.0) -> float:
    """Return the power of its length by which a wait became likelier, and see that all waits agree on it."""
    leant = pace.penalise(LOGITS, step, aim, strength)
    first, last = VOCABULARY.time(5), VOCABULARY.time(100)
    assert leant[first] == 0
    power = float(leant[last]) / math.log(20)
    assert leant[VOCABULARY.time(1)] == pytest.approx(-power * math.log(5), abs=1e-5)
    assert not leant[VOCABULARY.kinds != Kind.TIME].any()
    return power


def test_twice_as_busy_makes_a_wait_twice_as_long_twice_as_likely() -> None:
    assert exponent(even(20), 6000, 10.0) == pytest.approx(1.0, abs=0.2)
    assert exponent(even(5), 6000, 10.0) == pytest.approx(-1.0, abs=0.2)
    assert exponent(even(20), 6000, 10.0, 0.5) == pytest.approx(0.5, abs=0.1)
    assert exponent(even(10), 6000, 10.0) == pytest.approx(0.0, abs=0.02)


def test_however_busy_there_is_a_limit() -> None:
    assert exponent(even(50), 6000, 0.1, 10.0) == pytest.approx(1.5)
    assert exponent(even(1), 60_000, 40.0, 10.0) == pytest.approx(-1.5)


def test_only_what_was_of_late_counts() -> None:
    pace = even(20)
    assert pace.notes_per_s(6000) == pytest.approx(20, abs=0.1)
    assert pace.notes_per_s(6000 + int(100 * MEMORY_S)) is None
    assert exponent(pace, 6000 + int(200 * MEMORY_S), 10.0) < 0


def test_a_few_notes_tell_something_and_weigh_little() -> None:
    assert DensityGuard().notes_per_s(100) is None
    assert paced(list(range(0, 300, 50))).notes_per_s(320) == pytest.approx(2.5, abs=0.1)  # six keys, two a second
    assert paced([0, 0, 0]).notes_per_s(100) == pytest.approx(4.4)  # a chord, and a second of rest
    assert paced([0]).notes_per_s(0) == pytest.approx(PIANISTS_NOTES_PER_S + 4)
    assert paced([0, 10] * (FEWEST // 2)).notes_per_s(100) == FEWEST
    assert DensityGuard().penalise(LOGITS, 0, 8.0, 1.0) is LOGITS
    chord = exponent(paced([0] * 4), 0, 8.0)
    assert 0 < chord < 0.5


def test_without_strength_nothing_changes_and_never_in_place() -> None:
    pace = even(20)
    assert pace.penalise(LOGITS, 6000, 5.0, 0.0) is LOGITS
    pace.penalise(LOGITS, 6000, 5.0, 1.0)
    assert not LOGITS.any()


@given(steps, steps, st.floats(0.5, 40))
def test_what_is_taken_back_was_never_there(kept: list[int], taken: list[int], aim: float) -> None:
    start = kept[-1] if kept else 0
    pace = paced(kept + [start + step for step in taken])
    pace.rollback(len(kept))
    assert len(pace) == len(kept)
    now = start + 37
    np.testing.assert_array_equal(pace.penalise(LOGITS, now, aim, 1.0), paced(kept).penalise(LOGITS, now, aim, 1.0))
    assert pace.notes_per_s(now) == paced(kept).notes_per_s(now)


@pytest.mark.parametrize("length", [-1, 3])
def test_notes_that_are_not_there_cannot_be_kept(length: int) -> None:
    with pytest.raises(ValueError, match="2 notes roll back to 0 to 2"):
        paced([0, 1]).rollback(length)


def test_pieces_differ_as_those_of_pianists_do_and_a_seed_is_one_piece() -> None:
    drawn = [drawn_notes_per_s(seed) for seed in range(2000)]
    assert drawn[7] == drawn_notes_per_s(7)
    assert np.median(drawn) == pytest.approx(PIANISTS_NOTES_PER_S, rel=0.05)
    assert np.mean([7.1 < each < 14.1 for each in drawn]) == pytest.approx(0.68, abs=0.05)
