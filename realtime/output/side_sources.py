"""What goes on beside the playing, on one thread of its own: the metronome, music that is replayed, a Link session."""

from realtime.beat.grid import BeatGrid
from realtime.beat.link import LinkFollower
from realtime.beat.musical_clock import MusicalClock
from realtime.midi.performance_messages import TimedMessage
from realtime.output.metronome import Beat, Metronome
from realtime.output.replay import Replay, ReplayClip
from realtime.output.scheduler import Scheduler
from realtime.settings import MetronomeGroup
from realtime.threads.clock import NS_PER_S, Clock
from realtime.threads.due_thread import DueThread

_SOON_NS = 150_000_000
"""How long after it was asked for a beat or a replay begins: time for a page to hear of it."""


class SideSources:
    """The metronome, the replay and the Link session; all of it is for any thread.

    The metronome beats as the musical clock says; the settings are told to that here.
    """

    def __init__(
        self,
        settings: MetronomeGroup,
        clock: Clock,
        scheduler: Scheduler,
        beats: MusicalClock | None = None,
        link: LinkFollower | None = None,
    ) -> None:
        self._clock = clock
        self._beats = beats or MusicalClock()
        self._beats.watch(self.follow)
        self._metronome, self._replay = Metronome(scheduler), Replay(scheduler)
        self._link = link or LinkFollower(clock, self._beats)
        self._thread = DueThread(clock, self._metronome, self._replay, self._link)
        self._settings: MetronomeGroup | None = None
        self.change(settings)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End it; what a replay holds down is released with all else that sounds."""
        self._thread.stop()
        self._link.give_up()

    def change(self, settings: MetronomeGroup) -> None:
        """Beat as the settings say: at another tempo on with the count, with other bars or another place anew, soon."""
        before, self._settings = self._settings, settings
        now_ns = self._clock.now_ns()
        is_anew = before is None or (before.metronome, before.beats, before.send_clock, before.follow_clock) != (
            settings.metronome,
            settings.beats,
            settings.send_clock,
            settings.follow_clock,
        )
        if is_anew:
            self._beats.set(settings.tempo_bpm, settings.beats, now_ns, origin_ns=now_ns + _SOON_NS)
        elif before is not None and before.tempo_bpm != settings.tempo_bpm:
            self._beats.set(settings.tempo_bpm, settings.beats, now_ns)
        self._beats.is_heard = settings.metronome != "off" or settings.send_clock
        self._beats.choose(clock=settings.follow_clock, playing=settings.tempo_from == "playing")
        self._link.choose(joins=settings.link, tempo_bpm=settings.tempo_bpm, beats=settings.beats)
        self._thread.wake()
        if is_anew:
            clicks, clock = settings.metronome == "output", settings.send_clock
            self._metronome.change(Beat(clicks, clock, settings.tempo_bpm, settings.beats, follows=True))
            self.follow(self._beats.grid)

    @property
    def beat_ns(self) -> int:
        """Return the moment of a first beat."""
        return self._beats.grid.origin_ns

    @property
    def tempo_bpm(self) -> float | None:
        """Return the tempo of the metronome; None while a clock that it follows halts."""
        grid = self._beats.grid
        return grid.tempo_bpm if grid.runs else None

    def follow(self, grid: BeatGrid) -> None:
        """Beat on another grid from now on; never waits."""
        self._metronome.follow(grid.as_clock())
        self._thread.wake()

    @property
    def link_peers(self) -> int | None:
        """Return how many others are in the Link session; None while it is not taken part in."""
        return self._link.peers

    @property
    def clip(self) -> ReplayClip | None:
        """Return the clip that is replayed; None where nothing is."""
        return self._replay.clip

    def replay(self, name: str, messages: list[TimedMessage], from_s: float = 0.0) -> None:
        """Sound music again, from a second of it on, in place of what is replayed."""
        from_ns = round(from_s * NS_PER_S)
        if messages:
            self._replay.play(ReplayClip(name, messages, self._clock.now_ns() + _SOON_NS - from_ns, from_ns))
            self._thread.wake()

    def stop_replay(self) -> None:
        """End the replay; what it holds down comes up."""
        self._replay.stop()
        self._thread.wake()
