"""The watchdog reports each loss and each return once."""

import threading

from realtime.clock import ManualClock
from realtime.inbox import PortLost, PortReturned, SystemLost
from realtime.memory_ports import MemoryMidiSystem
from realtime.ports import Direction
from realtime.watchdog import Watchdog, WatchReport


def test_a_port_that_goes_and_comes_back() -> None:
    system = MemoryMidiSystem(ManualClock(), ["piano", "synth"])
    reports: list[WatchReport] = []
    watchdog = Watchdog(system, reports.append)
    watchdog.watch(Direction.INPUT, "piano")
    assert watchdog.look()
    system.unplug("piano")
    system.unplug("synth")
    assert watchdog.look()
    assert watchdog.look()
    system.plug("piano")
    assert watchdog.look()
    assert [(type(report), getattr(report, "name", "")) for report in reports] == [
        (PortLost, "piano"),
        (PortReturned, "piano"),
    ]


def test_the_thread_reports_a_dead_system_and_ends() -> None:
    system = MemoryMidiSystem(ManualClock(), ["piano"])
    reports: list[WatchReport] = []
    told = threading.Event()

    def report(message: WatchReport) -> None:
        reports.append(message)
        told.set()

    watchdog = Watchdog(system, report)
    watchdog.start()
    system.die()
    assert told.wait(30)
    watchdog.stop()
    assert reports == [SystemLost("memory", "the MIDI system memory no longer answers")]
