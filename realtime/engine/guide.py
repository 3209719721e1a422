"""What guides a performer in time and harmony, put together from how to play and the musical clock. Engine's thread."""

from piano.events import TimedEvent
from piano.solve.guidance import Guidance, TakesGuidance
from realtime.beat.beat_cues import BeatCues
from realtime.beat.chords import ChartChords
from realtime.beat.held_chord import HeldChord
from realtime.beat.musical_clock import MusicalClock
from realtime.engine.grid_pull import DrawnToGrid
from realtime.performers.performer import Output, Performer
from realtime.performers.play_settings import Mode, PlaySettings


class Guide:
    """Guides performers that follow each other."""

    def __init__(self, beats: MusicalClock) -> None:
        self._beats = beats
        self._held = HeldChord()
        self._grid = 0.0

    def output(self, output: Output, playing: PlaySettings) -> Output:
        """Return the output as a performer sees it: what it plans is drawn to the beat."""
        self._grid = playing.grid
        if playing.mode not in (Mode.ANSWER, Mode.DUET):
            return output
        return DrawnToGrid(output, lambda: self._beats.grid, lambda: self._grid)

    def hear(self, timed: TimedEvent) -> None:
        """Take what the player did, before the performer does."""
        self._held.hear(timed)
        self._beats.hear(timed)

    def held_chord(self, at_ns: int) -> int:
        """Return the code of the chord that the player holds; "no chord" where it does not lead. For any thread."""
        return self._held.chord_at(at_ns)

    def lead(self, performer: Performer, playing: PlaySettings) -> None:
        """Have a performer know the beats and the changes from its next event on."""
        self._grid = playing.grid
        if playing.chord_split != self._held.below:
            self._held.forget()
        self._held.below = playing.chord_split
        if isinstance(performer, TakesGuidance):
            performer.guide(self._guidance(playing))

    def _guidance(self, playing: PlaySettings) -> Guidance:
        if playing.chord_split is not None:
            cues = BeatCues(self._beats, always=playing.trades)
            return Guidance(cues, self._held, playing.harmony, is_held=True)
        cues = BeatCues(self._beats, playing.chart, always=playing.trades or playing.chart is not None)
        chords = None if playing.chart is None else ChartChords(self._beats, playing.chart)
        return Guidance(cues, chords, playing.harmony)
