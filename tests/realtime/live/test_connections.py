"""The ports in use, in memory: opened as the settings say, lost, and opened anew."""

from collections.abc import Iterator

import pytest
from loguru import logger

from piano.errors import PortError
from realtime.engine.commands import ChoosePort
from realtime.live.connections import Connections, OpenPorts, open_ports
from realtime.midi.gone_ports import Gone
from realtime.midi.memory_ports import MemoryMidiSystem
from realtime.midi.port_events import (
    ListenersGone,
    PlayerGone,
    PortLost,
    PortReturned,
    Received,
    SystemLost,
    SystemReturned,
)
from realtime.midi.ports import Direction
from realtime.output.output_status import SchedulerSettings
from realtime.output.scheduler import Scheduler
from realtime.settings import PortGroup
from realtime.threads.clock import NS_PER_S, MonotonicClock
from realtime.threads.inbox import Inbox

NAMED = PortGroup(input="keys", output="sound")
NOTE_ON = bytes.fromhex("903c40")


class Stage:
    """Connections over a MIDI system in memory, with an inbox to look into."""

    def __init__(self, settings: PortGroup, *, passes_on: bool = False) -> None:
        self.clock = MonotonicClock()
        self.system = MemoryMidiSystem(self.clock, ("keys", "sound"))
        self.ports: OpenPorts = open_ports(self.system, settings)
        self.scheduler = Scheduler(self.clock, self.ports.output, SchedulerSettings(priority=None))
        thru = self.scheduler.through if passes_on else None
        self.connections = Connections(self.system, settings, self.ports, self.clock, self.scheduler, thru)
        self.inbox: Inbox[object] = Inbox(self.clock)

    def next(self) -> object:
        """Return the next message of the inbox, waiting for it."""
        return self.inbox.get(self.clock.now_ns() + 5 * NS_PER_S)


def gone(stage: Stage) -> tuple[Gone, ...]:
    return stage.connections.gone.all


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(NAMED)
    yield made
    made.connections.stop()
    made.scheduler.stop()


def test_virtual_ports_are_made_where_no_name_is_given() -> None:
    ports = Stage(PortGroup()).ports
    assert (ports.input.name, ports.output.name) == ("pianod in", "pianod out")


def test_a_port_that_is_not_there_is_named() -> None:
    with pytest.raises(PortError, match="no MIDI input port named 'organ'; there are: 'keys', 'sound'"):
        Stage(PortGroup(input="organ"))


def test_keys_arrive_and_the_input_comes_back_after_it_was_lost(stage: Stage) -> None:
    stage.connections.start(stage.inbox.put)
    stage.system.open_output("keys").send(NOTE_ON)
    received = stage.next()
    assert isinstance(received, Received)
    assert received.data == NOTE_ON
    stage.system.unplug("keys")
    lost = stage.next()
    assert isinstance(lost, PortLost)
    stage.connections.mend(lost)
    stage.system.plug("keys")
    while not isinstance(returned := stage.next(), PortReturned):
        pass
    stage.connections.mend(returned)
    stage.system.open_output("keys").send(NOTE_ON)
    assert isinstance(stage.next(), Received)


def test_an_output_that_is_lost_and_back_is_silenced_first(stage: Stage) -> None:
    stage.system.unplug("sound")
    stage.connections.mend(PortLost(Direction.OUTPUT, "sound", "unplugged"))
    assert stage.scheduler.status().is_lost
    stage.connections.mend(PortReturned(Direction.OUTPUT, "sound"))
    assert stage.scheduler.status().is_lost  # it was a false report
    stage.system.plug("sound")
    stage.connections.mend(PortReturned(Direction.OUTPUT, "sound"))
    assert not stage.scheduler.status().is_lost


def test_a_system_that_is_gone_and_back_is_played_on_again(stage: Stage) -> None:
    stage.connections.start(stage.inbox.put)
    stage.system.die()
    stage.system.revive(["keys", "sound"])
    while not isinstance(report := stage.next(), SystemReturned):
        if isinstance(report, PortLost | SystemLost):
            stage.connections.mend(report)
    assert stage.scheduler.status().is_lost
    stage.connections.mend(report)
    stage.system.open_output("keys").send(NOTE_ON)
    assert isinstance(stage.next(), Received)
    assert not stage.scheduler.status().is_lost


