"""Music that was played before, sounded again through the output. One thread runs it, any begins and ends it.

It goes the way of the player's messages that are passed on, so that what sounds of it is known, and a panic ends it;
the model does not hear it, and it becomes no part of the take.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.midi.held_notes import HeldNotes
from realtime.midi.message import MessageKind, kind_of
from realtime.midi.performance_messages import TimedMessage
from realtime.output.scheduler import Scheduler

LATEST_NS = 500_000_000
"""A note that could not begin for this long after its moment is left out."""


@dataclass(frozen=True, slots=True)
class ReplayClip:
    """Music to replay: its messages, in nanoseconds from its beginning, in order of time."""

    name: str
    messages: Sequence[TimedMessage]
    begins_ns: int
    """When its beginning sounds, or would have sounded: what comes before that is not played."""
    from_ns: int = 0
    """Where in the music to begin."""


class Replay:
    """Plays one clip at a time. See `realtime.threads.clock.DueSource`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._wanted: ReplayClip | None = None
        self._ended: ReplayClip | None = None
        self._clip: ReplayClip | None = None
        self._at = 0
        self._held = HeldNotes()

    @property
    def clip(self) -> ReplayClip | None:
        """Return what is replayed; for any thread."""
        wanted = self._wanted
        return None if wanted is self._ended else wanted

    def play(self, clip: ReplayClip) -> None:
        """Replay this from now on; for any thread."""
        self._wanted = clip

    def stop(self) -> None:
        """End it; for any thread."""
        self._wanted = None

    def give_up(self) -> None:
        """End it, on the thread that runs it: what it holds down comes up."""
        self._ended, self._clip = self._wanted, None
        self._release()

    def next_due_ns(self) -> int | None:
        """Return the moment of the next message; None if nothing is replayed."""
        if self.clip is not self._clip:
            return 0
        if self._clip is None:
            return None
        return self._clip.begins_ns + self._clip.messages[self._at][0]

    def run_due(self, now_ns: int) -> None:
        """Send what is due by now; what an ended replay held down comes up."""
        wanted = self.clip
        if wanted is not self._clip:
            self._release()
            self._clip, self._at = wanted, 0
            if wanted is not None:
                self._skip(wanted)
        clip = self._clip
        while clip is not None and (due_ns := clip.begins_ns + clip.messages[self._at][0]) <= now_ns:
            data = clip.messages[self._at][1]
            if (
                now_ns - due_ns <= LATEST_NS or kind_of(data) is not MessageKind.NOTE_ON
            ):  # no burst of notes after a sleep
                self._send(data)
            self._at += 1
            if self._at == len(clip.messages):
                self._end(clip)
                return

    def _skip(self, clip: ReplayClip) -> None:
        """Go to where the music is to begin."""
        while self._at < len(clip.messages) and clip.messages[self._at][0] < clip.from_ns:
            self._at += 1
        if self._at == len(clip.messages):
            self._end(clip)

    def _end(self, clip: ReplayClip) -> None:
        self._release()
        self._clip, self._ended = None, clip

    def _send(self, data: bytes) -> None:
        self._held.push(data)
        self._scheduler.replay(data)

    def _release(self) -> None:
        for data in self._held.lift():
            self._scheduler.replay(data)
