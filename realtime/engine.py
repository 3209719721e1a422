"""The engine: between the keyboard and the output, with the model in the middle. It owns the performer and its stream.

It takes what is in its inbox, in order, and between two messages gives the performer a turn. Live it is a thread on
the monotonic clock; offline and in tests the caller runs it on a clock that is moved by hand, with the same result.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from loguru import logger

from piano.errors import PianodError
from piano.events import Event, TimedEvent
from realtime.clock import Clock
from realtime.commands import (
    ChangeListening,
    ChangePlaying,
    ChoosePort,
    Command,
    HandOver,
    Mode,
    NewPiece,
    Panic,
    Quit,
    Retry,
    StopPlaying,
)
from realtime.inbox import Inbox, PortLost, PortReturned, Received, SystemLost, ThreadFailed
from realtime.lateness import LatenessHistogram, LatenessSummary
from realtime.midi_message import Kind as MessageKind
from realtime.midi_message import PedalReader, channel_of, kind_of
from realtime.performer import Performer, PerformerStatus
from realtime.programs import ModeChooser
from realtime.scheduler import Scheduler
from realtime.trigger import Trigger, Verdict

PortReport = PortLost | PortReturned | SystemLost | ChoosePort
Message = Received | Command | PortReport | ThreadFailed

_JOIN_S = 5.0
_WITHOUT_CHANNEL = (MessageKind.SYSEX, MessageKind.SYSTEM_COMMON, MessageKind.REAL_TIME, MessageKind.MALFORMED)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine listens to: a MIDI channel 0 to 15 or all (None), and what asks for an answer or a mode."""

    channel: int | None = None
    trigger: Trigger = field(default_factory=Trigger)
    modes: ModeChooser = field(default_factory=ModeChooser)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """The engine as it stands: an immutable snapshot."""

    performer: PerformerStatus
    mode: Mode
    heard: int
    """Events of the player's that the model has taken in."""
    hearing: LatenessSummary
    """From the moment at which a key was stamped until the model had taken it in."""
    waiting: int
    """Messages in the inbox."""
    fault: str | None


