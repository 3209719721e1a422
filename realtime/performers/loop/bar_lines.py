"""A loop in bars: where beats are kept it begins at a bar line and lasts whole bars, and answers are drawn to the beat.

Where none are it is as the player makes it, to the millisecond. Engine's thread.
"""

import math

from realtime.beat.musical_clock import MusicalClock
from realtime.performers.loop.answer import LoopAnswer

EARLY_BEATS = 0.5
"""A first key so shortly before a bar line is early for it."""

LATE_BARS = 0.25
"""One who ends a loop so shortly after a bar line means that line; later, the next."""


class BarLines:
    """The bar lines that a loop keeps to."""

    def __init__(self, beats: MusicalClock | None = None) -> None:
        self._beats = beats or MusicalClock()

    def begins_ns(self, at_ns: int) -> int:
        """Return when a loop begins whose first key goes down at a moment."""
        grid = self._beats.grid
        if not self._beats.is_kept:
            return at_ns
        following = grid.downbeat_from(at_ns)
        is_early = following - grid.place(at_ns) <= EARLY_BEATS
        return grid.moment_ns(following if is_early else following - grid.beats)

    def length_ns(self, length_ns: int, shortest_ns: int) -> int:
        """Return how long a loop is that the player made so long."""
        if not self._beats.is_kept:
            return max(length_ns, shortest_ns)
        grid = self._beats.grid
        bar_ns = grid.period_ns * grid.beats
        return round(max(math.ceil(length_ns / bar_ns - LATE_BARS), math.ceil(shortest_ns / bar_ns), 1) * bar_ns)

    def draw(self, answer: LoopAnswer, start_ns: int, amount: float) -> None:
        """Draw the keys of an answer to the beat in a pass that begins at a moment; one that is not complete stays."""
        if amount > 0 and self._beats.is_kept and answer.is_complete:
            grid = self._beats.grid
            answer.draw(lambda offset_ns: grid.drawn(start_ns + offset_ns, amount) - start_ns)
