"""The inbox of the engine: what other threads tell it, in the order in which they did.

Any thread puts; one thread, the owner, takes, waiting for a message or a deadline on either clock.
"""

import threading
from collections import deque
from typing import Generic, TypeVar

from realtime.threads.clock import Clock

T = TypeVar("T")


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

    def get(self, deadline_ns: int | None) -> T | None:
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
