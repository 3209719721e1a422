"""The watchdog reports each loss and each return once."""

import threading

from realtime.midi import port_events
from realtime.midi.memory_ports import MemoryMidiSystem
from realtime.midi.ports import Direction, Wires
from realtime.midi.watchdog import RESTART_EVERY, Watchdog
from realtime.threads.clock import NS_PER_S, ManualClock


def test_a_port_that_goes_and_comes_back() -> None:
    system = MemoryMidiSystem(ManualClock(), ["piano", "synth"])
    reports: list[port_events.WatchReport] = []
    watchdog = Watchdog(system, reports.append)
    watchdog.watch(Direction.INPUT, "piano")
    watchdog.look()
    system.unplug("piano")
    system.unplug("synth")
    watchdog.look()
    watchdog.look()
    system.plug("piano")
    watchdog.look()
    assert [(type(report), getattr(report, "name", "")) for report in reports] == [
        (port_events.PortLost, "piano"),
        (port_events.PortReturned, "piano"),
    ]


def test_a_port_is_known_again_when_alsa_numbers_it_anew() -> None:
    system = MemoryMidiSystem(ManualClock(), ["Piano:Piano MIDI 1 20:0"])
    reports: list[port_events.WatchReport] = []
    watchdog = Watchdog(system, reports.append)
    watchdog.watch(Direction.INPUT, "Piano:Piano MIDI 1 20:0")
    system.unplug("Piano:Piano MIDI 1 20:0")
    watchdog.look()
    system.plug("Piano:Piano MIDI 1 24:0")
    watchdog.look()
    assert [type(report) for report in reports] == [port_events.PortLost, port_events.PortReturned]


def test_a_port_that_is_expected_is_reported_as_soon_as_it_is_there() -> None:
    system = MemoryMidiSystem(ManualClock(), ["piano"])
    reports: list[port_events.WatchReport] = []
    watchdog = Watchdog(system, reports.append)
    watchdog.watch(Direction.INPUT, "piano", is_there=False)
    watchdog.look()
    assert reports == [port_events.PortReturned(Direction.INPUT, "piano")]


def test_a_system_that_is_gone_is_reported_once_and_tried_again_and_again() -> None:
    system = MemoryMidiSystem(ManualClock(), ["piano"])
    reports: list[port_events.WatchReport] = []
    watchdog = Watchdog(system, reports.append)
    watchdog.look()
    system.die()
    for _ in range(3 * RESTART_EVERY):
        watchdog.look()
    assert reports == [port_events.SystemLost("memory", "it no longer answers")]
    system.revive(["piano"])
    for _ in range(RESTART_EVERY):
        watchdog.look()
    assert reports[1:] == [port_events.SystemReturned("memory")]


def test_a_look_that_comes_far_too_late_tells_of_a_standstill() -> None:
    system = MemoryMidiSystem(ManualClock(), ["piano"])
    reports: list[port_events.WatchReport] = []
    moments_s = iter((0, 1, 1, 3, 8, 8, 9, 9))  # before and after each look
    watchdog = Watchdog(system, reports.append, lambda: next(moments_s) * NS_PER_S)
    watchdog._looked_ns = 0
    for _ in range(4):
        watchdog.look()
    assert reports == [port_events.Stalled(5 * NS_PER_S)]


def test_the_thread_reports_a_dead_system() -> None:
    system = MemoryMidiSystem(ManualClock(), ["piano"])
    reports: list[port_events.WatchReport] = []
    told = threading.Event()

    def report(message: port_events.WatchReport) -> None:
        reports.append(message)
        told.set()

    watchdog = Watchdog(system, report)
    watchdog.start()
    system.die()
    assert told.wait(30)
    watchdog.stop()
    assert reports == [port_events.SystemLost("memory", "it no longer answers")]


def test_what_is_connected_to_our_own_ports_and_goes_is_reported_once() -> None:
    system = MemoryMidiSystem(ManualClock())
    reports: list[port_events.WatchReport] = []
    watchdog = Watchdog(system, reports.append)
    for players, listeners in ((("a", "b"), ("s", "t")), (("a",), ("t",)), (("a",), ()), ((), ()), (("b",), ("s",))):
        system.connected = Wires(frozenset(players), frozenset(listeners))
        watchdog.look()
    assert reports == [
        port_events.PlayerGone("b", "it is no longer connected"),
        port_events.ListenersGone(("t",)),
        port_events.PlayerGone("a", "it is no longer connected"),
    ]


def test_who_is_connected_to_a_port_that_we_chose_is_its_own_business() -> None:
    system = MemoryMidiSystem(ManualClock(), ["piano"])
    reports: list[port_events.WatchReport] = []
    watchdog = Watchdog(system, reports.append)
    watchdog.watch(Direction.INPUT, "piano")
    for players in (("piano",), ()):
        system.connected = Wires(frozenset(players))
        watchdog.look()
    assert reports == []