def test_a_system_that_is_back_before_the_instruments_waits_for_them(stage: Stage) -> None:
    stage.connections.start(stage.inbox.put)
    stage.system.die()
    stage.system.revive()
    while not isinstance(report := stage.next(), SystemReturned):
        if isinstance(report, PortLost | SystemLost):
            stage.connections.mend(report)
    stage.connections.mend(report)
    assert stage.scheduler.status().is_lost
    stage.system.plug("sound")
    returned = stage.next()
    assert returned == PortReturned(Direction.OUTPUT, "sound")
    stage.connections.mend(returned)
    assert not stage.scheduler.status().is_lost


def test_ports_of_our_own_are_made_anew_with_their_system() -> None:
    stage = Stage(PortGroup())
    stage.connections.start(stage.inbox.put)
    stage.connections.mend(SystemLost("memory", "killed"))
    assert stage.scheduler.status().is_lost
    told: list[str] = []
    sink = logger.add(lambda line: told.append(str(line)), level="INFO", format="{message}")
    stage.connections.mend(SystemReturned("memory"))
    logger.remove(sink)
    assert [line.count("connect to it anew") for line in told if "is back" in line] == [0, 1, 1], "nobody else can"
    stage.system.open_output("pianod in").send(NOTE_ON)
    assert isinstance(stage.next(), Received)
    assert not stage.scheduler.status().is_lost
    stage.connections.stop()
    stage.scheduler.stop()


def test_what_is_played_goes_through_where_that_is_wanted() -> None:
    stage = Stage(NAMED, passes_on=True)
    ears = stage.system.open_input("sound")
    stage.connections.start(stage.inbox.put)
    stage.system.open_output("keys").send(NOTE_ON)
    assert isinstance(stage.next(), Received)
    assert ears.poll() == NOTE_ON
    stage.connections.stop()
    stage.scheduler.stop()


def test_to_listen_before_the_start_is_misuse(stage: Stage) -> None:
    with pytest.raises(ValueError, match="listen after start"):
        stage.connections.mend(PortReturned(Direction.INPUT, "keys"))


def test_what_was_chosen_and_has_gone_is_known_until_it_is_back(stage: Stage) -> None:
    stage.connections.start(stage.inbox.put)
    stage.system.unplug("keys")
    while not isinstance(lost := stage.next(), PortLost):
        pass
    stage.connections.mend(lost)
    assert gone(stage) == (Gone("input", "keys", returns=True),)
    stage.system.plug("keys")
    while not isinstance(returned := stage.next(), PortReturned):
        pass
    stage.connections.mend(returned)
    assert gone(stage) == ()


def test_another_port_that_is_chosen_takes_the_place_of_what_has_gone(stage: Stage) -> None:
    stage.connections.start(stage.inbox.put)
    stage.system.unplug("keys")
    stage.connections.mend(PortLost(Direction.INPUT, "keys", "unplugged"))
    stage.connections.mend(ChoosePort(Direction.INPUT, None))
    assert gone(stage) == ()


def test_what_was_wired_to_ports_of_our_own_and_has_gone_is_to_be_wired_again() -> None:
    stage = Stage(PortGroup())
    stage.connections.start(stage.inbox.put)
    stage.connections.mend(PlayerGone("pianod in", "it said that it is there, and fell silent"))
    assert gone(stage) == (), "it is still connected"
    stage.connections.mend(PlayerGone("CASIO", "it is no longer connected"))
    stage.connections.mend(ListenersGone(("a synthesiser",)))
    went = Gone("input", "CASIO", returns=False), Gone("output", "a synthesiser", returns=False)
    assert gone(stage) == went
    stage.connections.mend(SystemLost("memory", "killed"))
    assert gone(stage) == (*went, Gone("system", "memory", returns=True))
    stage.connections.mend(SystemReturned("memory"))
    assert gone(stage) == went
    stage.connections.stop()
    stage.scheduler.stop()
