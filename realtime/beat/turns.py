"""Whose bars these are, where two play so many bars each in turn. Pure arithmetic on a grid of beats."""

import math
from dataclasses import dataclass

from realtime.beat.grid import BeatGrid

_HAIR = 1e-6


@dataclass(frozen=True, slots=True)
class Turns:
    """Turns of `bars` bars each from a beat on: number 0 is the player's, 1 pianod's, and so on."""

    first: int
    """The beat with which turn 0 begins; it begins a bar."""
    bars: int

    def begins(self, number: int, grid: BeatGrid) -> int:
        """Return the beat with which a turn begins, and the one before it ends."""
        return self.first + number * self.bars * grid.beats

    def begins_ns(self, number: int, grid: BeatGrid) -> int:
        """Return the moment at which a turn begins, and the one before it ends."""
        return grid.moment_ns(self.begins(number, grid))

    def number_at(self, at_ns: int, grid: BeatGrid) -> int:
        """Return the turn in which a moment lies; below 0 before the first."""
        return math.floor((grid.place(at_ns) - self.first) / (self.bars * grid.beats) + _HAIR)

    def own_from(self, at_ns: int, grid: BeatGrid) -> int:
        """Return the first turn of pianod's that begins at or after a moment."""
        number = max(self.number_at(at_ns, grid), 0)
        number += self.begins_ns(number, grid) < at_ns
        return number if number % 2 else number + 1


def first_of(at_ns: int, grid: BeatGrid) -> int:
    """Return the downbeat from which turns count for one who begins to play at a moment.

    It is the beginning of the bar, or of the next one for a pick-up of at most one beat.
    """
    following = grid.downbeat_from(at_ns)
    is_pick_up = following - grid.place(at_ns) <= 1 + _HAIR
    return following if is_pick_up else following - grid.beats
