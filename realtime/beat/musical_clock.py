"""The one musical clock: beats and bars, whatever they come from. Everything that keeps time asks it for its grid.

    set       the tempo of the settings; a change of it goes on with the count
    taps      in the place of that, until a tempo is set
    playing   found in what the player plays, where that is asked for and found with some certainty
    link      an Ableton Link session, while others are in it
    clock     a MIDI clock that comes in, where it is followed

Each source has its one thread: `set` and `choose` the one that changes settings, `follow` the input's, `follow_link`
the one beside the output, `tap` and `hear` the engine's. Each leaves an immutable grid; `grid` picks the one in force
and is for any thread.
"""

from collections.abc import Callable
from dataclasses import replace

from piano.beat_tracker import BeatEstimate, BeatTracker
from piano.events import NoteOn, TimedEvent
from realtime.beat.grid import BeatGrid, BeatSource
from realtime.beat.taps import Taps
from realtime.midi.clock_in import ClockBeats

CERTAIN = 0.5
"""The confidence from which beats that were found are believed, 0 to 1."""

_NS_PER_MINUTE = 60_000_000_000
_ASK_NS = 100_000_000
"""The tracker is asked no more often than this."""

_FOLLOWS = 0.25
"""How much of what the tracker says anew is taken over at once, where it agrees with what it said."""

_AGREES = 0.2
"""In beats, and as a share of the tempo: what differs by less agrees."""


class MusicalClock:
    """Tells where the beats lie; those who watch are told of each grid that comes into force."""

    def __init__(self) -> None:
        self._watchers: tuple[Callable[[BeatGrid], None], ...] = ()
        self._set = BeatGrid()
        self._tapped: BeatGrid | None = None
        self._heard: BeatGrid | None = None
        self._found: BeatGrid | None = None
        self._linked: BeatGrid | None = None
        self._follows_clock = self._follows_playing = False
        self._taps, self._tracker = Taps(), BeatTracker()
        self._asked_ns = 0
        self.is_heard = False
        """Whether the player hears the beats that are set; written by the thread that sets them."""

    @property
    def grid(self) -> BeatGrid:
        """Return the grid in force; for any thread."""
        beats = self._set.beats
        if self._follows_clock and self._heard is not None:
            return _in_bars_of(self._heard, beats)
        if self._linked is not None:
            return _in_bars_of(self._linked, beats)
        if self._follows_playing and self._found is not None:
            return _in_bars_of(self._found, beats)
        return _in_bars_of(self._tapped or self._set, beats)

    @property
    def is_kept(self) -> bool:
        """Whether there are beats that the player goes by: heard, or from anywhere but the settings. For any thread."""
        grid = self.grid
        return grid.runs and (self.is_heard or grid.source is not BeatSource.SET)

    def watch(self, watcher: Callable[[BeatGrid], None]) -> None:
        """Have someone told of each grid from now on, on the thread that changed it; it must neither wait nor raise."""
        self._watchers += (watcher,)

    def set(self, tempo_bpm: float, beats: int, now_ns: int, *, origin_ns: int | None = None) -> None:
        """Beat at a tempo: from beat 0 at `origin_ns` on, or else going on with the count at a moment."""
        before = self._tapped or self._set
        if origin_ns is not None:
            self._set = BeatGrid(tempo_bpm, origin_ns, beats, count=before.count + 1)
        else:
            self._set = replace(before.at_tempo(tempo_bpm, now_ns), beats=beats, source=BeatSource.SET)
        self._tapped = None
        self._say()

    def choose(self, *, clock: bool, playing: bool) -> None:
        """Follow a MIDI clock that comes in, and what is found in the playing, or not."""
        if (clock, playing) != (self._follows_clock, self._follows_playing):
            if not playing:
                self._found = None
            self._follows_clock, self._follows_playing = clock, playing
            self._say()

    def follow(self, heard: ClockBeats) -> None:
        """Take note of the beats of a MIDI clock."""
        self._heard = BeatGrid(
            heard.tempo_bpm, heard.origin_ns, self._set.beats, heard.runs, heard.count, BeatSource.CLOCK
        )
        if self._follows_clock:
            self._say()

    def follow_link(self, grid: BeatGrid | None) -> None:
        """Take note of the beats of a session of Ableton Link; None while nobody else is in one."""
        self._linked = grid
        self._say()

    def begin_unheard(self, at_ns: int) -> None:
        """Begin a bar at a moment, where the beats are set and nobody hears them; for the engine's thread."""
        if self.grid.source is BeatSource.SET and not self.is_heard:
            self._set = replace(self._set, origin_ns=at_ns, count=self._set.count + 1)
            self._say()

    def tap(self, at_ns: int) -> None:
        """Take a tap: the third of a series and each after it set the tempo, and the first begins a bar."""
        line = self._taps.tap(at_ns)
        if line is not None:
            origin_ns, period_ns = line
            self._tapped = BeatGrid(
                _NS_PER_MINUTE / period_ns, origin_ns, count=self._taps.series << 16, source=BeatSource.TAPS
            )
            self._say()

    def hear(self, timed: TimedEvent) -> None:
        """Take what the player did, where the beats are to be found in it."""
        if not self._follows_playing or not isinstance(timed.event, NoteOn):
            return
        self._tracker.hear(timed.at_ns, timed.event.pitch, timed.event.velocity)
        if timed.at_ns - self._asked_ns >= _ASK_NS or self._found is None:
            self._asked_ns = timed.at_ns
            guess = self._tracker.estimate()
            if guess is not None and guess.confidence >= CERTAIN:
                self._found = _taken_on(self._found, guess, self._set.beats)
                self._say()

    def _say(self) -> None:
        grid = self.grid
        for watcher in self._watchers:
            watcher(grid)


def _in_bars_of(grid: BeatGrid, beats: int) -> BeatGrid:
    return grid if grid.beats == beats else replace(grid, beats=beats)


def _taken_on(before: BeatGrid | None, guess: BeatEstimate, beats: int) -> BeatGrid:
    """Return the grid that goes on with the count of the one before where the tracker says other beats."""
    tempo_bpm = _NS_PER_MINUTE / guess.period_ns
    if before is None:
        return BeatGrid(tempo_bpm, guess.beat_ns, beats, source=BeatSource.PLAYING)
    place = before.place(guess.beat_ns)
    off = place - round(place)
    if abs(off) < _AGREES and abs(guess.period_ns / before.period_ns - 1) < _AGREES:
        period_ns = before.period_ns + _FOLLOWS * (guess.period_ns - before.period_ns)
        beat_ns = guess.beat_ns - round((1 - _FOLLOWS) * off * before.period_ns)
    else:
        period_ns, beat_ns = guess.period_ns, guess.beat_ns
    return replace(before, tempo_bpm=_NS_PER_MINUTE / period_ns, origin_ns=round(beat_ns - round(place) * period_ns))
