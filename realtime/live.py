"""Playing over two ports: the partner and the connections, started and stopped as one.

port → input thread → inbox → engine thread (performer, stream, session) → output thread → port
"""

import gc
from types import TracebackType

from loguru import logger

from piano.errors import PianodError
from realtime.clock import MonotonicClock
from realtime.connections import Connections, OpenPorts, open_ports
from realtime.context import RollingContext
from realtime.engine import PortReport
from realtime.history import History
from realtime.inbox import Received
from realtime.partner import Partner, PartnerSettings
from realtime.parts import engine_settings, playing_of, scheduler_settings, thru_of
from realtime.ports import MidiSystem, PortListing
from realtime.session import Session
from realtime.settings import Settings


class LivePlay:
    """A partner on the ports that the settings name, while the `with` block runs."""

    def __init__(
        self, settings: Settings, system: MidiSystem, session: Session, seed: int, history: History | None = None
    ) -> None:
        """Open the ports and put the parts together; PortError if a port cannot be opened."""
        clock = MonotonicClock()
        self._settings = settings
        self._session = session
        self.ports: OpenPorts = open_ports(system, settings)
        self.partner = Partner(
            session,
            clock,
            self.ports.output,
            PartnerSettings(
                playing_of(settings, seed),
                engine_settings(settings),
                scheduler_settings(settings),
            ),
            on_ports=self._mend,
            history=history,
        )
        self._clock = clock
        self._thru = thru_of(settings, self.partner.scheduler, clock)
        self._connections = Connections(system, settings, self.ports, clock, self.partner.scheduler, self._thru)

    def __enter__(self) -> "LivePlay":
        """Start to play."""
        gc.collect()
        gc.freeze()  # what is there now stays: no pause of the collector walks over it while playing
        try:
            self.partner.start()
            self._connections.start(self.partner.inbox.put)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, release all that sounds, sum up, and keep the take where the settings ask for it."""
        self._stop()
        self._sum_up()

    def pass_on_as(self, settings: Settings) -> None:
        """Pass what the player plays on to the output as the settings say, from the next message on; any thread.

        Where it goes nowhere any more, what was passed on before still ends.
        """
        scheduler = self.partner.scheduler
        self._thru = thru_of(settings, scheduler, self._clock) or scheduler.let_end
        self._connections.set_thru(self._thru)

    def play(self, data: bytes) -> None:
        """Take a message that the player plays by another way than the input port; from any thread."""
        at_ns = self._clock.now_ns()
        if (thru := self._thru) is not None:
            thru(data)
        self.partner.inbox.put(Received(at_ns, data))

    @property
    def port_names(self) -> tuple[str, str]:
        """Return what is listened to and played on; for any thread."""
        return self._connections.names

    @property
    def listing(self) -> PortListing | None:
        """Return what there is to connect to, as far as it is known; for any thread."""
        return self._connections.listing

    def context_fill(self) -> float:
        """Return how full the model's context is, 0 to 1; from any thread."""
        return self._session.fill if isinstance(self._session, RollingContext) else 0.0

    def check(self) -> None:
        """Raise PianodError if a fault has ended the engine."""
        fault = self.partner.engine.status().fault
        if fault is not None:
            raise PianodError(fault)

    def _stop(self) -> None:
        self._connections.stop()
        self.partner.stop()
        gc.unfreeze()

    def _mend(self, report: PortReport) -> None:
        self._connections.mend(report)

    def _sum_up(self) -> None:
        """Tell the player how it went, and keep the take."""
        status, output = self.partner.engine.status(), self.partner.scheduler.status()
        performing = status.performer
        logger.info("heard {} events, gave {} answers, sent {} messages", status.heard, performing.answers, output.sent)
        for name, late in (("key to model", status.hearing), ("lateness of notes", output.own_lateness)):
            if late.count:
                logger.info(
                    "{}: p50 {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms", name, late.p50_ms, late.p99_ms, late.max_ms
                )
        if self._settings.takes is not None:
            path = self.partner.take.write(self._settings.takes)
            if path is not None:
                logger.info("the take is in {}", path)
