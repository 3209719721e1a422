"""Ports in memory: loops, lost messages, a piano that is keyboard and sound."""

import pytest

from realtime.doctor.cable import (
    LOOP,
    listen,
    local_control,
    loop_findings,
    own_sound_findings,
    travel_findings,
)
from realtime.doctor.finding import Grade
from realtime.midi.memory_ports import MemoryInputPort, MemoryMidiSystem, MemoryOutputPort
from realtime.midi.ports import PortListing
from realtime.threads.clock import MonotonicClock

CLOCK = MonotonicClock()


def test_local_control_is_controller_122() -> None:
    output = MemoryOutputPort(CLOCK)
    output.send(local_control(3, on=False))
    output.send(local_control(1, on=True))
    assert [sent.data.hex(" ") for sent in output.sent] == ["b2 7a 00", "b0 7a 7f"]


def test_a_loop_is_heard_by_a_message_that_makes_no_sound() -> None:
    port = MemoryInputPort()
    [alone] = loop_findings(MemoryOutputPort(CLOCK), port, CLOCK, 1)
    assert alone.grade is Grade.GOOD
    looped = MemoryOutputPort(CLOCK, deliver=port.feed)
    [found] = loop_findings(looped, port, CLOCK, 1)
    assert found.grade is Grade.NOTE
    assert "there is a loop" in found.says
    assert all(sent.data[0] == 0xB0 for sent in looped.sent)


@pytest.mark.parametrize(
    ("names", "thru", "grades"),
    [
        (("Roland:FP 20:0", "Roland:FP 20:0"), True, [Grade.FAULT]),
        (("Roland:FP 20:0", "Roland:FP 20:1"), False, [Grade.GOOD]),
        (("Roland:FP", "FLUID Synth:0"), True, []),
    ],
)
def test_a_piano_with_a_sound_of_its_own(names: tuple[str, str], thru: bool, grades: list[Grade]) -> None:
    assert [found.grade for found in own_sound_findings(*names, thru=thru)] == grades


def test_the_way_of_a_message_is_measured_and_what_is_lost_is_told() -> None:
    [found] = travel_findings(MemoryMidiSystem(CLOCK), CLOCK, 5)
    assert found.says.startswith("a message travels ")

    class Losing(MemoryMidiSystem):
        def open_virtual_output(self, name: str) -> MemoryOutputPort:
            self.plug(name)
            return MemoryOutputPort(CLOCK, name)

    [found] = travel_findings(Losing(CLOCK), CLOCK, 1)
    assert found.grade is Grade.FAULT
    assert "1 of 1 messages were lost" in found.says


def test_a_system_without_virtual_ports_is_not_measured() -> None:
    class Bare(MemoryMidiSystem):
        def list_ports(self) -> PortListing:
            return PortListing("windows", (), (), has_virtual=False)

    [found] = travel_findings(Bare(CLOCK), CLOCK, 1)
    assert found.grade is Grade.NOTE


def test_what_is_there_already_is_heard_message_by_message() -> None:
    system = MemoryMidiSystem(CLOCK, [LOOP])
    port = system.open_input(LOOP)
    port.feed(bytes.fromhex("903c40 3c00"))
    assert [one.data.hex() for one in listen(port, CLOCK, 0)] == ["903c40", "903c00"]
