"""The clock that is moved by hand runs what is due in order and never waits."""

import threading

import pytest

from realtime.threads.clock import ManualClock, MonotonicClock


class Diary:
    """A due source that notes when it ran."""

    def __init__(self, name: str, moments_ns: list[int], pages: list[tuple[str, int, int]], clock: ManualClock) -> None:
        self.name = name
        self.moments_ns = moments_ns
        self.pages = pages
        self.clock = clock

    def next_due_ns(self) -> int | None:
        return self.moments_ns[0] if self.moments_ns else None

    def run_due(self, now_ns: int) -> None:
        while self.moments_ns and self.moments_ns[0] <= now_ns:
            self.pages.append((self.name, self.moments_ns.pop(0), self.clock.now_ns()))


def test_sources_run_in_order_each_at_its_moment() -> None:
    clock = ManualClock()
    pages: list[tuple[str, int, int]] = []
    clock.attach(Diary("a", [10, 30], pages, clock))
    clock.attach(Diary("b", [20, 30, 90], pages, clock))
    clock.advance_to(50)
    assert pages == [("a", 10, 10), ("b", 20, 20), ("a", 30, 30), ("b", 30, 30)]
    assert clock.now_ns() == 50


def test_the_manual_clock_does_not_run_backwards() -> None:
    clock = ManualClock(7)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance_to(6)
    assert clock.now_ns() == 7


def test_a_wait_moves_to_what_is_due_then_to_the_deadline() -> None:
    clock = ManualClock()
    pages: list[tuple[str, int, int]] = []
    clock.attach(Diary("a", [10], pages, clock))
    condition = threading.Condition()
    with condition:
        clock.wait(condition, 25)
        assert clock.now_ns() == 10
        clock.wait(condition, 25)
    assert clock.now_ns() == 25


def test_waiting_for_nothing_for_ever_is_refused() -> None:
    condition = threading.Condition()
    with condition, pytest.raises(RuntimeError, match="for ever"):
        ManualClock().wait(condition, None)


def test_something_overdue_runs_without_moving_the_clock_back() -> None:
    clock = ManualClock(100)
    pages: list[tuple[str, int, int]] = []
    clock.attach(Diary("late", [40], pages, clock))
    clock.advance_to(100)
    assert pages == [("late", 40, 100)]


def test_the_monotonic_clock_returns_from_a_deadline_that_has_passed() -> None:
    clock = MonotonicClock()
    condition = threading.Condition()
    with condition:
        clock.wait(condition, clock.now_ns() - 1)
        clock.wait(condition, clock.now_ns() + 1000)
