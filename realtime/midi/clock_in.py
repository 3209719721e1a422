"""The MIDI clock that comes in: its tempo, its beats, whether it runs. `hear` is for the input thread alone.

A beat has 24 pulses. Start makes the next pulse the first of a bar, stop halts the count, continue goes on with it; a
song position says from where, in sixteenths. A clock that says none of them is taken to run from its first pulse on.

Pulses shake by a millisecond or more on their way. The beats are a straight line through the pulses of the last four
beats, or, where the last half beat lies off that (the tempo changes), of the last beat.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from realtime.threads.clock import NS_PER_S

PULSES_PER_BEAT = 24
LOST_AFTER_NS = NS_PER_S // 4
"""A clock that is silent for so long has ended; the slowest there is, 20 beats a minute, has a pulse every 125 ms."""

_LEAST = PULSES_PER_BEAT // 2
"""Intervals between pulses from which a tempo is told."""

_MOST = 4 * PULSES_PER_BEAT
"""Intervals between pulses through which a line is laid at the most."""

_OFF_NS = 1_200_000
"""Where the last half beat lies off a line by more than this, the tempo has changed."""

_PULSES_PER_SIXTEENTH = 6


@dataclass(frozen=True, slots=True)
class ClockBeats:
    """Where the beats of a clock lie: a straight line through its last pulses."""

    tempo_bpm: float
    origin_ns: int
    """When its first beat lay, or would have lain at this tempo."""
    runs: bool
    count: int
    """How often it has begun to count anew."""


class MidiClock:
    """Follows a clock from pulse to pulse; `tell` gets its beats as each of them begins, and when it halts."""

    def __init__(self, tell: Callable[[ClockBeats], None]) -> None:
        self._tell = tell
        self._moments: deque[int] = deque(maxlen=_MOST + 1)  # of the last pulses
        self._next = 0  # number of the next pulse since the clock was started
        self._runs = True
        self._count = 0
        self._beats: ClockBeats | None = None

    def beats(self, now_ns: int) -> ClockBeats | None:
        """Return the beats as they were told last; None if no clock comes in. For any thread."""
        beats, moments = self._beats, self._moments
        try:
            last_ns = moments[-1]
        except IndexError:
            return None
        return beats if now_ns - last_ns < LOST_AFTER_NS else None

    def hear(self, at_ns: int, data: bytes) -> None:
        """Take a system real-time message, or a song position; all others are no concern of ours."""
        match data[0]:
            case 0xF8:  # timing clock
                self._pulse(at_ns)
            case 0xFA:  # start
                self._next, self._runs, self._count = 0, True, self._count + 1
            case 0xFB:  # continue
                self._runs, self._count = True, self._count + 1
            case 0xF2 if len(data) == 3:  # song position
                self._next, self._count = (data[1] | data[2] << 7) * _PULSES_PER_SIXTEENTH, self._count + 1
            case 0xFC:  # stop
                self._runs = False
                if self._beats is not None:
                    self._say(self._beats.tempo_bpm, self._beats.origin_ns)

    def _pulse(self, at_ns: int) -> None:
        if self._moments and at_ns - self._moments[-1] > LOST_AFTER_NS:
            self._moments.clear()
            self._count += 1
        self._moments.append(at_ns)
        number = self._next
        self._next += self._runs
        known = len(self._moments) - 1
        if known < _LEAST and number == 0 and self._beats is not None:
            self._say(self._beats.tempo_bpm, at_ns)  # it begins again: as fast as it was, until it says otherwise
        if known >= _LEAST and (number % PULSES_PER_BEAT == 0 or known == _LEAST or not self._runs):
            pulse_ns, last_ns = _steady_line(list(self._moments))
            self._say(60 * NS_PER_S / (PULSES_PER_BEAT * pulse_ns), round(last_ns - number * pulse_ns))

    def _say(self, tempo_bpm: float, origin_ns: int) -> None:
        self._beats = ClockBeats(tempo_bpm, origin_ns, self._runs, self._count)
        self._tell(self._beats)


def _steady_line(moments: list[int]) -> tuple[float, float]:
    """Return the line through all the moments, or through those of the last beat where the last ones lie off that."""
    slope, value = _line_through(moments)
    latest = moments[-_LEAST:]
    off_ns = sum(at_ns - (value - (len(latest) - 1 - index) * slope) for index, at_ns in enumerate(latest))
    if len(moments) > PULSES_PER_BEAT + 1 and abs(off_ns) > _OFF_NS * len(latest):
        return _line_through(moments[-PULSES_PER_BEAT - 1 :])
    return slope, value


def _line_through(moments: list[int]) -> tuple[float, float]:
    """Return the steps of the straight line that lies nearest to evenly spaced moments, and its value at the last."""
    count, first = len(moments), moments[0]
    middle = (count - 1) / 2
    mean = sum(at_ns - first for at_ns in moments) / count
    slope = sum((index - middle) * (at_ns - first) for index, at_ns in enumerate(moments))
    slope /= count * (count * count - 1) / 12
    return slope, first + mean + middle * slope