class Engine:
    """Run a performer between an inbox and an output.

    `perform` makes the performer of another mode. `on_heard` is told of each event of the player's, `on_ports` of ports
    that went, came back or are to be others, `on_program` of the mode that a message asks for. All are called
    on the engine's thread; only `perform` may take its time.
    """

    def __init__(
        self,
        clock: Clock,
        inbox: Inbox[Message],
        performer: Performer,
        scheduler: Scheduler,
        settings: EngineSettings | None = None,
        *,
        on_heard: Callable[[TimedEvent], None] | None = None,
        on_ports: Callable[[PortReport], None] | None = None,
        on_program: Callable[[Mode], None] | None = None,
        perform: Callable[[ChangePlaying], Performer] | None = None,
    ) -> None:
        self._clock, self._inbox = clock, inbox
        self._performer, self._scheduler = performer, scheduler
        self._settings = settings or EngineSettings()
        self._on_heard, self._on_ports, self._on_program = on_heard, on_ports, on_program
        self._perform = perform
        self._pedal = PedalReader()
        self._hearing = LatenessHistogram()
        self._heard = 0
        self._last_ns = 0
        self._fault: str | None = None
        self._thread: threading.Thread | None = None
        self._finished = threading.Event()
        self._performing = performer.status()

    def start(self) -> None:
        """Start the engine's thread."""
        if self._thread is not None:
            raise ValueError("an engine starts once")
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the engine after what is in its inbox."""
        self._inbox.put(Quit())
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the engine has ended; return whether it has."""
        return self._finished.wait(timeout_s)

    def status(self) -> EngineStatus:
        """Return how it stands; from any thread."""
        hearing = self._hearing.summary()
        return EngineStatus(self._performing, self._performer.mode, self._heard, hearing, len(self._inbox), self._fault)

    def run_until(self, limit_ns: int) -> None:
        """Run on the caller's thread until the clock has reached a moment or the engine has ended."""
        while not self._finished.is_set() and self.turn(limit_ns):
            pass

    def turn(self, limit_ns: int | None) -> bool:
        """Take one message or do one piece of work, waiting for either; return False if the limit came first."""
        now_ns = self._clock.now_ns()
        due_ns = self._performer.due_ns()
        if due_ns is not None and due_ns <= now_ns:
            message = self._inbox.take(now_ns)
            if message is None:
                self._performer.work(now_ns)
        else:
            message = self._inbox.take(_earlier(due_ns, limit_ns))
            if message is None and limit_ns is not None and self._clock.now_ns() >= limit_ns:
                return False
        if message is not None:
            self._handle(message)
        self._performing = self._performer.status()
        return True

    def _run(self) -> None:
        """Be the engine's thread."""
        try:
            while not self._finished.is_set():
                self.turn(None)
        except Exception as error:  # the top of the thread: tell, release what sounds, and end
            self._fault = str(error) if isinstance(error, PianodError) else f"{type(error).__name__}: {error}"
            logger.opt(exception=error).debug("the engine failed")
            logger.error("the engine stopped: {}", self._fault)
            self._scheduler.panic()
        finally:
            self._finished.set()

    def _handle(self, message: Message) -> None:
        match message:
            case Received(at_ns, data):
                self._receive(at_ns, data)
            case HandOver():
                self._performer.hand_over(self._clock.now_ns())
            case StopPlaying():
                self._performer.stop(self._clock.now_ns())
            case NewPiece():
                self._performer.start_afresh()
            case Retry():
                self._performer.retry(self._clock.now_ns())
            case ChangePlaying():
                self._change(message)
            case ChangeListening(channel, trigger):
                self._settings = replace(self._settings, channel=channel, trigger=trigger)
            case Panic():
                self._performer.stop(self._clock.now_ns())
                self._scheduler.panic()
            case Quit():
                self._performer.stop(self._clock.now_ns())
                self._finished.set()
            case ThreadFailed(thread, reason):
                self._performer.stop(self._clock.now_ns())
                self._fault = f"the {thread} thread ended: {reason}"
                self._finished.set()
            case _:
                self._performer.stop(self._clock.now_ns())
                if self._on_ports is not None:
                    self._on_ports(message)

    def _change(self, change: ChangePlaying) -> None:
        """Go on in another way; in another mode, with another performer, which knows nothing of what was played."""
        now_ns = self._clock.now_ns()
        if change.mode is self._performer.mode or self._perform is None:
            self._performer.change(change, now_ns)
            return
        self._performer.stop(now_ns)
        self._performer = self._perform(change)

    def _receive(self, at_ns: int, data: bytes) -> None:
        """Take one message of the player's: a wish for an answer, an event of the piano, or neither."""
        channel = self._settings.channel
        at_ns = self._last_ns = max(at_ns, self._last_ns)  # two sources may be stamped in one order and put in another
        if channel is not None and (kind_of(data) in _WITHOUT_CHANNEL or channel_of(data) != channel):
            return
        mode = self._settings.modes.mode_of(data)
        if mode is not None and mode is not self._performer.mode and self._on_program is not None:
            self._on_program(mode)
        verdict = self._settings.trigger.judge(data)
        if verdict is Verdict.ASKS:
            self._performer.hand_over(at_ns)
        if verdict is not Verdict.MUSIC:
            return
        event = self._pedal.event_of(data)
        if event is not None:
            self._hear(at_ns, event)

    def _hear(self, at_ns: int, event: Event) -> None:
        timed = TimedEvent(at_ns, event)
        if self._on_heard is not None:
            self._on_heard(timed)
        self._performer.hear(timed)
        self._heard += 1
        self._hearing.add(self._clock.now_ns() - at_ns)


def _earlier(first_ns: int | None, second_ns: int | None) -> int | None:
    """Return the earlier of two moments, either of which may be missing."""
    if first_ns is None or second_ns is None:
        return second_ns if first_ns is None else first_ns
    return min(first_ns, second_ns)
