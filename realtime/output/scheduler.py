"""The output thread: owns the event queue, what sounds, and the output port; it sends each message at its moment.

Other threads post commands; the output thread carries them out in their order. The same code runs without a thread,
on the caller's, until `start()`: attached to a `ManualClock` it is the output of offline runs and tests. Sending
contains no model and waits for nothing but the next deadline.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType

from loguru import logger

from piano.events import Event
from realtime.midi.backpressure import AdmissionControl
from realtime.midi.port_events import PortLost, ThreadFailed, ThreadRevived
from realtime.midi.ports import Direction, OutputPort
from realtime.output.event_queue import EventQueue, EventQueueCounts, Release
from realtime.output.listener import OutputListener
from realtime.output.output_status import OutputStatus, SchedulerSettings
from realtime.output.port_sender import PortSender
from realtime.output.voice_tracker import SoundingNotes
from realtime.threads.clock import Clock, MonotonicClock
from realtime.threads.priority import raise_priority
from realtime.threads.restart_limit import RestartLimit

MOST_WAITING = 2048
"""Messages of the player's that wait to be passed on; after that only what ends something."""

_JOIN_S = 5.0
_SLEEP_MOST_NS = 200_000
_SPIN_NS = 100_000


Call = Callable[[], None]
ReportFault = Callable[[PortLost | ThreadRevived | ThreadFailed], None]


