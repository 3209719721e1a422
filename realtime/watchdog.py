"""The watchdog thread: looks a few times a second whether the MIDI system answers and the instruments are there.

Ports do not say that they are gone. The watchdog reports each loss and each return once; what to do about it is the
engine's business.
"""

import threading
from collections.abc import Callable

from loguru import logger

from piano.errors import PortError
from realtime.inbox import PortLost, PortReturned, SystemLost, ThreadFailed
from realtime.ports import Direction, MidiSystem, PortListing

PERIOD_S = 0.25

WatchReport = PortLost | PortReturned | SystemLost | ThreadFailed


class Watchdog:
    """Watch a MIDI system, and by name the ports of others that we are connected to.

    `report` is called on the watchdog's thread: it must only hand over and not raise.
    """

    def __init__(self, system: MidiSystem, report: Callable[[WatchReport], None]) -> None:
        self._system = system
        self._report = report
        self._present: dict[tuple[Direction, str], bool] = {}
        self.listing: PortListing | None = None
        """What there was to connect to at the last look; for any thread."""
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, direction: Direction, name: str | None) -> None:
        """Watch this port of its direction, by its whole name, and no other. Ports of our own making need no watch."""
        others = {key: there for key, there in self._present.items() if key[0] is not direction}
        self._present = others if name is None else {**others, (direction, name): True}

    def start(self) -> None:
        """Start the watchdog's thread."""
        if self._thread is not None:
            raise ValueError("a watchdog starts once")
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def look(self) -> bool:
        """Look once and report what has changed; False if the system is dead and there is nothing left to watch."""
        if not self._system.is_alive():
            self._report(SystemLost(self._system.api, f"the MIDI system {self._system.api} no longer answers"))
            return False
        self._look_for_ports()
        return True

    def _look_for_ports(self) -> None:
        try:
            listing = self._system.list_ports()
        except PortError:
            return  # it died this very moment: the next look says so
        self.listing = listing
        present = self._present
        for (direction, name), was_there in present.items():
            is_there = name in listing.names(direction)
            present[direction, name] = is_there
            if was_there and not is_there:
                self._report(PortLost(direction, name, "it is no longer there: unplugged, or its program has ended"))
            elif is_there and not was_there:
                self._report(PortReturned(direction, name))

    def _run(self) -> None:
        """Be the watchdog's thread."""
        try:
            while self.look() and not self._stop.wait(PERIOD_S):
                pass
        except Exception as error:  # the top of the thread: tell, and stop
            logger.opt(exception=error).error("the watchdog failed: {}", error)
            self._report(ThreadFailed("watchdog", f"{type(error).__name__}: {error}"))
