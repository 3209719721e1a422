"""Beats on a straight line: when beat n is, which beat a moment lies in, where bars begin. Pure arithmetic.

Beats are counted from 0, which begins a bar; every `beats`-th after it begins another. A grid tells any beat, those of
before its origin too. A change of tempo makes another grid that meets the old one at the moment of the change, so that
the count goes on.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from realtime.midi.clock_in import ClockBeats

DIVISIONS = (4, 3)
"""Into how many parts a beat is divided where something is drawn to it."""

_NS_PER_MINUTE = 60_000_000_000
_HAIR = 1e-6
"""In beats: a moment that lies so near to a beat lies on it."""


class BeatSource(StrEnum):
    """What the beats come from."""

    SET = "set"
    """The tempo that is set."""
    CLOCK = "clock"
    """A MIDI clock that comes in."""
    TAPS = "taps"
    LINK = "link"
    """A session of Ableton Link with others in it."""
    PLAYING = "playing"
    """Found in what the player plays."""


@dataclass(frozen=True, slots=True)
class BeatGrid:
    """Where the beats lie, in nanoseconds of the monotonic clock."""

    tempo_bpm: float = 90.0
    origin_ns: int = 0
    """When beat 0 was, or would have been at this tempo."""
    beats: int = 4
    """Beats in a bar."""
    runs: bool = True
    """Whether there are beats at all: a clock that is followed may halt."""
    count: int = 0
    """How often the counting began anew: while it stays, beat n of an earlier grid is beat n of this one."""
    source: BeatSource = BeatSource.SET

    @property
    def period_ns(self) -> float:
        """Return the length of a beat."""
        return _NS_PER_MINUTE / self.tempo_bpm

    def moment_ns(self, beat: float) -> int:
        """Return when a beat is; a fraction lies between two."""
        return self.origin_ns + round(beat * self.period_ns)

    def place(self, at_ns: int) -> float:
        """Return the place of a moment in beats from the origin; the inverse of `moment_ns`."""
        return (at_ns - self.origin_ns) / self.period_ns

    def beat_from(self, at_ns: int) -> int:
        """Return the first beat that does not come before a moment."""
        return math.ceil(self.place(at_ns) - _HAIR)

    def downbeat_from(self, at_ns: int) -> int:
        """Return the first beat that begins a bar and does not come before a moment."""
        return -(-self.beat_from(at_ns) // self.beats) * self.beats

    def bar_and_beat(self, at_ns: int) -> tuple[int, int]:
        """Return which bar a moment lies in, from 0, and which beat of it, from 0."""
        return divmod(math.floor(self.place(at_ns) + _HAIR), self.beats)

    def is_downbeat(self, beat: int) -> bool:
        """Say whether a beat begins a bar."""
        return beat % self.beats == 0

    def at_tempo(self, tempo_bpm: float, now_ns: int) -> "BeatGrid":
        """Return the grid that goes on from a moment at another tempo."""
        origin_ns = now_ns - round(self.place(now_ns) * _NS_PER_MINUTE / tempo_bpm)
        return replace(self, tempo_bpm=tempo_bpm, origin_ns=origin_ns)

    def drawn(self, at_ns: int, amount: float) -> int:
        """Return a moment drawn to the nearest sixteenth or triplet by an amount: 0 leaves it, 1 puts it there."""
        if amount <= 0 or not self.runs:
            return at_ns
        place = self.place(at_ns)
        nearest = min((round(place * parts) / parts for parts in DIVISIONS), key=lambda line: abs(line - place))
        return at_ns + round(amount * (nearest - place) * self.period_ns)

    def as_clock(self) -> ClockBeats:
        """Return the same beats as those who follow a clock take them."""
        return ClockBeats(self.tempo_bpm, self.origin_ns, self.runs, self.count)
