"""The engine: between the keyboard and the output, with the model in the middle. It owns the performer and its stream.

It takes what is in its inbox, in order, and between two messages gives the performer a turn. Live it is a thread on
the monotonic clock; offline and in tests the caller runs it on a clock that is moved by hand, with the same result.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from loguru import logger

from piano.errors import PianodError
from piano.events import Event, TimedEvent
from realtime.beat.musical_clock import MusicalClock
from realtime.engine.commands import (
    BeatsMoved,
    ChangePlaying,
    ComeToEnd,
    Command,
    ExchangeModel,
    HandOver,
    Keep,
    NewPiece,
    Panic,
    Quit,
    Retry,
    StopPlaying,
    Tap,
    Undo,
)
from realtime.engine.fault_backoff import LONGEST_REST_NS, FaultBackoff, rest_ns
from realtime.engine.listening import ChangeListening, EngineSettings, Purpose
from realtime.engine.messages import EngineListener, EngineMessage, PortReport
from realtime.midi.message import DRUM_CHANNEL, MessageKind, PianoReader, channel_of, is_panic, kind_of
from realtime.midi.port_events import (
    PlayerGone,
    PortLost,
    Received,
    Stalled,
    SystemLost,
    ThreadFailed,
    ThreadRevived,
)
from realtime.midi.ports import Direction
from realtime.output.scheduler import Scheduler
from realtime.performers.performer import Activity, ComesToEnd, KeepsTime, Performer, PerformerStatus, Reviser
from realtime.performers.play_settings import Mode, PlaySettings
from realtime.threads.clock import NS_PER_S, Clock
from realtime.threads.inbox import Inbox
from realtime.threads.lateness import LatenessHistogram, LatenessSummary
from realtime.threads.own_thread import OwnThread

_JOIN_S = 5.0

IDLE_NS = 3_000_000
"""How long nothing may be due for work ahead to begin: a piece of it takes a millisecond or two."""


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

    `perform` makes the performer of another mode, and, where `playing` says how it plays, another one in place of one
    that failed; it is called on the engine's thread, as the `listener` is, and may take its time. `advance` does a
    piece of work that will be wanted later, and returns whether there was one; it is called while nothing else is to
    be done. `beats` is told of taps, `hear` of what the player does before the performer is, and `lead` guides a
    performer that goes on otherwise.
    """

    def __init__(
        self,
        clock: Clock,
        inbox: Inbox[EngineMessage],
        performer: Performer,
        scheduler: Scheduler,
        settings: EngineSettings | None = None,
        *,
        listener: EngineListener | None = None,
        perform: Callable[[PlaySettings], Performer] | None = None,
        playing: PlaySettings | None = None,
        advance: Callable[[], bool] | None = None,
        beats: MusicalClock | None = None,
        lead: Callable[[Performer, PlaySettings], None] | None = None,
        hear: Callable[[TimedEvent], None] | None = None,
    ) -> None:
        self._clock, self._inbox = clock, inbox
        self._beats, self._lead = beats or MusicalClock(), lead
        self._hear_first = hear or self._beats.hear
        self._performer, self._scheduler = performer, scheduler
        self._settings = settings or EngineSettings()
        self._listener = listener or EngineListener()
        self._perform, self._playing, self._advance = perform, playing, advance
        self._faults = 0
        self._failed_ns = 0
        self._reader = PianoReader()
        self._hearing = LatenessHistogram()
        self._has_hinted = False
        self._heard = 0
        self._last_ns = 0
        self._fault: str | None = None
        self._thread = OwnThread(self._run, "engine")
        self._finished = threading.Event()
        self._performing = performer.status()

    def start(self) -> None:
        """Start the engine's thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the engine after what is in its inbox."""
        self._inbox.put(Quit())
        self._thread.join(_JOIN_S)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the engine has ended; return whether it has."""
        return self._finished.wait(timeout_s)

    def status(self) -> EngineStatus:
        """Return how it stands; from any thread."""
        hearing = self._hearing.summary()
        return EngineStatus(self._performing, self._performer.mode, self._heard, hearing, len(self._inbox), self._fault)

    def is_panic(self, data: bytes) -> bool:
        """Say whether a message of the player's asks for panic; from any thread."""
        return is_panic(data) and self._settings.route(data).purpose is Purpose.MUSIC

    def run_until(self, limit_ns: int) -> None:
        """Run on the caller's thread until the clock has reached a moment or the engine has ended."""
        while not self._finished.is_set() and self.turn(limit_ns):
            pass

    def turn(self, limit_ns: int | None) -> bool:
        """Take one message or do one piece of work, waiting for either; return False if the limit came first."""
        now_ns = self._clock.now_ns()
        due_ns = self._performer.due_ns()
        if due_ns is not None and due_ns <= now_ns:
            message = self._inbox.get(now_ns)
            if message is None:
                self._work(now_ns)
        else:
            until_ns = _earlier(due_ns, limit_ns)
            if self._advances(now_ns, until_ns):
                return True
            message = self._inbox.get(until_ns)
            if message is None and limit_ns is not None and self._clock.now_ns() >= limit_ns:
                return False
        if message is not None:
            self._handle(message)
        self._performing = self._performer.status()
        return True

    def _advances(self, now_ns: int, until_ns: int | None) -> bool:
        """Work ahead if nobody waits for anything else; return whether there was something to do."""
        is_busy = len(self._inbox) > 0 or (until_ns is not None and until_ns - now_ns < IDLE_NS)
        if self._advance is None or is_busy or isinstance(self._performer, FaultBackoff):
            return False
        return self._advance()

    def _run(self) -> None:
        """Be the engine's thread."""
        try:
            while not self._finished.is_set():
                self.survive(None)
        except Exception as error:  # the top of the thread: tell, release what sounds, and end
            self._note_fault(error)
            logger.error("the engine stopped: {}", self._fault)
            self._scheduler.panic()
        finally:
            self._finished.set()

    def survive(self, limit_ns: int | None) -> bool:
        """Take a turn, whatever fails in it: the performer then rests, and the player plays on without it."""
        try:
            return self.turn(limit_ns)
        except Exception as error:  # as good as the top of the thread, which has to go on
            if self._perform is None or self._playing is None:
                raise
            self._rest(error)
            return True

    def _rest(self, error: Exception) -> None:
        """Put a rest in the place of a performer that failed: longer each time, if it fails again soon."""
        now_ns = self._clock.now_ns()
        self._faults = self._faults + 1 if now_ns - self._failed_ns < 2 * LONGEST_REST_NS else 1
        self._failed_ns = now_ns
        self._note_fault(error)
        pause_ns = rest_ns(self._faults)
        logger.error("{} does not play for {:.0f} s: {}", self._performer.mode, pause_ns / NS_PER_S, self._fault)
        self._scheduler.forget_own()
        self._performer = FaultBackoff(self._performer.mode, now_ns + pause_ns, self._performing)

    def _note_fault(self, error: Exception) -> None:
        self._fault = str(error) if isinstance(error, PianodError) else f"{type(error).__name__}: {error}"
        logger.opt(exception=error).debug("the engine failed")

    def _work(self, now_ns: int) -> None:
        if isinstance(self._performer, FaultBackoff) and self._perform is not None and self._playing is not None:
            self._performer = self._perform(self._playing)
            self._fault = None
        else:
            self._performer.work(now_ns)

    def _handle(self, message: EngineMessage) -> None:
        match message:
            case Received(at_ns, data):
                self._receive(at_ns, data)
            case HandOver():
                self._performer.hand_over(self._clock.now_ns())
            case ComeToEnd():
                self._come_to_end(self._clock.now_ns())
            case NewPiece():
                self._performer.start_afresh()
            case Retry():
                self._performer.retry(self._clock.now_ns())
            case Keep() | Undo():
                self._revise(message)
            case ChangePlaying(settings):
                self._change(settings)
            case ChangeListening(settings):
                self._settings = settings
            case ExchangeModel(exchange):
                exchange()
            case Tap(at_ns):
                self._beats.tap(at_ns)
            case BeatsMoved():
                if isinstance(self._performer, KeepsTime):
                    self._performer.beats_moved(self._clock.now_ns())
            case StopPlaying() | Panic():  # whoever puts a panic in has silenced the output before
                self._performer.stop(self._clock.now_ns())
            case Quit():
                self._performer.stop(self._clock.now_ns())
                self._finished.set()
            case ThreadFailed(thread, reason):
                self._performer.stop(self._clock.now_ns())
                self._fault = f"the {thread} thread ended: {reason}"
                self._finished.set()
            case _:
                self._mend(message)

    def _come_to_end(self, at_ns: int) -> None:
        """Bring what is played to an end, where the way of playing can."""
        if isinstance(self._performer, ComesToEnd):
            self._performer.come_to_end(at_ns, self._settings.ending_ns)

    def _revise(self, wish: Keep | Undo) -> None:
        """Keep what was answered, or take it back, where the way of playing knows of such."""
        if isinstance(self._performer, Reviser):
            revise = self._performer.keep if isinstance(wish, Keep) else self._performer.undo
            revise(self._clock.now_ns())

    def _mend(self, report: PortReport) -> None:
        """Stop at a change of the ports; keys that nobody would see come up count as lifted."""
        now_ns = self._clock.now_ns()
        is_lost = isinstance(report, PortLost) and report.direction is Direction.INPUT
        if is_lost or isinstance(report, PlayerGone | SystemLost | Stalled | ThreadRevived):
            for event in self._reader.release():
                self._hear(now_ns, event)
        self._performer.stop(now_ns)
        self._listener.ports_changed(report)

    def _change(self, change: PlaySettings) -> None:
        """Go on in another way; in another mode, with another performer."""
        now_ns = self._clock.now_ns()
        before = self._playing
        self._playing = None if before is None else change
        is_same = change.mode is self._performer.mode and (before is None or before.trades == change.trades)
        learns = before is not None and change.reference != before.reference and change.mode is not Mode.LOOP
        if (is_same and not learns) or self._perform is None:
            self._performer.change(change, now_ns)
            if self._lead is not None:
                self._lead(self._performer, change)
            return
        goes_on = is_same and self._performer.status().activity is Activity.PLAYING
        self._performer.stop(now_ns)
        self._performer = self._perform(change)
        if goes_on:
            self._performer.hand_over(now_ns)

    def _receive(self, at_ns: int, data: bytes) -> None:
        """Take one message of the player's: a wish for an answer, an event of the piano, or neither."""
        at_ns = self._last_ns = max(at_ns, self._last_ns)  # two sources may be stamped in one order and put in another
        purpose, asks = self._settings.route(data)
        if purpose is Purpose.MUSIC:
            self._play(at_ns, data)
        elif purpose is Purpose.CHOICE:
            self._ask(self._settings.modes.mode_of(data), self._settings.modes.command_of(data))
        elif asks and purpose is Purpose.TAP:
            self._beats.tap(at_ns)
        elif asks and purpose is Purpose.ENDING:
            self._come_to_end(at_ns)
        elif asks and purpose is Purpose.ANSWER:
            self._performer.hand_over(at_ns)

    def _play(self, at_ns: int, data: bytes) -> None:
        """Let the performer hear what a message means for the piano."""
        events = self._reader.events_of(data)
        if (
            not events
            and not self._has_hinted
            and kind_of(data) is MessageKind.NOTE_ON
            and channel_of(data) == DRUM_CHANNEL
        ):
            self._has_hinted = True
            logger.warning(
                "keys come on MIDI channel 10, which is for drums, and the model does not hear them: "
                "if that is your keyboard, set it to another channel"
            )
        for event in events:
            self._hear(at_ns, event)
        if is_panic(data):
            self._handle(Panic())

    def _ask(self, mode: Mode | None, wish: Command | None) -> None:
        """Ask for another way of playing, or for what becomes of an answer."""
        if mode is not None and mode is not self._performer.mode:
            self._listener.mode_asked(mode)
        if wish is not None:
            self._handle(wish)

    def _hear(self, at_ns: int, event: Event) -> None:
        timed = TimedEvent(at_ns, event)
        self._listener.heard(timed)
        self._hear_first(timed)
        self._performer.on_event(timed)
        self._heard += 1
        self._hearing.add(self._clock.now_ns() - at_ns)


def _earlier(first_ns: int | None, second_ns: int | None) -> int | None:
    """Return the earlier of two moments, either of which may be missing."""
    if first_ns is None or second_ns is None:
        return second_ns if first_ns is None else first_ns
    return min(first_ns, second_ns)
