"""Taps: the third tells the tempo, uneven ones are evened out, another series begins anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.beat.taps import FEWEST, Taps
from realtime.threads.clock import NS_PER_MS, NS_PER_S


@given(
    st.integers(300, 1500),
    st.lists(st.integers(-15, 15), min_size=FEWEST, max_size=20),
    st.integers(0, 10**6),
)
def test_uneven_taps_make_a_steady_tempo(period_ms: int, off_ms: list[int], first_ms: int) -> None:
    taps = Taps()
    line = None
    for index, off in enumerate(off_ms):
        line = taps.tap((first_ms + 1000 + index * period_ms + off) * NS_PER_MS)
        assert (line is None) == (index + 1 < FEWEST)
    assert line is not None
    origin_ns, period_ns = line
    assert period_ns == pytest.approx(period_ms * NS_PER_MS, abs=16 * NS_PER_MS)
    last = len(off_ms) - 1
    at_end_ms = first_ms + 1000 + last * period_ms
    within_ms = 15 * 5 / 3  # at its end a straight line through points is off by no more than 5/3 of the worst of them
    assert origin_ns + last * period_ns == pytest.approx(at_end_ms * NS_PER_MS, abs=within_ms * NS_PER_MS)
    assert taps.series == 1


def test_after_a_pause_or_at_another_pace_another_series_begins() -> None:
    taps = Taps()
    for at_ms in (0, 500, 1000):
        taps.tap(at_ms * NS_PER_MS)
    lines = [taps.tap(9 * NS_PER_S + at_ms * NS_PER_MS) for at_ms in (0, 300, 600, 1600)]
    assert lines == [None, None, (9 * NS_PER_S, 300 * NS_PER_MS), None]
    assert taps.series == 3


def test_a_tap_that_bounces_counts_once() -> None:
    taps = Taps()
    for at_ms in (0, 20, 600, 1200, 1230):
        line = taps.tap(at_ms * NS_PER_MS)
    assert line == (0, 600 * NS_PER_MS)
