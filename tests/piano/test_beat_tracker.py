"""The beat tracker: steady playing is found, what comes later changes nothing of what was told, odds stay odds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.beat_table import LIKELIHOODS, SLOWER_THAN_FRAMES
from piano.beat_tracker import KINDS, LONGEST_SILENCE_NS, PLACES, BeatTracker, place_of

MS = 1_000_000
KEYS = st.lists(st.tuples(st.integers(0, 700), st.integers(21, 108), st.integers(1, 127)), max_size=40)


def test_the_table_gives_odds_for_each_place() -> None:
    table = np.array(LIKELIHOODS)
    assert table.shape == (len(SLOWER_THAN_FRAMES) + 1, PLACES, KINDS)
    assert (table > 0).all()
    assert table.sum(axis=2) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("period_ms", [430, 500, 700])
@pytest.mark.parametrize("off_ms", [0, 15])
def test_a_steady_accompaniment_is_found_within_eight_beats(period_ms: int, off_ms: int) -> None:
    rng = np.random.default_rng(1)
    tracker = BeatTracker()
    for index in range(18):
        at_ms = 1000 + index * period_ms / 2 + rng.uniform(-off_ms, off_ms)
        keys = [(40, 85), (64, 75)] if index % 2 == 0 else [(67, 50)]
        for pitch, velocity in keys:
            tracker.hear(round(at_ms * MS), pitch, velocity)
    guess = tracker.estimate()
    assert guess is not None
    assert guess.period_ns == pytest.approx(period_ms * MS, rel=0.05)
    place = (guess.beat_ns - 1000 * MS) / (period_ms * MS)
    assert abs(place - round(place)) * period_ms < 50
    assert guess.confidence > 0.5


@settings(max_examples=30, deadline=None)
@given(KEYS)
def test_whatever_is_played_it_tells_a_beat_within_its_range(keys: list[tuple[int, int, int]]) -> None:
    tracker, at_ns = BeatTracker(), 10**12
    assert tracker.estimate() is None
    for gap_ms, pitch, velocity in keys:
        at_ns += gap_ms * MS
        tracker.hear(at_ns, pitch, velocity)
        guess = tracker.estimate()
        assert guess is not None
        assert 280 * MS <= guess.period_ns <= 1500 * MS
        assert -1500 * MS < guess.beat_ns - at_ns < 1500 * MS
        assert 0 <= guess.confidence <= 1 + 1e-9


def test_after_a_long_silence_it_begins_anew() -> None:
    first, second = BeatTracker(), BeatTracker()
    for index in range(10):
        first.hear(index * 400 * MS, 50, 70)
    later_ns = 4000 * MS + 2 * LONGEST_SILENCE_NS
    for tracker in (first, second):
        tracker.hear(later_ns, 50, 70)
        tracker.hear(later_ns + 600 * MS, 50, 70)
    assert first.estimate() == second.estimate()


def test_places_are_told_by_their_distance_in_time() -> None:
    places = place_of(np.arange(40), 40)
    assert places[[0, 1, 39]].tolist() == [0, 0, 0]
    assert places[[19, 20, 21]].tolist() == [1, 1, 1]
    assert places[[10, 30, 13, 27]].tolist() == [2, 2, 3, 3]
    assert set(places[4:8].tolist()) == {4}
