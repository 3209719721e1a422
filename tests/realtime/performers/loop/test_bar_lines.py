"""A loop in bars: where beats are kept its seams are bar lines, and its answers are drawn to the beat."""

from dataclasses import replace

import pytest

from realtime.beat.grid import DIVISIONS
from realtime.engine.commands import HandOver
from realtime.engine.offline_run import OfflineRun
from realtime.performers.loop.bar_lines import BarLines
from tests.support.loops import HELD, LOUD, ON_WISH, a_loop, loop_of, struck_in, tell
from tests.support.scripted_play import MS, S, note, wire
from tests.support.session_models import model_of_chance

BAR_NS = 2 * S


def keeping(run: OfflineRun) -> OfflineRun:
    """Give a run beats that are heard: 120 a minute, four to a bar, from a second on."""
    run.partner.beats.is_heard = True
    run.partner.beats.set(120.0, 4, 0, origin_ns=S)
    return run


@pytest.mark.parametrize(
    ("first_ms", "begins_ms"), [(1000, 1000), (1300, 1000), (2700, 1000), (2800, 3000), (3040, 3000)]
)
@pytest.mark.parametrize(("asks_ms", "bars"), [(-120, 1), (0, 1), (300, 1), (700, 2), (1900, 2)])
def test_it_begins_at_a_bar_line_and_lasts_whole_bars(first_ms: int, begins_ms: int, asks_ms: int, bars: int) -> None:
    run = keeping(a_loop(ON_WISH))
    run.play(wire([*note(first_ms / 1000, 60, 0.1), *note(begins_ms / 1000 + 1.2, 64, 0.1)]))
    run.run_until((begins_ms + 2000 + asks_ms) * MS)
    tell(run, HandOver())
    run.run_until(20 * S)
    loop = loop_of(run)
    assert loop.length_ns == bars * BAR_NS
    assert (loop.began_ns - S) % BAR_NS == 0
    struck = struck_in(run, 2, begins_ms * MS, bars * BAR_NS)
    assert struck == sorted([(max(first_ms - begins_ms, 0) * MS, 60), (1200 * MS, 64)])


def test_one_who_ends_it_early_may_play_on_at_once() -> None:
    loop = keeping(a_loop(ON_WISH))
    loop.play(wire([*note(1.0, 60, 0.1), *note(2.9, 72, 0.3)]))
    loop.run_until(2800 * MS)
    tell(loop, HandOver())
    loop.run_until(9 * S)
    assert [pitch for _, pitch in struck_in(loop, 2, S, BAR_NS)] == [60], "the pick-up to what comes is none of it"


def test_where_no_beats_are_kept_it_is_as_it_was_played() -> None:
    bars = BarLines()
    assert (bars.begins_ns(123), bars.length_ns(4567 * MS, S), bars.length_ns(5, S)) == (123, 4567 * MS, S)


def test_answers_are_drawn_to_the_beat_once_they_are_found_before_their_pass() -> None:
    def offsets(grid: float) -> list[int]:
        how = replace(LOUD, grid=grid)
        run = keeping(a_loop(how, model_of_chance(3)))
        run.play(wire([*note(1.0, 60, 0.2), *note(1.5, 64, 0.2)]))
        run.run_until(3 * S)
        tell(run, HandOver())
        run.run_until(9 * S)
        assert loop_of(run).length_ns == BAR_NS
        return [offset for number in (1, 2) for offset, pitch in struck_in(run, number, 3 * S, BAR_NS) if pitch >= 80]

    drawn, free = offsets(1.0), offsets(0.0)
    assert drawn
    assert free
    lines = {round(beat * S / 2 / parts) for parts in DIVISIONS for beat in range(4 * parts + 1)}
    near = [min(abs(offset - line) for line in lines) for offset in drawn]
    assert sum(off < 1000 for off in near) >= 0.9 * len(near), "but for those at the seam"
    assert HELD.grid == 0.0
