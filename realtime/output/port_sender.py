"""The way out: the output port in use, who is told of what goes out over it, and how late that was.

It belongs to the scheduler, and runs on its thread.
"""

from collections.abc import Callable, Sequence

from loguru import logger

from piano.errors import PortError
from realtime.midi.port_events import PortLost
from realtime.midi.ports import Direction, OutputPort
from realtime.output.event_queue import Outgoing
from realtime.output.listener import OutputListener
from realtime.threads.clock import Clock
from realtime.threads.lateness import LatenessHistogram


class PortSender:
    """Sends over one port at a time; a port that refuses is closed, and told to `report`."""

    def __init__(
        self,
        clock: Clock,
        port: OutputPort | None,
        *,
        report: Callable[[PortLost], None],
        listener: OutputListener | None = None,
    ) -> None:
        self._clock, self._port, self._report = clock, port, report
        self._listener = listener or OutputListener()
        self.sent = 0
        self.undelivered = 0
        """Messages that came due while there was no port."""
        self.own_lateness = LatenessHistogram()
        self.now_lateness = LatenessHistogram()

    @property
    def has_port(self) -> bool:
        return self._port is not None

    def send_due(self, outgoing: Outgoing) -> None:
        """Send a message that had a moment."""
        at_ns = self._send(outgoing.data, own=outgoing.own, is_told=True)
        if at_ns is not None and outgoing.own:
            self.own_lateness.add(at_ns - outgoing.due_ns)

    def send(self, messages: Sequence[bytes], asked_ns: int, *, own: bool = True, is_told: bool = True) -> None:
        """Send messages that were asked for at a moment, to go out at once."""
        for data in messages:
            at_ns = self._send(data, own=own, is_told=is_told)
            if at_ns is not None:
                self.now_lateness.add(at_ns - asked_ns)

    def signal(self, data: bytes) -> None:
        """Send what is no music, if there is a port; nobody is told."""
        if self._port is not None:
            self._send(data, own=False, is_told=False)

    def change(self, port: OutputPort | None) -> None:
        """Close the port and go on with another, or with none."""
        self.close()
        self._port = port

    def lose(self, reason: str) -> None:
        """Do without the port, and report it."""
        name = self._port.name if self._port is not None else ""
        logger.warning("lost the MIDI output {!r}: {}", name, reason)
        self.close()
        self._report(PortLost(Direction.OUTPUT, name, reason))

    def close(self) -> None:
        """Close the port, if there is one."""
        port, self._port = self._port, None
        if port is None:
            return
        try:
            port.close()
        except PortError as error:
            logger.warning("{}", error)

    def forget_listeners(self) -> None:
        """Tell nobody any more: one of them fails."""
        self._listener = OutputListener()

    def _send(self, data: bytes, *, own: bool, is_told: bool) -> int | None:
        """Send one message and return when; None, and counted, if there is no port."""
        if self._port is None:
            self.undelivered += 1
            return None
        self._listener.sending(self._clock.now_ns(), data, own=own)
        try:
            self._port.send(data)
        except PortError as error:
            self.undelivered += 1
            self.lose(str(error))
            return None
        self.sent += 1
        at_ns = self._clock.now_ns()
        if is_told:
            self._listener.sent(at_ns, data, own=own)
        return at_ns
