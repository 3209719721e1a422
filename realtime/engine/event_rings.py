"""What went by and what is planned, for those who watch: rings that the playing threads write and never wait for.

Each ring has one writing thread (the engine's: what the player did and what is planned; the output's: what went out)
and any number of readers, who keep their own place. A reader that is too slow loses the oldest and is told so.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from piano.events import Event, TimedEvent
from realtime.midi.message import event_of
from realtime.output.event_queue import Release
from realtime.performers.performer import Output

T = TypeVar("T")

REMEMBERED = 32_768
"""Events in a ring: about an hour of music."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An own event that is due later, in the epoch that it was planned in."""

    at_ns: int
    event: Event
    epoch: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What earlier epochs had planned for after a moment no longer holds; without a moment, nothing of it does."""

    epoch: int
    after_ns: int | None


class Ring(Generic[T]):
    """The last so many things that one thread wrote down."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._slots: list[T | None] = [None] * size
        self._written = 0

    def put(self, item: T) -> None:
        """Write one thing down; for the one thread that writes, never waits."""
        self._slots[self._written % len(self._slots)] = item
        self._written += 1

    @property
    def end(self) -> int:
        """Return the place of what is written next."""
        return self._written

    def since(self, place: int, most: int = REMEMBERED) -> tuple[list[T], int, bool]:
        """Return what was written from a place on, at most so much, the next place, and whether something is lost."""
        size = len(self._slots)
        written = self._written
        first = max(place, written - size)
        last = min(written, first + most)
        items = [item for index in range(first, last) if (item := self._slots[index % size]) is not None]
        overwritten = max(self._written - size - first, 0)
        return items[overwritten:], last, first + overwritten > place


class EventRings:
    """The rings of one session."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self.heard: Ring[TimedEvent] = Ring(size)
        self.played: Ring[TimedEvent] = Ring(size)
        self.passed: Ring[TimedEvent] = Ring(size)
        self.plan: Ring[Planned | TakenBack] = Ring(size)

    def hear(self, timed: TimedEvent) -> None:
        """Write down what the player did; for the engine's thread."""
        self.heard.put(timed)

    def play(self, at_ns: int, data: bytes) -> None:
        """Write down a message of ours that went out; for the output thread."""
        event = event_of(data)
        if event is not None:
            self.played.put(TimedEvent(at_ns, event))

    def pass_on(self, at_ns: int, data: bytes) -> None:
        """Write down a message of the player's that was passed on; for the output thread."""
        event = event_of(data)
        if event is not None:
            self.passed.put(TimedEvent(at_ns, event))


class WatchedOutput:
    """An output that writes down what is planned through it; for the engine's thread."""

    def __init__(self, output: Output, history: EventRings) -> None:
        self._output, self._plan = output, history.plan

    def schedule(self, at_ns: int, event: Event, epoch: int = 0) -> None:
        self._plan.put(Planned(at_ns, event, epoch))
        self._output.schedule(at_ns, event, epoch)

    def begin_epoch(self) -> int:
        return self._output.begin_epoch()

    def invalidate(self, *, release: Release = Release.AT_TIME, after_ns: int | None = None) -> int:
        epoch = self._output.invalidate(release=release, after_ns=after_ns)
        self._plan.put(TakenBack(epoch, None if release is Release.AT_ONCE else after_ns))
        return epoch

    def release_own(self) -> None:
        self._output.release_own()

    def release_held_key(self, pitch: int, velocity: int, pressed_ns: int) -> None:
        self._output.release_held_key(pitch, velocity, pressed_ns)
