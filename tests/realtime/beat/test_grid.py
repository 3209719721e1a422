"""The grid of beats: arithmetic that holds for any tempo and any moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.beat.grid import BeatGrid
from realtime.threads.clock import NS_PER_MS, NS_PER_S

GRIDS = st.builds(BeatGrid, tempo_bpm=st.floats(20, 300), origin_ns=st.integers(0, 10**15), beats=st.integers(1, 12))
LATER_NS = st.integers(0, 10**12)


@given(GRIDS, LATER_NS)
def test_the_next_beat_is_the_first_that_is_not_before_a_moment(grid: BeatGrid, later_ns: int) -> None:
    at_ns = grid.origin_ns + later_ns
    beat = grid.beat_from(at_ns)
    assert grid.moment_ns(beat) >= at_ns - grid.period_ns * 1e-5
    assert grid.moment_ns(beat - 1) < at_ns


@given(GRIDS, LATER_NS)
def test_the_next_downbeat_begins_a_bar_and_no_other_lies_before_it(grid: BeatGrid, later_ns: int) -> None:
    at_ns = grid.origin_ns + later_ns
    downbeat = grid.downbeat_from(at_ns)
    assert grid.is_downbeat(downbeat)
    assert 0 <= downbeat - grid.beat_from(at_ns) < grid.beats
    bar, beat = grid.bar_and_beat(grid.moment_ns(downbeat) + NS_PER_MS)
    assert (bar * grid.beats, beat) == (downbeat, 0)


@given(GRIDS, LATER_NS, st.floats(20, 300))
def test_a_change_of_tempo_goes_on_from_where_one_is(grid: BeatGrid, later_ns: int, tempo_bpm: float) -> None:
    now_ns = grid.origin_ns + later_ns
    after = grid.at_tempo(tempo_bpm, now_ns)
    assert after.place(now_ns) == pytest.approx(grid.place(now_ns), abs=1e-4)
    assert after.moment_ns(grid.beat_from(now_ns)) >= now_ns - NS_PER_MS


def test_a_clock_is_told_the_same_beats() -> None:
    grid = BeatGrid(120.0, 5 * NS_PER_S, count=3)
    clock = grid.as_clock()
    assert (clock.tempo_bpm, clock.origin_ns, clock.runs, clock.count) == (120.0, 5 * NS_PER_S, True, 3)
