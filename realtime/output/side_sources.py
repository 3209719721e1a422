"""What sounds beside the playing, on one thread of its own: the metronome, and music that is replayed."""

from dataclasses import replace

from realtime.midi.clock_in import ClockBeats
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
    """The metronome and the replay; all of it is for any thread."""

    def __init__(self, settings: MetronomeGroup, clock: Clock, scheduler: Scheduler) -> None:
        self._clock = clock
        self._metronome, self._replay = Metronome(scheduler), Replay(scheduler)
        self._thread = DueThread(clock, self._metronome, self._replay)
        self._beat, self._where = Beat(), "off"
        self.change(settings)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End it; what a replay holds down is released with all else that sounds."""
        self._thread.stop()

    def change(self, settings: MetronomeGroup) -> None:
        """Beat as the settings say; where that is another beat than before, its first one is soon."""
        clicks, clock = settings.metronome == "output", settings.send_clock
        follows = settings.follow_clock
        beat = Beat(clicks, clock, settings.tempo_bpm, settings.beats, self._beat.origin_ns, follows)
        if beat != self._beat or settings.metronome != self._where:
            beat = replace(beat, origin_ns=self._clock.now_ns() + _SOON_NS)
            self._beat = beat
            self._metronome.change(beat)
            self._thread.wake()
        self._where = settings.metronome

    @property
    def beat_ns(self) -> int:
        """Return the moment of a first beat."""
        return self._metronome.beat.origin_ns

    @property
    def tempo_bpm(self) -> float | None:
        """Return the tempo of the metronome; None while a clock that it follows halts."""
        beat = self._metronome.beat
        return beat.tempo_bpm if beat.runs else None

    def follow(self, heard: ClockBeats) -> None:
        """Take note of the beats of a MIDI clock that comes in; for the input thread, never waits."""
        self._metronome.follow(heard)
        self._thread.wake()

    @property
    def reel(self) -> ReplayClip | None:
        """Return what is replayed."""
        return self._replay.reel

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
