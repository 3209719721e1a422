"""The engine on a clock that is moved by hand: messages in, messages out, and nothing waits.

The same partner as live. The player is a script on the clock; what the output sends is kept in the take.
"""

from collections.abc import Iterable

from inference.onnx_session import Session
from piano.events import TimedEvent
from realtime.engine.commands import Command, HandOver
from realtime.engine.partner import Partner, PartnerSettings
from realtime.midi.memory_ports import ScriptedPlayer, SilentOutputPort
from realtime.midi.performance_messages import TimedMessage
from realtime.midi.port_events import Received
from realtime.midi.ports import OutputPort
from realtime.performers.performer import Activity
from realtime.threads.clock import ManualClock


class OfflineRun:
    """One run from the moment 0 on."""

    def __init__(
        self,
        session: Session,
        settings: PartnerSettings,
        clock: ManualClock | None = None,
        port: OutputPort | None = None,
    ) -> None:
        """Take a session, which begins anew; the clock is one of its own unless given, and the port goes nowhere."""
        self.clock = clock or ManualClock()
        self.partner = Partner(session, self.clock, port or SilentOutputPort(), settings)
        self.clock.attach(self.partner.scheduler)

    def play(self, messages: Iterable[TimedMessage]) -> None:
        """Let the player send messages at their moments."""
        self.clock.attach(ScriptedPlayer(messages, self._deliver))

    def tell(self, command: Command) -> None:
        """Give a command at the moment at which the clock stands."""
        self.partner.tell(command)

    def hand_over(self) -> None:
        """Ask for an answer at the moment at which the clock stands."""
        self.tell(HandOver())

    def run_until(self, limit_ns: int) -> None:
        """Move the clock on to a moment; all that falls due on the way happens."""
        self.partner.engine.run_until(limit_ns)

    def finish(self) -> None:
        """End here and release all that sounds."""
        self.partner.engine.stop()
        self.partner.engine.run_until(self.clock.now_ns())
        self.partner.scheduler.stop()

    @property
    def is_playing(self) -> bool:
        """Whether an answer is being played."""
        return self.partner.engine.status().performer.activity is Activity.PLAYING

    def answered(self) -> list[TimedEvent]:
        """Return what went out so far, as events of the piano."""
        return self.partner.take.answered()

    def _deliver(self, data: bytes) -> None:
        self.partner.receive(Received(self.clock.now_ns(), data))
