"""When a phrase is over: a pause that is long for the way in which it was played. The engine's thread owns it.

A pause is measured from the last key that went down or came up. How long it must be follows the slower of the
player's recent intervals between onsets (a chord is one onset), so that a breath in slow music is no ending and an
answer to fast music does not lag. While keys are held, the longest pause must pass since the last key went down. Where
the model is asked, too, what it expects makes the pause shorter or longer, within the same bounds.
"""

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from piano.events import NoteOff, NoteOn, Pedal, TimedEvent
from realtime.performers.play_settings import PauseSettings

CHORD_NS = 50_000_000
"""Onsets closer than this belong to one chord."""

REMEMBERED_ONSETS = 32
FEWEST_INTERVALS = 3
"""With fewer intervals nothing is known of the player's pace: the longest pause must pass."""

INTERVALS_A_PAUSE = 2.0
SLOW_SHARE = 80.0
"""The percentile of the intervals that stands for the slower ones."""


EVEN_ODDS = -2.2
"""The logarithm of the odds of a wait of a second at which the pause is as long as without the model's word."""

_WEIGHT = 0.5
_SHORTER, _LONGER = 0.5, 1.8


def with_expectation(pause_ns: int, survival: Sequence[float], settings: PauseSettings) -> int:
    """Return how long a pause ends the phrase, by how likely the model thinks waits of tenths of a second.

    Where it expects a long one, the pause is shorter; where it expects the music to go on, longer. The weight was set
    on long rests of the training split (`python -m bench.phrase_ends`).
    """
    wait = min(max(survival[-1], 1e-6), 1 - 1e-6)
    factor = math.exp(-_WEIGHT * (math.log(wait / (1 - wait)) - EVEN_ODDS))
    factor = min(max(factor, _SHORTER), _LONGER)
    return int(np.clip(factor * pause_ns, settings.shortest_ns, settings.longest_ns))


class PhraseDetector:
    """Follows what the player does since the last answer, and says when that is a finished phrase."""

    def __init__(self, settings: PauseSettings) -> None:
        self._settings = settings
        self._onsets_ns: deque[int] = deque(maxlen=REMEMBERED_ONSETS)
        self._held: set[int] = set()
        self._last_ns = 0
        self._survival: Sequence[float] | None = None
        self.pedal_is_down = False
        """Whether the player holds the sustain pedal."""
        self.start_ns: int | None = None
        """When the phrase began; None if nothing was played since the last answer."""

    def change(self, settings: PauseSettings) -> None:
        """Judge pauses by other bounds from now on."""
        self._settings = settings

    @property
    def held(self) -> frozenset[int]:
        """Return the keys that the player holds down."""
        return frozenset(self._held)

    @property
    def length_ns(self) -> int:
        """Return how long the phrase has been, from its first key to its last."""
        return 0 if self.start_ns is None else self._last_ns - self.start_ns

    def hear(self, timed: TimedEvent) -> None:
        """Take notice of what the player did."""
        match timed.event:
            case NoteOn(pitch):
                self._held.add(pitch)
                if self.start_ns is None:
                    self.start_ns = timed.at_ns
                if not self._onsets_ns or timed.at_ns - self._onsets_ns[-1] > CHORD_NS:
                    self._onsets_ns.append(timed.at_ns)
                self._last_ns = timed.at_ns
            case NoteOff(pitch):
                self._held.discard(pitch)
                self._last_ns = timed.at_ns
            case Pedal(down):
                self.pedal_is_down = down

    def expect(self, survival: Sequence[float] | None) -> None:
        """Take how likely the model thinks it that nothing happens within tenths of a second; None if it is not asked.

        It holds for the last event of a key, until the next.
        """
        self._survival = survival

    def pause_ns(self) -> int:
        """Return how long a pause ends the phrase."""
        pause_ns = self._usual_pause_ns()
        if self._survival is None or self._held:
            return pause_ns
        return with_expectation(pause_ns, self._survival, self._settings)

    def _usual_pause_ns(self) -> int:
        shortest, longest = self._settings.shortest_ns, self._settings.longest_ns
        if self._held or len(self._onsets_ns) <= FEWEST_INTERVALS:
            return longest
        intervals = np.diff(np.array(self._onsets_ns))
        intervals = intervals[intervals < 2 * longest]
        slow = float(np.percentile(intervals, SLOW_SHARE)) if intervals.size else longest
        return int(np.clip(INTERVALS_A_PAUSE * slow, shortest, longest))

    def ends_ns(self) -> int | None:
        """Return when the phrase is over if nothing more is played; None if nothing was played."""
        return None if self.start_ns is None else self._last_ns + self.pause_ns()

    def answered(self) -> None:
        """Begin anew: what comes next is another phrase, at the pace known so far."""
        self.start_ns = None
