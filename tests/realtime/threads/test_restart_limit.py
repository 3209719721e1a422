"""A thread may begin again a few times in a while, and again after it."""

from realtime.threads.restart_limit import MOST, WITHIN_NS, RestartLimit
from tests.support.scripted_play import S


def test_too_many_failures_in_a_while_are_the_end() -> None:
    chances = RestartLimit()
    assert [chances.take(at * S) for at in range(MOST + 1)] == [True] * MOST + [False]


def test_failures_that_are_long_ago_count_no_more() -> None:
    chances = RestartLimit()
    gap_ns = WITHIN_NS // MOST + 1
    assert all(chances.take(at * gap_ns) for at in range(50))
