"""The metronome: clicks on the drum channel, and MIDI clock; nothing of it is music. One thread runs it.

Beats lie on a grid from a moment on that everybody knows, so that a page can click in the same time by itself. A beat
that could not be sent in time is left out, never sent late. Where it follows a MIDI clock that comes in, the grid is
that clock's: its tempo, its first beat, its halts; once no clock comes any more the beat goes on as it was.
"""

from dataclasses import dataclass, replace

from realtime.midi.clock_in import PULSES_PER_BEAT, ClockBeats
from realtime.midi.message import DRUM_CHANNEL
from realtime.output.scheduler import Scheduler

CLOCKS_PER_BEAT = PULSES_PER_BEAT
_CLOCK, _START, _STOP = b"\xf8", b"\xfa", b"\xfc"
_STRESSED, _PLAIN = (76, 110), (77, 80)
"""Key and velocity: the high and the low wood block of General MIDI."""

_LATEST_NS = 30_000_000


@dataclass(frozen=True, slots=True)
class Beat:
    """What a metronome does. Beats lie a tempo apart from `origin_ns` on."""

    clicks: bool = False
    clock: bool = False
    tempo_bpm: float = 90.0
    beats: int = 4
    origin_ns: int = 0
    follows: bool = False
    """Whether a MIDI clock that comes in has its way."""
    runs: bool = True
    """Whether there are beats at all: a clock that is followed may halt."""

    def following(self, heard: ClockBeats | None) -> "Beat":
        """Return the beat that is in force where this is wanted and that is heard."""
        if not self.follows or heard is None:
            return self
        return replace(self, tempo_bpm=heard.tempo_bpm, origin_ns=heard.origin_ns, runs=heard.runs)

    @property
    def is_on(self) -> bool:
        """Whether anything is to be sent."""
        return self.runs and (self.clicks or self.clock)

    @property
    def sends_clock(self) -> bool:
        """Whether those who follow us are to go on."""
        return self.runs and self.clock

    @property
    def step(self) -> int:
        """Return how many pulses lie from one at which something is sent to the next."""
        return 1 if self.clock else CLOCKS_PER_BEAT

    def moment_ns(self, pulse: int) -> int:
        """Return the moment of a pulse, of which there are as many to a beat as the MIDI clock has."""
        return self.origin_ns + round(pulse * 60e9 / self.tempo_bpm / CLOCKS_PER_BEAT)

    def pulse_from(self, at_ns: int) -> int:
        """Return the first pulse at which something is sent that does not come before a moment."""
        pulse = max(int((at_ns - self.origin_ns) * self.tempo_bpm * CLOCKS_PER_BEAT / 60e9) - 1, 0)
        pulse -= pulse % self.step
        while self.moment_ns(pulse) < at_ns:
            pulse += self.step
        return pulse

    def messages(self, pulse: int) -> tuple[bytes, ...]:
        """Return what is sent at a pulse; each click is released at once."""
        sent = [_CLOCK] if self.clock else []
        if self.clicks and pulse % CLOCKS_PER_BEAT == 0:
            pitch, velocity = _STRESSED if pulse // CLOCKS_PER_BEAT % self.beats == 0 else _PLAIN
            sent += [bytes((0x90 | DRUM_CHANNEL, pitch, velocity)), bytes((0x80 | DRUM_CHANNEL, pitch, 64))]
        return tuple(sent)


class Metronome:
    """Sends beats. See `realtime.threads.clock.DueSource`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._wanted = self._taken = self._beat = Beat()
        self._heard: ClockBeats | None = None
        self._followed: ClockBeats | None = None
        self._pulse = 0

    @property
    def beat(self) -> Beat:
        """Return the beat in force; for any thread."""
        return self._wanted.following(self._heard)

    def change(self, beat: Beat) -> None:
        """Beat in another way from now on; for any thread."""
        self._wanted = beat

    def follow(self, heard: ClockBeats) -> None:
        """Take note of the beats of a clock that comes in; for one thread."""
        self._heard = heard

    def give_up(self) -> None:
        """Beat no more until another beat is asked for."""
        self._wanted = self._taken = self._beat = Beat()

    def next_due_ns(self) -> int | None:
        """Return the moment of the next pulse; None if nothing is to be sent."""
        if self._has_news():
            return 0
        return self._beat.moment_ns(self._pulse) if self._beat.is_on else None

    def run_due(self, now_ns: int) -> None:
        """Send what is due by now; a clock that begins or ends is told to those who follow it."""
        if self._has_news():
            self._take(now_ns)
        while self._beat.is_on and (due_ns := self._beat.moment_ns(self._pulse)) <= now_ns:
            if now_ns - due_ns <= _LATEST_NS:
                for data in self._beat.messages(self._pulse):
                    self._scheduler.signal(data)
                self._pulse += self._beat.step
            else:
                self._pulse = self._beat.pulse_from(now_ns)

    def _has_news(self) -> bool:
        return self._wanted is not self._taken or (self._taken.follows and self._heard is not self._followed)

    def _take(self, now_ns: int) -> None:
        """Beat as is wanted and heard by now; on a grid that was only set right the count goes on."""
        wanted, heard, before = self._wanted, self._heard, self._followed
        beat = wanted.following(heard)
        if beat.sends_clock != self._beat.sends_clock:
            self._scheduler.signal(_START if beat.sends_clock else _STOP)
        is_same = wanted is self._taken and heard and before and heard.count == before.count
        if not (is_same and beat.is_on and self._beat.is_on):
            self._pulse = beat.pulse_from(now_ns - _LATEST_NS)
        self._taken, self._followed, self._beat = wanted, heard, beat
