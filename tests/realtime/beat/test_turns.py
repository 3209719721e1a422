"""Whose bars these are: turns tile the time, and one begins to play in the bar one plays in, or before the next."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.beat.grid import BeatGrid
from realtime.beat.turns import Turns, first_of

GRIDS = st.builds(BeatGrid, tempo_bpm=st.floats(20, 300), origin_ns=st.integers(0, 10**15), beats=st.integers(1, 12))


@given(GRIDS, st.integers(1, 16), st.integers(0, 20), st.integers(0, 10**12))
def test_each_moment_lies_in_one_turn_and_every_other_one_is_pianods(
    grid: BeatGrid, bars: int, first_bar: int, later_ns: int
) -> None:
    turns = Turns(first_bar * grid.beats, bars)
    at_ns = turns.begins_ns(0, grid) + later_ns
    number = turns.number_at(at_ns, grid)
    slack_ns = grid.period_ns * bars * grid.beats * 1e-5
    assert turns.begins_ns(number, grid) - slack_ns <= at_ns < turns.begins_ns(number + 1, grid) + slack_ns
    assert grid.is_downbeat(turns.begins(number, grid))
    own = turns.own_from(at_ns, grid)
    assert own % 2 == 1
    assert number <= own <= number + 2


@given(GRIDS, st.integers(0, 10**12))
def test_a_pick_up_belongs_to_the_bar_that_follows(grid: BeatGrid, later_ns: int) -> None:
    at_ns = grid.origin_ns + later_ns
    first = first_of(at_ns, grid)
    assert grid.is_downbeat(first)
    assert -grid.beats - 1e-3 < first - grid.place(at_ns) <= 1 + 1e-3
