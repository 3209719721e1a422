"""The input: stamped, sorted, handed on; and told when the port goes."""

import threading
from typing import Any

from realtime.midi.input_thread import MidiInput
from realtime.midi.memory_ports import MemoryInputPort, MemoryOutputPort, ScriptedPlayer
from realtime.midi.port_events import PlayerGone, PortLost, Received, ThreadFailed, ThreadRevived
from realtime.midi.ports import Direction
from realtime.output.scheduler import Scheduler
from realtime.threads.clock import ManualClock, MonotonicClock
from realtime.threads.inbox import Inbox
from realtime.threads.restart_limit import MOST

NOTE, OTHER = bytes.fromhex("90 3c 40"), bytes.fromhex("90 3e 40")


def test_messages_are_stamped_and_floods_that_mean_nothing_are_counted() -> None:
    clock = ManualClock(5)
    port = MemoryInputPort()
    inbox: Inbox[Any] = Inbox(clock)
    ear = MidiInput(port, clock, inbox.put)
    for data in (NOTE, b"\xf8", b"\xfe", b"\x3c\x40", bytes.fromhex("b0 58 11")):
        port.feed(data)
    assert ear.take_all() == 5
    assert [inbox.get(0), inbox.get(0), inbox.get(0)] == [
        Received(5, NOTE),
        Received(5, bytes.fromhex("b0 58 11")),
        None,
    ]
    status = ear.status()
    assert (status.received, status.real_time, status.malformed) == (2, 2, 1)


def test_thru_passes_the_message_on_as_it_is() -> None:
    clock = ManualClock()
    port, out = MemoryInputPort(), MemoryOutputPort(clock)
    scheduler = Scheduler(clock, out)
    inbox: Inbox[Any] = Inbox(clock)
    ear = MidiInput(port, clock, inbox.put, thru=scheduler.through)
    messages = [bytes.fromhex(text) for text in ("90 0a 40", "e0 00 41", "f0 01 f7", "80 0a 22")]
    for data in (*messages, b"\xf8"):
        port.feed(data)
    ear.take_all()
    assert [sent.data for sent in out.sent] == messages
    ear.set_thru(None)
    port.feed(NOTE)
    ear.take_all()
    assert len(out.sent) == 4
    assert len(inbox) == 5


def test_a_scripted_player_on_the_manual_clock() -> None:
    clock = ManualClock()
    port = MemoryInputPort()
    inbox: Inbox[Any] = Inbox(clock)
    ear = MidiInput(port, clock, inbox.put)

    def press(data: bytes) -> None:
        port.feed(data)
        ear.take_all()

    clock.attach(ScriptedPlayer([(100, NOTE), (250, bytes.fromhex("80 3c 00"))], press))
    assert inbox.get(None) == Received(100, NOTE)
    assert inbox.get(200) is None
    assert inbox.get(300) == Received(250, bytes.fromhex("80 3c 00"))


def test_the_thread_delivers_a_burst_in_order_and_reports_the_end_of_the_port() -> None:
    clock = MonotonicClock()
    port = MemoryInputPort("keyboard")
    inbox: Inbox[Any] = Inbox(clock)
    ear = MidiInput(port, clock, inbox.put, priority=None)
    ear.start()
    burst = [bytes((0x90, number % 128, 1 + number // 128)) for number in range(2000)]
    for data in burst:
        port.feed(data)
    taken: list[Any] = [inbox.get(None) for _ in burst]
    assert [message.data for message in taken] == burst
    stamps_ns = [message.at_ns for message in taken]
    assert stamps_ns == sorted(stamps_ns)
    port.unplug()
    lost = inbox.get(None)
    assert isinstance(lost, PortLost)
    assert lost.name == "keyboard"
    ear.stop()


def test_an_error_in_the_thread_is_told_and_it_goes_on_but_not_for_ever() -> None:
    clock = MonotonicClock()
    inbox: Inbox[Any] = Inbox(clock)
    port = MemoryInputPort()

    def fail(data: bytes) -> None:
        if data == NOTE:
            raise ZeroDivisionError("on purpose")

    ear = MidiInput(port, clock, inbox.put, thru=fail, priority=None)
    ear.start()
    for _ in range(MOST):
        port.feed(NOTE)
        assert inbox.get(None) == ThreadRevived(Direction.INPUT, "ZeroDivisionError: on purpose")
        port.feed(OTHER)
        received = inbox.get(None)
        assert isinstance(received, Received)
        assert received.data == OTHER
    port.feed(NOTE)
    assert inbox.get(None) == ThreadFailed("midi input", "ZeroDivisionError: on purpose")
    ear.stop()
    assert "midi input" not in {thread.name for thread in threading.enumerate()}


def ear_at(clock: ManualClock) -> tuple[MemoryInputPort, Inbox[Any], MidiInput]:
    """Return a port, what is told of it, and the input."""
    port = MemoryInputPort("keys")
    inbox: Inbox[Any] = Inbox(clock)
    return port, inbox, MidiInput(port, clock, inbox.put)


def look_for(ear: MidiInput, clock: ManualClock, milliseconds: int) -> None:
    """Let time go by, looking each hundredth of a second."""
    for _ in range(milliseconds // 10):
        clock.advance_to(clock.now_ns() + 10_000_000)
        ear.look()


def test_a_keyboard_whose_active_sensing_ends_has_gone() -> None:
    clock = ManualClock()
    port, inbox, ear = ear_at(clock)
    for _ in range(4):
        port.feed(b"\xfe")
        look_for(ear, clock, 300)
    port.feed(NOTE)
    look_for(ear, clock, 320)
    assert inbox.get(0) == Received(clock.now_ns() - 310_000_000, NOTE)
    assert inbox.get(0) is None
    look_for(ear, clock, 1000)
    assert inbox.get(0) == PlayerGone("keys", "its active sensing has ended")
    assert inbox.get(0) is None


def test_a_keyboard_that_sends_no_active_sensing_may_be_silent() -> None:
    clock = ManualClock()
    port, inbox, ear = ear_at(clock)
    port.feed(NOTE)
    look_for(ear, clock, 5000)
    assert inbox.get(0) is not None
    assert inbox.get(0) is None


def test_a_standstill_of_our_own_is_no_silence_of_the_keyboard() -> None:
    clock = ManualClock()
    port, inbox, ear = ear_at(clock)
    port.feed(b"\xfe")
    ear.look()
    clock.advance_to(clock.now_ns() + 2_000_000_000)
    ear.look()
    assert inbox.get(0) is None
    port.feed(b"\xfe")
    look_for(ear, clock, 300)
    assert inbox.get(0) is None
