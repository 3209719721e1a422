"""The input thread: owns the input port; stamps what arrives, first of all, and hands it on.

It polls (a port's callback loses messages in bursts), runs no model and waits for nothing but the port. A port that
knows when a message arrived is believed. What it takes goes into the engine's inbox, and, where thru is on, straight
to the output.
"""

from collections.abc import Callable
from dataclasses import dataclass

from loguru import logger

from piano.errors import PortError
from realtime.midi.message import MessageKind, kind_of, split
from realtime.midi.port_events import PlayerGone, PortLost, Received, ThreadFailed, ThreadRevived
from realtime.midi.ports import Direction, InputPort
from realtime.threads.clock import Clock
from realtime.threads.own_thread import OwnThread
from realtime.threads.priority import raise_priority
from realtime.threads.restart_limit import RestartLimit

LATE_NS = 500_000_000
"""A key that was pressed longer ago than this is heard, but not passed on: no burst of old notes after a standstill."""

SENSED_WITHIN_NS = 330_000_000
"""A keyboard that sends active sensing and then nothing for so long has gone (MIDI 1.0: 300 ms, and a tenth more)."""
_ONE_LOOK_NS = 60_000_000
"""So much silence counts at most between two looks: where we stood still ourselves, nobody was silent."""
_ACTIVE_SENSING = 0xFE

_JOIN_S = 2.0
_SONG_POSITION = 0xF2

Thru = Callable[[bytes], None]
OnClock = Callable[[int, bytes], None]
IsEcho = Callable[[int, bytes], bool]


@dataclass(frozen=True, slots=True)
class InputStatus:
    """What has come in so far."""

    received: int
    """Messages put in the inbox."""
    real_time: int
    """System real-time messages (clock, active sensing), which are no music."""
    malformed: int
    echoes: int
    """What had gone out before, and came back over a loop."""
    late: int
    """Keys that had been pressed so long before we got to them that they were not passed on."""


class MidiInput:
    """Take messages from a port, stamp them, and deliver them.

    `deliver` gets `Received`, `PlayerGone` where active sensing ends, `ThreadRevived` after an error, or once
    `PortLost` or `ThreadFailed`; `thru`, where given, gets the message as it is, before that; what
    `is_echo(at_ns, data)` recognises gets no further;
    `on_clock(at_ns, data)` gets what is system real-time, and song positions. All are
    called on the input thread: they must only hand over and not raise.
    """

    def __init__(
        self,
        port: InputPort,
        clock: Clock,
        deliver: Callable[[Received | PlayerGone | PortLost | ThreadRevived | ThreadFailed], None],
        *,
        thru: Thru | None = None,
        is_echo: IsEcho | None = None,
        on_clock: OnClock | None = None,
        priority: int | None = 50,
    ) -> None:
        self._port = port
        self._clock = clock
        self._deliver = deliver
        self._thru = thru
        self._is_echo = is_echo
        self._on_clock = on_clock
        self._priority = priority
        self._thread = OwnThread(self._run, "midi input")
        self._stopping = False
        self._chances = RestartLimit()
        self._received = 0
        self._real_time = 0
        self._malformed = 0
        self._echoes = 0
        self._late = 0
        self._is_sensed = False
        self._silent_ns = 0
        self._looked_ns = clock.now_ns()

    def set_thru(self, thru: Thru | None) -> None:
        """Switch thru on or off, from the next message on; from any thread."""
        self._thru = thru

    def status(self) -> InputStatus:
        """Return the counts; from any thread."""
        return InputStatus(self._received, self._real_time, self._malformed, self._echoes, self._late)

    def start(self) -> None:
        """Start the input thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the port."""
        self._stopping = True
        self._thread.join(_JOIN_S)
        self._port.close()

    def take_all(self) -> int:
        """Deliver all that has arrived and return how many messages that were; PortError once the port is gone."""
        count = 0
        while (data := self._port.poll()) is not None:
            now_ns = self._clock.now_ns()
            arrived_ns = self._port.arrived_ns
            at_ns = now_ns if arrived_ns is None else arrived_ns
            count += 1
            for message in split(data):
                self._take(message, at_ns, is_late=now_ns - at_ns > LATE_NS)
        return count

    def look(self) -> None:
        """Deliver all that has arrived; tell, once, of a keyboard that has gone by the end of its active sensing."""
        taken = self.take_all()
        now_ns = self._clock.now_ns()
        self._silent_ns = 0 if taken else self._silent_ns + min(now_ns - self._looked_ns, _ONE_LOOK_NS)
        self._looked_ns = now_ns
        if self._is_sensed and self._silent_ns > SENSED_WITHIN_NS:
            self._is_sensed = False
            self._deliver(PlayerGone(self._port.name, "its active sensing has ended"))

    def _take(self, data: bytes, at_ns: int, *, is_late: bool) -> None:
        kind = kind_of(data)
        if kind is MessageKind.REAL_TIME:
            self._real_time += 1
            self._is_sensed |= data[0] == _ACTIVE_SENSING
            if self._on_clock is not None:
                self._on_clock(at_ns, data)
        elif kind is MessageKind.MALFORMED:
            self._malformed += 1
        elif self._is_echo is not None and self._is_echo(at_ns, data):
            self._echoes += 1
        else:
            is_burst = is_late and kind is MessageKind.NOTE_ON
            self._late += is_burst
            if (thru := self._thru) is not None and not is_burst:
                thru(data)
            if data[0] == _SONG_POSITION and self._on_clock is not None:
                self._on_clock(at_ns, data)
            self._received += 1
            self._deliver(Received(at_ns, data))

    def _run(self) -> None:
        """Be the input thread."""
        if self._priority is not None:
            raise_priority(self._priority)
        while not self._stopping:
            try:
                self.look()
                self._port.wait()
            except PortError as error:
                logger.warning("lost the MIDI input {!r}: {}", self._port.name, error)
                self._deliver(PortLost(Direction.INPUT, self._port.name, str(error)))
                return
            except Exception as error:  # the top of the thread: tell, and go on, or stop
                reason = f"{type(error).__name__}: {error}"
                logger.opt(exception=error).debug("the input thread failed")
                if not self._chances.take(self._clock.now_ns()):
                    self._deliver(ThreadFailed("midi input", reason))
                    return
                self._deliver(ThreadRevived(Direction.INPUT, reason))
