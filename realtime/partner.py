"""One that plays along, on any clock: a performer in its engine, the output, and the take of what went by.

Live its two threads run; offline and in tests the caller runs the engine on a clock that is moved by hand, and the
output is something due on that clock.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from piano.events import TimedEvent
from realtime.clock import Clock
from realtime.commands import ChangePlaying, Mode
from realtime.echo import Echoes
from realtime.engine import Engine, EngineSettings, Message, PortReport
from realtime.history import History, WatchedOutput
from realtime.inbox import Inbox
from realtime.modes import performer_of
from realtime.performer import Performer
from realtime.ports import OutputPort
from realtime.scheduler import Scheduler, SchedulerSettings
from realtime.session import Session
from realtime.take import Take


@dataclass(frozen=True, slots=True)
class PartnerSettings:
    """What the parts are told."""

    playing: ChangePlaying
    engine: EngineSettings = field(default_factory=EngineSettings)
    scheduler: SchedulerSettings = field(default_factory=SchedulerSettings)


class Partner:
    """The parts, put together: what comes in goes into `inbox`, what goes out goes to the port and into `take`.

    What comes in over a port is first asked of `echoes`.
    """

    def __init__(
        self,
        session: Session,
        clock: Clock,
        port: OutputPort,
        settings: PartnerSettings,
        *,
        on_ports: Callable[[PortReport], None] | None = None,
        on_program: Callable[[Mode], None] | None = None,
        history: History | None = None,
    ) -> None:
        """Put them together; a `history`, where given, is told all that goes by and all that is planned."""
        self.take = Take()
        self.echoes = Echoes()
        self._history = history
        self.inbox: Inbox[Message] = Inbox(clock)
        self.scheduler = Scheduler(
            clock,
            port,
            settings.scheduler,
            report=self.inbox.put,
            on_sending=self.echoes.send,
            on_sent=self.take.send,
            on_own=None if history is None else history.play,
            on_passed=None if history is None else history.pass_on,
        )
        output = self.scheduler if history is None else WatchedOutput(self.scheduler, history)

        def perform(playing: ChangePlaying) -> Performer:
            return performer_of(playing, session, output)

        self.engine = Engine(
            clock,
            self.inbox,
            perform(settings.playing),
            self.scheduler,
            settings.engine,
            on_heard=self._hear,
            on_ports=on_ports,
            on_program=on_program,
            perform=perform,
        )

    def start(self) -> None:
        """Start the two threads; for the clock that runs."""
        self.scheduler.start()
        self.engine.start()

    def stop(self) -> None:
        """Stop playing, release all that sounds and end the threads; a second time does nothing."""
        self.engine.stop()
        self.scheduler.stop()

    def _hear(self, timed: TimedEvent) -> None:
        self.take.hear(timed)
        if self._history is not None:
            self._history.hear(timed)
