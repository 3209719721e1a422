"""The output, by hand on the manual clock and as a thread: moments, port loss, and what is released at the end."""

import threading
from typing import Any

import pytest

from piano.errors import PortError
from piano.events import NoteOff, NoteOn, Pedal
from realtime.midi.memory_ports import MemoryOutputPort
from realtime.midi.port_events import PortLost, ThreadFailed, ThreadRevived
from realtime.midi.ports import Direction
from realtime.output.event_queue import Release
from realtime.output.listener import OutputListener
from realtime.output.output_status import SchedulerSettings
from realtime.output.scheduler import Scheduler
from realtime.threads.clock import NS_PER_S, ManualClock, MonotonicClock
from realtime.threads.inbox import Inbox
from realtime.threads.restart_limit import MOST
from tests.support.listener import Listener
from tests.support.told import ToldOutput

NO_PRIORITY = SchedulerSettings(priority=None)


def on_stage() -> tuple[ManualClock, MemoryOutputPort, Scheduler]:
    clock = ManualClock()
    port = MemoryOutputPort(clock)
    scheduler = Scheduler(clock, port)
    clock.attach(scheduler)
    return clock, port, scheduler


def test_events_go_out_at_their_moments_however_far_the_clock_moves() -> None:
    clock, port, scheduler = on_stage()
    for at_ns, event in ((3 * NS_PER_S, NoteOff(60)), (NS_PER_S, NoteOn(60, 80)), (2 * NS_PER_S, Pedal(down=True))):
        scheduler.schedule(at_ns, event)
    clock.advance_to(10 * NS_PER_S)
    assert [(sent.at_ns // NS_PER_S, sent.data.hex(" ")) for sent in port.sent] == [
        (1, "90 3c 50"),
        (2, "b0 40 7f"),
        (3, "80 3c 40"),
    ]
    status = scheduler.status()
    assert (status.sent, status.pending, status.own_lateness.count, status.own_lateness.max_ms) == (3, 0, 3, 0.0)
    assert status.sounding.own_pedal


def test_the_longest_duration_is_a_moment_of_its_own() -> None:
    clock, port, scheduler = on_stage()
    scheduler.send_now(NoteOn(60, 80))
    clock.advance_to(100 * NS_PER_S)
    assert [(sent.at_ns // NS_PER_S, sent.data.hex(" ")) for sent in port.sent] == [(0, "90 3c 50"), (30, "80 3c 40")]
    assert scheduler.status().overlong == 1


def test_the_players_key_is_passed_on_while_ours_are_invalidated() -> None:
    clock, port, scheduler = on_stage()
    scheduler.schedule(5, NoteOn(64, 80))
    scheduler.schedule(900, NoteOff(64))
    clock.advance_to(10)
    scheduler.through(bytes.fromhex("90 3c 64"))
    scheduler.invalidate(release=Release.AT_ONCE)
    assert [sent.data.hex(" ") for sent in port.sent] == ["90 40 50", "90 3c 64", "80 40 40"]
    assert scheduler.status().sounding.thru == ((0, 60),)


def test_a_release_at_a_later_moment() -> None:
    clock, port, scheduler = on_stage()
    scheduler.send_now(NoteOn(60, 80))
    scheduler.release_own(70)
    scheduler.invalidate()
    clock.advance_to(100)
    assert [(sent.at_ns, sent.data.hex(" ")) for sent in port.sent] == [(0, "90 3c 50"), (70, "80 3c 40")]


def test_stop_releases_everything_closes_the_port_and_ignores_the_rest() -> None:
    _, port, scheduler = on_stage()
    listener = Listener()
    scheduler.send_now(NoteOn(60, 80))
    scheduler.send_now(Pedal(down=True))
    scheduler.through(bytes.fromhex("93 3c 64"))
    scheduler.stop()
    scheduler.send_now(NoteOn(70, 80))
    scheduler.stop()
    for sent in port.sent:
        listener.hear(sent.data)
    assert listener.is_silent()
    assert port.is_closed
    assert port.sent[-1].data == bytes.fromhex("b3 7b 00")


def test_a_lost_port_is_reported_once_counted_and_silenced_when_it_is_back() -> None:
    clock = ManualClock()
    first, second = MemoryOutputPort(clock, "synth"), MemoryOutputPort(clock, "synth")
    reports: list[PortLost | ThreadRevived | ThreadFailed] = []
    scheduler = Scheduler(clock, first, report=reports.append)
    clock.attach(scheduler)
    scheduler.schedule(10, NoteOn(60, 80))
    scheduler.schedule(20, NoteOff(60))
    scheduler.schedule(30, NoteOn(62, 80))
    clock.advance_to(15)
    first.unplug()
    clock.advance_to(40)
    assert [(report.direction, report.name) for report in reports if isinstance(report, PortLost)] == [
        (Direction.OUTPUT, "synth")
    ]
    assert (scheduler.status().is_lost, scheduler.status().undelivered) == (True, 2)
    scheduler.set_port(second)
    assert [sent.data.hex(" ") for sent in second.sent][:2] == ["80 3c 40", "80 3e 40"]
    scheduler.send_now(NoteOn(64, 80))
    assert second.sent[-1].data == bytes.fromhex("90 40 50")
    assert not scheduler.status().is_lost


def test_a_thread_that_fails_while_the_port_is_away_forgets_nothing_that_sounds_there() -> None:
    clock, port, scheduler = on_stage()
    listener = Listener()
    scheduler.through(bytes.fromhex("90 3c 50"))
    listener.hear(port.sent[0].data)
    port.unplug()
    scheduler.send_now(NoteOn(62, 80))
    scheduler._begin_again(ArithmeticError("on purpose"))
    scheduler.set_port(MemoryOutputPort(clock, deliver=listener.hear))
    assert listener.is_silent()


def test_what_went_out_is_told() -> None:
    clock = ManualClock(7)
    told = ToldOutput()
    scheduler = Scheduler(clock, MemoryOutputPort(clock), listener=told)
    scheduler.send_now(NoteOn(60, 80))
    assert told.all == told.own == [(7, bytes.fromhex("90 3c 50"))]


def test_a_thread_needs_a_clock_that_runs() -> None:
    _, _, scheduler = on_stage()
    with pytest.raises(ValueError, match="MonotonicClock"):
        scheduler.start()


class Far:
    """The far end of a real output thread: hears, and says when as many messages have come as were waited for."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.listener = Listener()
        self.count = 0
        self.reached = threading.Event()

    def hear(self, data: bytes) -> None:
        self.listener.hear(data)
        self.count += 1
        if self.count == self.expected:
            self.reached.set()


def test_the_thread_sends_in_order_and_not_before_the_moment() -> None:
    clock = MonotonicClock()
    far = Far(200)
    port = MemoryOutputPort(clock, deliver=far.hear)
    start_ns = clock.now_ns()
    dues_ns = [start_ns + step * 700_000 for step in range(200)]
    with Scheduler(clock, port, NO_PRIORITY) as scheduler:
        for step in reversed(range(200)):
            event = NoteOff(60 + step // 2 % 20) if step % 2 else NoteOn(60 + step // 2 % 20, 80)
            scheduler.schedule(dues_ns[step], event)
        assert far.reached.wait(30)
    assert all(sent.at_ns >= due_ns for sent, due_ns in zip(port.sent, dues_ns, strict=False))
    assert far.listener.is_silent()
    assert port.is_closed


def test_many_threads_may_post_and_the_end_is_silent() -> None:
    clock = MonotonicClock()
    far = Far(0)
    port = MemoryOutputPort(clock, deliver=far.hear)
    with Scheduler(clock, port, NO_PRIORITY) as scheduler:

        def post(offset: int) -> None:
            for step in range(300):
                scheduler.schedule(clock.now_ns() + step * 1000, NoteOn(60 + (step + offset) % 12, 80), step // 50)
                scheduler.through(bytes((0x90, 60 + step % 12, step % 2 * 64)))
                if step % 50 == 49:
                    scheduler.invalidate(release=Release.AT_ONCE)

        threads = [threading.Thread(target=post, args=(offset,)) for offset in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert far.listener.is_silent()
    assert scheduler.status().sounding.own == ()


class FailingThread:
    """A real output thread that fails as often as it is asked to, and its far end."""

    def __init__(self) -> None:
        clock = MonotonicClock()
        self.inbox: Inbox[Any] = Inbox(clock)
        self.far = Far(0)
        self.port = MemoryOutputPort(clock, deliver=self.far.hear)
        self.scheduler = Scheduler(clock, self.port, NO_PRIORITY, report=self.inbox.put)
        self.scheduler.start()

    def fail(self) -> Any:
        """Let a command raise; return what is told of it."""
        self.scheduler._post(lambda: 1 // 0)  # type: ignore[arg-type]
        return self.inbox.get(None)


def test_an_error_in_the_thread_releases_what_sounds_and_the_thread_goes_on() -> None:
    stage = FailingThread()
    stage.scheduler.through(bytes.fromhex("90 3c 50"))
    stage.scheduler.send_now(Pedal(down=True))
    stage.scheduler.schedule(MonotonicClock().now_ns() + 3600 * NS_PER_S, NoteOn(62, 80))
    told = stage.fail()
    assert isinstance(told, ThreadRevived)
    assert told.direction is Direction.OUTPUT
    assert "ZeroDivisionError" in told.reason
    assert stage.far.listener.is_silent()
    assert stage.scheduler.status().pending == 0
    stage.far.reached.clear()
    stage.far.expected = stage.far.count + 1
    stage.scheduler.through(bytes.fromhex("90 40 50"))
    assert stage.far.reached.wait(30), "the player plays on"
    stage.scheduler.stop()
    assert stage.far.listener.is_silent()


def test_a_thread_that_fails_again_and_again_releases_what_sounds_and_ends() -> None:
    stage = FailingThread()
    for _ in range(MOST):
        stage.scheduler.through(bytes.fromhex("90 3c 50"))
        assert isinstance(stage.fail(), ThreadRevived)
    stage.scheduler.through(bytes.fromhex("90 3c 50"))
    assert isinstance(stage.fail(), ThreadFailed)
    stage.scheduler.stop()
    assert stage.far.listener.is_silent()
    assert stage.port.is_closed


def test_a_listener_that_keeps_failing_is_told_nothing_more_and_the_notes_go_on() -> None:
    clock = MonotonicClock()
    inbox: Inbox[Any] = Inbox(clock)
    far = Far(0)
    port = MemoryOutputPort(clock, deliver=far.hear)

    class Failing(OutputListener):
        def sent(self, at_ns: int, data: bytes, *, own: bool) -> None:  # noqa: ARG002 - the listener's
            raise ZeroDivisionError("on purpose")

    scheduler = Scheduler(clock, port, NO_PRIORITY, report=inbox.put, listener=Failing())
    scheduler.start()
    scheduler.send_now(NoteOn(60, 80))
    assert inbox.get(None) == ThreadRevived(Direction.OUTPUT, "ZeroDivisionError: on purpose")
    assert far.listener.is_silent()
    far.expected = far.count + 1
    scheduler.send_now(NoteOn(62, 80))
    assert far.reached.wait(30)
    assert not scheduler.status().is_lost
    scheduler.stop()
    assert far.listener.is_silent()
    assert port.is_closed


def test_a_port_that_fails_in_a_way_of_its_own_is_lost_and_another_goes_on() -> None:
    class Broken(MemoryOutputPort):
        def send(self, data: bytes) -> None:
            raise RuntimeError(f"no {data.hex()}")

    clock = MonotonicClock()
    inbox: Inbox[Any] = Inbox(clock)
    far = Far(1)
    scheduler = Scheduler(clock, Broken(clock, "synth"), NO_PRIORITY, report=inbox.put)
    scheduler.start()
    scheduler.through(bytes.fromhex("90 3c 50"))
    assert [type(inbox.get(None)) for _ in range(2)] == [PortLost, ThreadRevived]
    scheduler.set_port(MemoryOutputPort(clock, deliver=far.hear))
    scheduler.through(bytes.fromhex("90 3e 50"))
    assert far.reached.wait(30)
    scheduler.stop()
    assert far.listener.is_silent()


def test_a_port_lost_by_the_thread_reaches_the_inbox_and_another_goes_on() -> None:
    clock = MonotonicClock()
    inbox: Inbox[Any] = Inbox(clock)
    first = MemoryOutputPort(clock, "synth")
    far = Far(1)
    with Scheduler(clock, first, NO_PRIORITY, report=inbox.put) as scheduler:
        first.unplug()
        scheduler.send_now(NoteOn(60, 80))
        lost = inbox.get(None)
        assert isinstance(lost, PortLost)
        assert "unplugged" in lost.reason
        scheduler.panic()
        scheduler.set_port(MemoryOutputPort(clock, deliver=far.hear))
        scheduler.send_now(NoteOn(60, 80))
        assert far.reached.wait(30)
    assert far.listener.is_silent()


def test_a_port_that_cannot_even_close_does_not_stop_the_end() -> None:
    class Stubborn(MemoryOutputPort):
        def close(self) -> None:
            raise PortError("the port does not close")

    clock = ManualClock()
    Scheduler(clock, Stubborn(clock)).stop()
