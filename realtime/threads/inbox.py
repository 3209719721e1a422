"""The inbox of the engine: what other threads tell it, in the order in which they did.

Any thread puts; one thread, the owner, takes, waiting for a message or a deadline on either clock. The records
that the ends of the real-time path send are defined here; the control panel puts records of its own.
"""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from realtime.midi.ports import Direction
from realtime.threads.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Received:
    """One whole MIDI message from the keyboard and the moment at which it was taken from the port."""

    at_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class PortLost:
    """A port that no longer works: unplugged, refused, or its MIDI system is gone."""

    direction: Direction
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class PortReturned:
    """A port that was lost is listed again: it can be opened anew."""

    direction: Direction
    name: str


@dataclass(frozen=True, slots=True)
class SystemLost:
    """The MIDI system no longer answers, and all its ports with it."""

    api: str
    reason: str


@dataclass(frozen=True, slots=True)
class SystemReturned:
    """The MIDI system answers again: its ports can be opened anew."""

    api: str


@dataclass(frozen=True, slots=True)
class Stalled:
    """The program stood still: the machine slept, or had no time for it. Nobody knows what the player did meanwhile."""

    gap_ns: int


@dataclass(frozen=True, slots=True)
class ThreadRevived:
    """The thread at one end of the path failed and goes on: what it was about to pass on is lost."""

    direction: Direction
    reason: str


@dataclass(frozen=True, slots=True)
class ThreadFailed:
    """A thread has ended on an error that nobody foresaw."""

    thread: str
    reason: str


class Inbox(Generic[T]):
    """A queue on which its owner can wait until a deadline."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._messages: deque[T] = deque()

    def put(self, message: T) -> None:
        """Append a message and wake the owner; from any thread, never waits."""
        with self._condition:
            self._messages.append(message)
            self._condition.notify()

    def take(self, deadline_ns: int | None) -> T | None:
        """Return the oldest message, waiting for one until the deadline; None when the deadline comes first.

        A deadline that has passed only looks; no deadline waits for ever.
        """
        with self._condition:
            while not self._messages:
                if deadline_ns is not None and self._clock.now_ns() >= deadline_ns:
                    return None
                self._clock.wait(self._condition, deadline_ns)
            return self._messages.popleft()

    def __len__(self) -> int:
        """Return how many messages wait: how far the owner is behind."""
        return len(self._messages)
