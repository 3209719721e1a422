"""The layers of a loop as they come and go: the phrase, what is played over it, and how each change is taken back.

Plain state of the loop, on the engine's thread.
"""

from collections import deque
from dataclasses import dataclass

from piano.events import NoteOn, TimedEvent
from realtime.performers.loop.answer import LoopAnswer
from realtime.performers.loop.layers import Layer, Recorder
from realtime.performers.loop.playback import LoopPlayback

EARLY_BEAT_NS = 80_000_000
"""A key this little before the seam is meant for the first beat of the next pass."""

MOST_UNDONE = 64
"""Changes that can be taken back."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a loop consists of at a time."""

    layers: tuple[Layer, ...]
    answer: LoopAnswer | None


class Overdubs:
    """The layers of one loop after another; each that is recorded has a voice of its own."""

    def __init__(self) -> None:
        self._voices = 0
        self.forget()

    def forget(self) -> None:
        """Begin with nothing."""
        self.layers: tuple[Layer, ...] = ()
        self._open: tuple[int, Recorder] | None = None  # the layer that is played now, and in which pass
        self._past: deque[Snapshot] = deque(maxlen=MOST_UNDONE)

    def recorder(self, start_ns: int, first_pass: int = 0, *, pedal: bool) -> Recorder:
        """Return what records a voice from a moment on, to be heard from a pass on."""
        self._voices += 1
        return Recorder(start_ns, self._voices, first_pass, pedal=pedal)

    def begin(self, phrase: Layer) -> None:
        """Begin with a phrase, which without an answer is what all changes go back to."""
        self.layers = (phrase,)
        self._past.clear()
        self.remember(None)

    def remember(self, answer: LoopAnswer | None) -> None:
        """Keep what there is, before a change: the layers, and the answer that is played to them."""
        self._past.append(Snapshot(self.layers, answer))

    def undo(self) -> Snapshot | None:
        """Go back to the layers before the last change, and return what there was; None where there is none."""
        if not self._past:
            return None
        before = self._past.pop()
        self.layers, self._open = before.layers, None
        return before

    def close(self) -> None:
        """Let what is played next be another layer."""
        self._open = None

    def hear(self, timed: TimedEvent, playback: LoopPlayback, *, pedal: bool) -> bool:
        """Make what the player does part of the loop, one layer for each pass; say whether it is."""
        length_ns = playback.length_ns
        if isinstance(timed.event, NoteOn):
            ahead = (timed.at_ns + EARLY_BEAT_NS - playback.start_ns) // length_ns
            if self._open is None or self._open[0] != playback.number + ahead:
                self._begin_layer(playback, playback.number + ahead, pedal=pedal)
        if self._open is None or timed.at_ns >= self._open[1].start_ns + length_ns:
            return False
        recorder = self._open[1]
        recorder.hear(timed)
        self.layers = (*self.layers[:-1], recorder.layer(length_ns))
        return True

    def _begin_layer(self, playback: LoopPlayback, number: int, *, pedal: bool) -> None:
        self.remember(playback.answer)
        start_ns = playback.start_ns + (number - playback.number) * playback.length_ns
        recorder = self.recorder(start_ns, number + 1, pedal=pedal)
        self._open = number, recorder
        self.layers += (recorder.layer(playback.length_ns),)
