"""The MIDI system in memory: cables carry, keep and fail as they should."""

import pytest

from piano.errors import PortError
from realtime.midi.memory_ports import MemoryMidiSystem, Sent
from realtime.threads.clock import ManualClock

NOTE = bytes.fromhex("90 3c 40")


def test_a_cable_carries_and_the_output_keeps() -> None:
    clock = ManualClock(5)
    system = MemoryMidiSystem(clock)
    out = system.open_virtual_output("piano")
    ear = system.open_input("pia")
    out.send(NOTE)
    assert out.sent == [Sent(5, NOTE)]
    assert [ear.poll(), ear.poll()] == [NOTE, None]


def test_an_unplugged_cable_fails_at_both_ends_and_is_no_longer_listed() -> None:
    system = MemoryMidiSystem(ManualClock(), ["piano", "synth"])
    ear, out = system.open_input("piano"), system.open_output("piano")
    system.unplug("piano")
    assert system.list_ports().inputs == ("synth",)
    with pytest.raises(PortError, match="'piano' has gone"):
        ear.poll()
    with pytest.raises(PortError, match="'piano' has gone"):
        out.send(NOTE)
    system.plug("piano")
    system.open_output("piano").send(NOTE)


def test_a_dead_system_has_nothing_left() -> None:
    system = MemoryMidiSystem(ManualClock(), ["piano"])
    out = system.open_output("piano")
    system.die()
    assert not system.is_alive()
    with pytest.raises(PortError):
        out.send(NOTE)


def test_closed_ports_say_so() -> None:
    system = MemoryMidiSystem(ManualClock(), ["piano"])
    out = system.open_output("piano")
    system.close()
    system.close()
    assert out.is_closed
    with pytest.raises(PortError, match="closed"):
        out.send(NOTE)


def test_no_such_cable() -> None:
    with pytest.raises(PortError, match="'piano'"):
        MemoryMidiSystem(ManualClock(), ["piano"]).open_input("organ")
