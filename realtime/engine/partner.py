"""One that plays along, on any clock: a performer in its engine, the output, and the take of what went by.

Live its two threads run; offline and in tests the caller runs the engine on a clock that is moved by hand, and the
output is something due on that clock.
"""

from dataclasses import dataclass, field

from inference.onnx_session import Session
from inference.rolling_context import WorksAhead
from piano.events import TimedEvent
from piano.sampling.memory import Memory
from realtime.beat.musical_clock import MusicalClock
from realtime.engine.commands import BeatsMoved, Command, Panic
from realtime.engine.engine import Engine
from realtime.engine.event_rings import EventRings, WatchedOutput
from realtime.engine.guide import Guide
from realtime.engine.listening import EngineSettings
from realtime.engine.messages import EngineListener, EngineMessage, PortReport
from realtime.engine.performer_factory import performer_of
from realtime.midi.backpressure import AdmissionControl
from realtime.midi.loopback_filter import LoopbackFilter
from realtime.midi.port_events import ListenersGone, PlayerGone, PortLost, Received, Stalled, SystemLost, ThreadRevived
from realtime.midi.ports import Direction, OutputPort
from realtime.output.listener import OutputListener
from realtime.output.output_status import SchedulerSettings
from realtime.output.scheduler import Scheduler
from realtime.performers.performer import Performer
from realtime.performers.play_settings import Mode, PlaySettings
from realtime.performers.reference import Reference
from realtime.take.take import Take
from realtime.threads.clock import Clock
from realtime.threads.inbox import Inbox

MOST_WAITING = 256
"""The player's messages that wait for the model; after that it hears only what ends something."""


@dataclass(frozen=True, slots=True)
class PartnerSettings:
    """What the parts are told."""

    playing: PlaySettings
    engine: EngineSettings = field(default_factory=EngineSettings)
    scheduler: SchedulerSettings = field(default_factory=SchedulerSettings)


@dataclass(frozen=True, slots=True)
class _Keeper(EngineListener, OutputListener):
    """Keeps all that goes by in the take, and tells whoever else listens."""

    take: Take
    echoes: LoopbackFilter
    history: EventRings | None
    listener: EngineListener

    def sending(self, at_ns: int, data: bytes, *, own: bool) -> None:
        self.echoes.send(at_ns, data, own=own)

    def sent(self, at_ns: int, data: bytes, *, own: bool) -> None:
        (self.take.send if own else self.take.pass_on)(at_ns, data)
        if self.history is not None:
            (self.history.play if own else self.history.pass_on)(at_ns, data)

    def heard(self, timed: TimedEvent) -> None:
        self.take.hear(timed)
        if self.history is not None:
            self.history.hear(timed)

    def ports_changed(self, report: PortReport) -> None:
        self.listener.ports_changed(report)

    def mode_asked(self, mode: Mode) -> None:
        self.listener.mode_asked(mode)


class Partner:
    """The parts, put together: what comes in is given to `receive`, what goes out goes to the port; all into `take`.

    What comes in over a port is first asked of `echoes`.
    """

    def __init__(
        self,
        session: Session,
        clock: Clock,
        port: OutputPort,
        settings: PartnerSettings,
        *,
        listener: EngineListener | None = None,
        history: EventRings | None = None,
    ) -> None:
        """Put them together; a `history`, where given, is told all that goes by and all that is planned."""
        self.take = Take()
        self.echoes = LoopbackFilter()
        self.beats = MusicalClock()
        self.way_in = AdmissionControl(MOST_WAITING)
        keeper = _Keeper(self.take, self.echoes, history, listener or EngineListener())
        self.inbox: Inbox[EngineMessage] = Inbox(clock)
        self.scheduler = Scheduler(
            clock,
            port,
            settings.scheduler,
            report=self.inbox.put,
            listener=keeper,
        )
        output = self.scheduler if history is None else WatchedOutput(self.scheduler, history)
        self.guide = guide = Guide(self.beats)
        known: Reference | None = None
        memory = Memory()  # of the whole session: it outlives a performer; the engine's, as they are

        def perform(playing: PlaySettings) -> Performer:
            nonlocal known
            if playing.reference is not None and playing.reference is not known:
                memory.learn(playing.reference.tokens)
                known = playing.reference
            drawn = guide.output(output, playing)
            performer = performer_of(playing, session, drawn, memory, self.beats, self.scheduler.signal)
            guide.lead(performer, playing)
            return performer

        self.engine = Engine(
            clock,
            self.inbox,
            perform(settings.playing),
            self.scheduler,
            settings.engine,
            listener=keeper,
            perform=perform,
            playing=settings.playing,
            advance=session.advance if isinstance(session, WorksAhead) else None,
            beats=self.beats,
            lead=guide.lead,
            hear=guide.hear,
        )
        self.beats.watch(lambda _: self.inbox.put(BeatsMoved()))

    def start(self) -> None:
        """Start the two threads; for the clock that runs."""
        self.scheduler.start()
        self.engine.start()

    def stop(self) -> None:
        """Stop playing, release all that sounds and end the threads; a second time does nothing."""
        self.engine.stop()
        self.scheduler.stop()

    def receive(self, message: EngineMessage) -> None:
        """Take what comes in, and keep it before anything is made of it; from any thread, never waits."""
        if isinstance(message, Received):
            self.take.play(message.at_ns, message.data)
            if self.engine.is_panic(message.data):
                self.scheduler.panic()
            if not self.way_in.admits(message.data, len(self.inbox)):
                return  # the model cannot keep up: it does without, the player's sound does not
        self._silence(message)
        self.inbox.put(message)

    def tell(self, command: Command) -> None:
        """Take a command; from any thread, never waits. A panic is silence at once, also while the model hangs."""
        if isinstance(command, Panic):
            self.scheduler.panic()
        self.inbox.put(command)

    def _silence(self, message: EngineMessage) -> None:
        """Release at once what nobody would end any more, or hear: the engine, which stops then, may hang."""
        match message:
            case Stalled():
                self.scheduler.panic()
            case PlayerGone() | PortLost(Direction.INPUT) | SystemLost() | ThreadRevived(Direction.INPUT):
                self.scheduler.release_thru()  # what a key was to do is lost, and it may be its coming up
                self.scheduler.forget_own()
            case ListenersGone():
                self.scheduler.forget_own()
