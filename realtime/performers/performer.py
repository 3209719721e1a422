"""What a way of playing is: the seam between the engine and its modes. All of it runs on the engine's thread.

A performer is told what the player does and is given turns to work. It asks for its turns by a deadline, so that it
runs the same on a clock that runs and on one that is moved by hand.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from piano.events import Event, TimedEvent
from realtime.output.event_queue import Release
from realtime.performers.play_settings import Mode, PlaySettings


class Activity(StrEnum):
    """What a performer is doing, in a word for the player."""

    LISTENING = "listening"
    RECORDING = "recording"
    PLAYING = "playing"
    REPAIRING = "repairing"


@dataclass(frozen=True, slots=True)
class LoopStatus:
    """A loop as it stands: when its pass began, its length, how many passes came before, of how many layers it is."""

    began_ns: int
    length_ns: int
    passes: int
    layers: int
    course: str
    """What becomes of the answer: renew, hold or keep."""


@dataclass(frozen=True, slots=True)
class TradeStatus:
    """Whose turn it is where bars are traded (waiting, player or pianod), from when and until when."""

    who: str
    until_ns: int | None
    bars: int
    """How many bars a turn has."""
    from_ns: int | None = None
    first_beat: int = 0
    """The beat with which the first turn began, and the changes with it."""


@dataclass(frozen=True, slots=True)
class PerformerStatus:
    """A performer as it stands: an immutable snapshot."""

    activity: Activity
    answers: int
    interruptions: int
    stream_tokens: int
    loop: LoopStatus | None = None
    trade: TradeStatus | None = None


class Output(Protocol):
    """Where own events go; `realtime.output.scheduler.Scheduler` is one. No call waits."""

    def schedule(self, at_ns: int, event: Event, epoch: int = 0) -> None:
        """Play an event at its moment, unless its epoch is invalidated before."""
        ...

    def release_held_key(self, pitch: int, velocity: int, pressed_ns: int) -> None:
        """Send a key of the player's, pressed at a moment, that waits for its velocity."""
        ...

    def begin_epoch(self) -> int:
        """Return a new epoch to plan in; what is planned in earlier ones stands."""
        ...

    def invalidate(self, *, release: Release = Release.AT_TIME, after_ns: int | None = None) -> int:
        """Kill what has been planned so far, and return the new epoch to plan in."""
        ...

    def release_own(self) -> None:
        """Release every own note that sounds, and the own pedal, now."""
        ...


class Performer(Protocol):
    """A way of playing."""

    @property
    def mode(self) -> Mode:
        """Return which way of playing this is."""
        ...

    def on_event(self, timed: TimedEvent) -> None:
        """Take what the player did; its moment is never before that of an earlier one."""
        ...

    def hand_over(self, at_ns: int) -> None:
        """Take the player's explicit wish for an answer from a moment on."""
        ...

    def stop(self, at_ns: int) -> None:
        """Stop playing at a moment and listen."""
        ...

    def retry(self, at_ns: int) -> None:
        """Take the last answer back and give another from a moment on; where there is none to retry, hand over."""
        ...

    def change(self, change: PlaySettings, at_ns: int) -> None:
        """Go on in another way from a moment on."""
        ...

    def start_afresh(self) -> None:
        """Stop, and forget all that was played: a new piece."""
        ...

    def due_ns(self) -> int | None:
        """Return the moment from which on it has work to do; None if only the player can give it some."""
        ...

    def work(self, now_ns: int) -> None:
        """Do one piece of work, at most an event's worth of the model: the engine looks at its inbox in between."""
        ...

    def status(self) -> PerformerStatus:
        """Return how it stands."""
        ...


@runtime_checkable
class Reviser(Protocol):
    """A performer whose answers can be kept and taken back."""

    def keep(self, at_ns: int) -> None:
        """Hold on to this answer."""
        ...

    def undo(self, at_ns: int) -> None:
        """Take the last change back."""
        ...


@runtime_checkable
class ComesToEnd(Protocol):
    """A performer that can bring what it plays to an end, instead of being cut off."""

    def come_to_end(self, at_ns: int, within_ns: int) -> None:
        """Bring what is played to an end: from a moment on, and every own key up so many nanoseconds later at most."""
        ...


@runtime_checkable
class KeepsTime(Protocol):
    """A performer that plays in bars."""

    def beats_moved(self, at_ns: int) -> None:
        """Take note that the beats lie elsewhere than before."""
        ...
