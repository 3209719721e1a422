"""What a model that knows cues is told of the time: each beat, each downbeat, and each chord a beat before it sounds.

As in training (`train.dataset.shown_cues`): a beat stands at its own step, a chord with the beat before it. Where the
chart begins is a beat that those who play in bars set.
"""

from piano.changes import Chart
from piano.cues import BEAT, DOWNBEAT
from realtime.beat.grid import BeatSource
from realtime.beat.musical_clock import MusicalClock

SAME_NS = 100_000_000
"""Cues that lie so near to what was told last are of the same beat, which may have moved meanwhile."""


class BeatCues:
    """Tells the cues one by one; for the engine's thread."""

    def __init__(self, beats: MusicalClock, chart: Chart | None = None, *, always: bool = True) -> None:
        """Take the clock and the changes; unless `always`, beats that are set and that nobody hears are not told."""
        self._beats, self._chart, self._always = beats, chart, always
        self.first_beat = 0
        """The beat with which the chart begins."""
        self._opening: int | None = None  # the first beat that was told

    def after(self, at_ns: int, code: int) -> tuple[int, int] | None:
        """Return the cue that follows another one, told at a moment: when, and its code; None if none is known.

        A code below 0 stands for the beginning: the first beat then tells the chord that sounds there, too.
        """
        grid = self._beats.grid
        means_something = self._always or self._beats.is_heard or grid.source is not BeatSource.SET
        if not (means_something and grid.runs):
            return None
        first = grid.beat_from(at_ns - SAME_NS)
        if code < 0:
            self._opening = first
        for beat in range(first, first + 3):
            moment_ns = grid.moment_ns(beat)
            for own in self._codes(beat, grid.beats):
                if moment_ns > at_ns + SAME_NS or own > code:
                    return max(moment_ns, at_ns), own
        return None

    def _codes(self, beat: int, beats: int) -> list[int]:
        codes = [BEAT if beat % beats else DOWNBEAT]
        if self._chart is not None:
            now, following = (self._chart.chord_at(beat + later - self.first_beat, beats) for later in (0, 1))
            if beat == self._opening:
                codes.append(now)
            elif following != now:
                codes.append(following)
        return codes
