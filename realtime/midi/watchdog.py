"""The watchdog thread: looks a few times a second whether the MIDI system answers and the instruments are there.

Ports do not say that they are gone, nor that who was connected to ours is. The watchdog reports each loss and each
return once; what to do about it is the engine's business. A system that is gone it tries to reach anew, again and
again. It also notices when it has not looked for long: the machine slept, or the program stood still.
"""

import threading
import time
from collections.abc import Callable

from loguru import logger

from piano.errors import PortError
from realtime.midi.port_events import (
    ListenersGone,
    PlayerGone,
    PortLost,
    PortReturned,
    Stalled,
    SystemLost,
    SystemReturned,
    WatchReport,
)
from realtime.midi.ports import Direction, MidiSystem, PortListing, Wires, steady
from realtime.threads.clock import NS_PER_S
from realtime.threads.own_thread import OwnThread

PERIOD_S = 0.25
RESTART_EVERY = 4
"""Looks between two attempts to reach a system that is gone."""
STALL_NS = 3 * NS_PER_S
"""So long without a look: the program stood still."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)


def awake_or_asleep_ns() -> int:
    """Return the present moment on a clock that goes on while the machine sleeps, as the monotonic clock need not."""
    return time.monotonic_ns() if _CLOCK is None else time.clock_gettime_ns(_CLOCK)


class Watchdog:
    """Watch a MIDI system, and by name the ports of others that we are connected to.

    `report` is called on the watchdog's thread: it must only hand over and not raise.
    """

    def __init__(
        self,
        system: MidiSystem,
        report: Callable[[WatchReport], None],
        now_ns: Callable[[], int] = awake_or_asleep_ns,
    ) -> None:
        self._system = system
        self._report = report
        self._now_ns = now_ns
        self._present: dict[tuple[Direction, str], bool] = {}
        self._wires = Wires()
        self.wires: Wires | None = None
        """Who was connected to our ports at the last look, None where that cannot be known; for any thread."""
        self._is_lost = False
        self._looks = 0
        self._looked_ns: int | None = None
        self.listing: PortListing | None = None
        """What there was to connect to at the last look; for any thread."""
        self._stop = threading.Event()
        self._thread = OwnThread(self._run, "watchdog")

    def watch(self, direction: Direction, name: str | None, *, is_there: bool = True) -> None:
        """Watch this port of its direction, by its whole name, and no other. Ports of our own making need no watch.

        One that is not there is reported as soon as it is; from any thread.
        """
        others = {key: there for key, there in self._present.items() if key[0] is not direction}
        self._present = others if name is None else {**others, (direction, name): is_there}

    def start(self) -> None:
        """Start the watchdog's thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Look once and report what has changed."""
        self._look_at_the_clock()
        if self._is_lost:
            self._try_again()
        elif not self._system.is_alive():
            self._is_lost, self._looks, self.listing = True, 0, None
            self._wires = Wires()
            self._report(SystemLost(self._system.api, self._system.why_lost or "it no longer answers"))
        else:
            self._look_for_wires()
            self._look_for_ports()
        self._looked_ns = self._now_ns()

    def _look_at_the_clock(self) -> None:
        if self._looked_ns is not None and (gap_ns := self._now_ns() - self._looked_ns) > STALL_NS:
            self._report(Stalled(gap_ns))

    def _try_again(self) -> None:
        self._looks += 1
        if self._looks % RESTART_EVERY == 0 and self._system.restart():
            self._is_lost = False
            self._report(SystemReturned(self._system.api))

    def _look_for_wires(self) -> None:
        """Report who is no longer connected to the ports that are our own."""
        self.wires = wires = self._system.wires()
        if wires is None:
            return
        before, self._wires = self._wires, wires
        watched = {direction for direction, _ in self._present}
        if Direction.INPUT not in watched:
            for name in sorted(before.players - wires.players):
                self._report(PlayerGone(name, "it is no longer connected"))
        if Direction.OUTPUT not in watched and before.listeners and not wires.listeners:
            self._report(ListenersGone(tuple(sorted(before.listeners))))

    def _look_for_ports(self) -> None:
        try:
            listing = self._system.list_ports()
        except PortError:
            return  # it died this very moment: the next look says so
        self.listing = listing
        present = self._present
        there = {way: {steady(name) for name in listing.names(way)} for way in Direction}
        for (direction, name), was_there in present.items():
            is_there = steady(name) in there[direction]
            present[direction, name] = is_there
            if was_there and not is_there:
                self._report(PortLost(direction, name, "it is no longer there: unplugged, or its program has ended"))
            elif is_there and not was_there:
                self._report(PortReturned(direction, name))

    def _run(self) -> None:
        """Be the watchdog's thread."""
        has_told = False
        while not self._stop.is_set():
            try:
                self.look()
                has_told = False
            except Exception as error:  # the top of the thread: tell once, and look again
                logger.opt(exception=error).debug("the watchdog failed")
                if not has_told:
                    reason = f"{type(error).__name__}: {error}"
                    logger.error("cannot see whether the instruments are still there ({}); play on", reason)
                has_told = True
            self._stop.wait(PERIOD_S)
