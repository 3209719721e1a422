"""Which chord sounds when: a chart laid over the bars. For the engine's thread."""

from piano.changes import Chart
from piano.cues import NO_CHORD
from realtime.beat.musical_clock import MusicalClock

EARLY_BEATS = 0.12
"""A key that comes so shortly before a beat already belongs to it."""


class ChartChords:
    """The chords of a chart by the musical clock."""

    def __init__(self, beats: MusicalClock, chart: Chart) -> None:
        self._beats, self._chart = beats, chart
        self.first_beat = 0
        """The beat with which the chart begins."""

    def chord_at(self, at_ns: int) -> int:
        """Return the code of the chord that sounds at a moment; "no chord" while the beats have halted."""
        grid = self._beats.grid
        if not grid.runs:
            return NO_CHORD
        beat = int((grid.place(at_ns) + EARLY_BEATS) // 1)
        return self._chart.chord_at(beat - self.first_beat, grid.beats)
