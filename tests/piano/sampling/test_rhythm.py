"""The rhythm that is going on: what repeats is expected at its moment, what does not is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.sampling.rhythm import NO_RHYTHM, Rhythm


def heard(waits: list[int], chord: int = 1) -> Rhythm:
    """Return the rhythm of keys that went down after such waits, each a chord of so many, a step apart."""
    rhythm, step = NO_RHYTHM.after(0), 0
    for wait in waits:
        step += wait
        for late in range(chord):
            rhythm = rhythm.after(step + late)
    return rhythm


@pytest.mark.parametrize("chord", [1, 3])
@pytest.mark.parametrize(
    ("waits", "expected"), [([25] * 8, 25), ([30, 10] * 5, 30), ([40, 20, 20] * 4, 40), ([24, 26, 25, 25, 24, 26], 25)]
)
def test_what_repeats_is_expected_at_its_moment(waits: list[int], expected: int, chord: int) -> None:
    rhythm = heard(waits, chord)
    forecast = rhythm.forecast()
    assert forecast is not None
    assert forecast.odds > 1.5
    assert forecast.dues[0].step == pytest.approx(sum(waits) + expected, abs=2)


def test_waits_without_a_rhythm_are_hardly_believed() -> None:
    rng = np.random.default_rng(3)
    odds = []
    for _ in range(50):
        forecast = heard(np.exp(rng.uniform(1.5, 5, 12)).astype(int).tolist()).forecast()
        odds.append(0.0 if forecast is None else forecast.odds)
    assert np.median(odds) < 0.8


def test_nothing_is_expected_before_there_is_a_wait() -> None:
    assert NO_RHYTHM.forecast() is None
    assert NO_RHYTHM.after(7).forecast() is None


@given(st.lists(st.integers(0, 400), max_size=40))
def test_the_weights_are_never_more_than_one(waits: list[int]) -> None:
    rhythm = heard(waits)
    assert len(rhythm.waits) == len(rhythm.weights)
    assert all(0 <= weight <= 1 for weight in rhythm.weights)
    assert sum(rhythm.weights) <= 1 + 1e-9
    forecast = rhythm.forecast()
    if forecast is not None:
        assert sum(due.share for due in forecast.dues) == pytest.approx(1)
        assert np.isfinite(forecast.odds)
