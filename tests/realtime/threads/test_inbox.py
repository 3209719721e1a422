"""The inbox gives messages in order, or None at the deadline, on both clocks."""

import threading

from realtime.midi.memory_ports import ScriptedPlayer
from realtime.threads.clock import ManualClock, MonotonicClock
from realtime.threads.inbox import Inbox


def test_messages_come_in_order_and_the_deadline_without_one() -> None:
    clock = ManualClock()
    inbox: Inbox[str] = Inbox(clock)
    inbox.put("first")
    inbox.put("second")
    assert len(inbox) == 2
    assert [inbox.get(50), inbox.get(50), inbox.get(50)] == ["first", "second", None]
    assert clock.now_ns() == 50


def test_a_deadline_that_has_passed_only_looks() -> None:
    clock = ManualClock(10)
    inbox: Inbox[str] = Inbox(clock)
    assert inbox.get(10) is None
    inbox.put("there")
    assert inbox.get(0) == "there"
    assert clock.now_ns() == 10


def test_a_script_on_the_manual_clock_wakes_the_owner_at_its_moments() -> None:
    clock = ManualClock()
    inbox: Inbox[bytes] = Inbox(clock)
    clock.attach(ScriptedPlayer([(30, b"\x80\x3c\x00"), (20, b"\x90\x3c\x40")], inbox.put))
    assert inbox.get(10) is None
    assert (inbox.get(None), clock.now_ns()) == (b"\x90\x3c\x40", 20)
    assert (inbox.get(1000), clock.now_ns()) == (b"\x80\x3c\x00", 30)


def test_another_thread_wakes_the_owner() -> None:
    inbox: Inbox[int] = Inbox(MonotonicClock())
    taken: list[int | None] = []
    owner = threading.Thread(target=lambda: taken.extend(inbox.get(None) for _ in range(100)))
    owner.start()
    for number in range(100):
        inbox.put(number)
    owner.join()
    assert taken == list(range(100))


def test_a_deadline_passes_on_the_monotonic_clock() -> None:
    clock = MonotonicClock()
    inbox: Inbox[int] = Inbox(clock)
    assert inbox.get(clock.now_ns() + 1_000_000) is None