class Scheduler:
    """Send own events at their moments and the player's messages at once.

    `report` is told when the port is lost, and when the thread fails: it silences everything and goes on, and ends if
    it fails again and again. It is called on the output thread, as the `listener` is: both only hand over (put in a
    queue) and do not raise.
    """

    def __init__(
        self,
        clock: Clock,
        port: OutputPort | None,
        settings: SchedulerSettings | None = None,
        *,
        report: ReportFault | None = None,
        listener: OutputListener | None = None,
    ) -> None:
        self._clock = clock
        self._settings = settings or SchedulerSettings()
        self._report = report
        self._delivery = PortSender(clock, port, report=self._tell, listener=listener)
        self._queue = EventQueue(self._settings.queue)
        self._condition = threading.Condition()
        self._commands: deque[Call] = deque()
        self._way_in = AdmissionControl(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._finished = False
        self._issued = 0  # the latest epoch
        self._sounding = SoundingNotes()
        self._chances = RestartLimit()

    # What other threads may call

    def schedule(self, at_ns: int, event: Event, epoch: int = 0) -> None:
        """Play an own event at its moment, unless its epoch is invalidated before."""
        self._post(lambda: self._queue.schedule(at_ns, event, epoch))

    def send_now(self, event: Event) -> None:
        """Play an own event at once."""
        asked_ns = self._clock.now_ns()
        self._post(lambda: self._delivery.send(self._queue.send_now(event, self._clock.now_ns()), asked_ns))

    def through(self, data: bytes) -> None:
        """Pass on a message of the player's at once."""
        asked_ns = self._clock.now_ns()
        if self._way_in.admits(data, len(self._commands)):
            self._post(lambda: self._delivery.send(self._queue.through(data), asked_ns, own=False))

    def hold(self, data: bytes, due_ns: int) -> None:
        """Keep a note-on of the player's until `answer` gives it a velocity, or until it goes out as it came."""
        asked_ns = self._clock.now_ns()
        if self._way_in.admits(data, len(self._commands)):
            self._post(lambda: self._delivery.send(self._queue.hold(data, asked_ns, due_ns), asked_ns, own=False))

    def release_held_key(self, pitch: int, velocity: int, pressed_ns: int) -> None:
        """Send a key that was pressed at a moment and waits, with another velocity."""
        asked_ns = self._clock.now_ns()
        self._post(
            lambda: self._delivery.send(self._queue.release_held_key(pitch, velocity, pressed_ns), asked_ns, own=False)
        )

    def replay(self, data: bytes) -> None:
        """Pass on a message of music that was played before: it sounds, and nobody writes it down again."""
        asked_ns = self._clock.now_ns()
        self._post(lambda: self._delivery.send(self._queue.through(data), asked_ns, own=False, is_told=False))

    def signal(self, data: bytes) -> None:
        """Send a message that is no music: a click that ends by itself, a clock. Nobody is told of it."""
        self._post(lambda: self._delivery.signal(data))

    def let_end(self, data: bytes) -> None:
        """Pass on a message of the player's only as far as it ends what was passed on before."""
        asked_ns = self._clock.now_ns()
        if self._way_in.admits(data, len(self._commands)):
            self._post(lambda: self._delivery.send(self._queue.let_end(data), asked_ns, own=False))

    def release_thru(self) -> None:
        """Release all that the player holds, and forget the keys that wait."""
        asked_ns = self._clock.now_ns()
        self._post(lambda: self._delivery.send(self._queue.release_thru(), asked_ns, own=False))

    def release_left_over(self, releases: Sequence[bytes]) -> None:
        """Send what ends the notes and pedals that a pianod before this one left down; what is down now stays."""
        asked_ns = self._clock.now_ns()
        self._post(
            lambda: self._delivery.send(
                self._queue.release_left_over(releases),
                asked_ns,
                own=False,
                is_told=False,  # it is not of this take
            )
        )

    def begin_epoch(self) -> int:
        """Return a new epoch to plan in; epochs are issued to one thread, the engine's."""
        self._issued += 1
        return self._issued

    def invalidate(self, *, release: Release = Release.AT_TIME, after_ns: int | None = None) -> int:
        """Kill what was planned so far, and return the new epoch to plan in; see `EventQueue.invalidate`."""
        epoch = self.begin_epoch()
        asked_ns = self._clock.now_ns()
        self._post(
            lambda: self._delivery.send(
                self._queue.invalidate(epoch, self._clock.now_ns(), release, after_ns), asked_ns
            )
        )
        return epoch

    def release_own(self, at_ns: int | None = None) -> None:
        """Release every own note that sounds and the own pedal: now, or at a moment."""
        if at_ns is not None:
            self._post(lambda: self._queue.schedule_release(at_ns))
            return
        asked_ns = self._clock.now_ns()
        self._post(lambda: self._delivery.send(self._queue.release_own(), asked_ns))

    def forget_own(self) -> None:
        """Forget all own events that are planned, and release what sounds of them; the player's notes go on."""
        asked_ns = self._clock.now_ns()
        self._post(lambda: self._delivery.send(self._queue.forget_own(), asked_ns))

    def panic(self) -> None:
        """Silence everything, the player's notes too, and forget what is planned."""
        asked_ns = self._clock.now_ns()
        self._post(lambda: self._delivery.send(self._queue.panic(), asked_ns))

    def set_longest_note(self, longest_ns: int) -> None:
        """End own notes and pedals that are held for longer than this from now on."""
        self._post(lambda: self._queue.set_longest_note(longest_ns))

    def set_port(self, port: OutputPort | None) -> None:
        """Go on with another port, which this object then owns, or with none; the old port is closed.

        The new port first gets note-offs for all that may still sound from before.
        """
        self._post(lambda: self._change_port(port))

    def status(self) -> OutputStatus:
        """Return how the output stands; from any thread."""
        counts: EventQueueCounts = self._queue.counts
        return OutputStatus(
            sounding=self._sounding,
            pending=self._queue.pending,
            is_lost=not self._delivery.has_port,
            sent=self._delivery.sent,
            undelivered=self._delivery.undelivered,
            stale=counts.stale,
            too_late=counts.too_late,
            overlong=counts.overlong,
            left_out=self._queue.left_out,
            unanswered=self._queue.unanswered,
            refused=self._way_in.refused,
            own_lateness=self._delivery.own_lateness.summary(),
            now_lateness=self._delivery.now_lateness.summary(),
        )

    # Life

    def start(self) -> None:
        """Start the output thread: from now on commands are carried out there. Needs a `MonotonicClock`."""
        if not isinstance(self._clock, MonotonicClock):
            raise ValueError("the output thread needs a MonotonicClock; without a thread, use run_due()")
        if self._thread is not None or self._finished:
            raise ValueError("a scheduler starts once")
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Release everything, let it go out, close the port, and end the thread; what comes later is ignored."""
        self._post(self._finish)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)
            if self._thread.is_alive():
                logger.error("the output thread did not end within {} s: the port does not return", _JOIN_S)

    def __enter__(self) -> "Scheduler":
        """Start the thread."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, whatever happened."""
        self.stop()

    # Without a thread

    def next_due_ns(self) -> int | None:
        """Return the moment at which something next goes out, or None; with `run_due` the scheduler is a due source."""
        return self._queue.next_due_ns()

    def run_due(self, now_ns: int) -> None:
        """Send all that is due by now, in the order of its moments."""
        for outgoing in self._queue.pop_due(now_ns):
            self._delivery.send_due(outgoing)
        self._sounding = self._queue.sounding

    # The output thread, or the caller's where there is none

    def _post(self, command: Call) -> None:
        """Have a command carried out: by the output thread, or here and now where it does not run."""
        with self._condition:
            if self._finished:
                return
            if self._thread is None:
                command()
                self._sounding = self._queue.sounding
            else:
                self._commands.append(command)
                self._condition.notify()

    def _run(self) -> None:
        """Be the output thread."""
        if self._settings.priority is not None:
            raise_priority(self._settings.priority)
        while not self._finished:
            try:
                self._turn()
            except Exception as error:  # the top of the thread: silence everything, tell, and go on, or stop
                self._begin_again(error)

    def _begin_again(self, error: Exception) -> None:
        """Silence everything after an error, since nobody knows what went out before it; end after too many."""
        reason = f"{type(error).__name__}: {error}"
        logger.opt(exception=error).debug("the output thread failed")
        self._finished = not self._chances.take(self._clock.now_ns())
        silence = self._queue.begin_anew()
        for is_last in (False, True):
            try:
                self._delivery.send(silence, self._clock.now_ns())
                break
            except Exception as another:  # a listener once more, or the port itself: others may do better
                logger.opt(exception=another).debug("silencing the output failed")
                self._delivery.forget_listeners()
                if is_last:
                    self._delivery.lose(reason)
        self._sounding = self._queue.sounding
        if self._finished:
            self._delivery.close()
            self._tell(ThreadFailed("output", reason))
        else:
            self._tell(ThreadRevived(Direction.OUTPUT, reason))

    def _turn(self) -> None:
        """Carry out the commands, send what is due, and wait for the next of either."""
        while self._commands and not self._finished:
            self._commands.popleft()()
        self.run_due(self._clock.now_ns())
        if self._finished:
            return
        due_ns = self._queue.next_due_ns()
        wake_ns = None if due_ns is None else due_ns - self._settings.attentive_ns
        with self._condition:
            if not self._commands and (wake_ns is None or wake_ns > self._clock.now_ns()):
                self._clock.wait(self._condition, wake_ns)
        if due_ns is not None:
            self._stay_awake(due_ns)

    def _stay_awake(self, due_ns: int) -> None:
        """Wait out the last moments before a deadline: in short sleeps, at the very end without any.

        The sleeps let the other threads of the interpreter run; a command ends the wait.
        """
        while not self._commands:
            remaining_ns = due_ns - self._clock.now_ns()
            if remaining_ns <= 0 or remaining_ns > self._settings.attentive_ns:
                return
            if remaining_ns > _SPIN_NS + _SPIN_NS // 4:
                time.sleep(min(remaining_ns - _SPIN_NS, _SLEEP_MOST_NS) / 1e9)

    def _change_port(self, port: OutputPort | None) -> None:
        self._delivery.change(port)
        if port is not None:
            self._delivery.send(self._queue.start_afresh(), self._clock.now_ns())

    def _finish(self) -> None:
        self._delivery.send(self._queue.finish(), self._clock.now_ns())
        self._finished = True
        self._delivery.close()

    def _tell(self, message: PortLost | ThreadRevived | ThreadFailed) -> None:
        if self._report is not None:
            self._report(message)
