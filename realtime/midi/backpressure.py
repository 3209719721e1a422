"""What may still enter a queue that is too long: nothing that begins something, all that ends what was let in.

Too much comes when a player's black MIDI or a loop of cables outruns whoever takes from the queue. A queue of messages
thus has an end: its limit, and one release for each key and pedal that was let in.
"""

import threading
from collections import deque
from typing import Generic, TypeVar

from realtime.midi.held_notes import HeldNotes
from realtime.midi.message import PEDAL_THRESHOLD

T = TypeVar("T")


class AdmissionControl:
    """The way into a queue; for any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held = HeldNotes(PEDAL_THRESHOLD)  # what was let in and not ended
        self.refused = 0
        """How many messages were turned away; for any thread to read."""

    def admits(self, data: bytes, depth: int) -> bool:
        """Say whether a message may enter a queue in which so many wait, and count it if not."""
        with self._lock:
            is_let_in = depth < self._most or self._held.ends(data)
            if is_let_in:
                self._held.push(data)
            else:
                self.refused += 1
        return is_let_in


class BoundedQueue(Generic[T]):
    """A queue with a gate, of one thread."""

    def __init__(self, most: int) -> None:
        self._gate = AdmissionControl(most)
        self._waiting: deque[T] = deque()

    @property
    def refused(self) -> int:
        """Return how many messages were turned away."""
        return self._gate.refused

    def enter(self, item: T, data: bytes) -> None:
        """Append an item that carries a message, unless there are too many."""
        if self._gate.admits(data, len(self._waiting)):
            self._waiting.append(item)

    def first(self) -> T | None:
        """Return the oldest item, which stays."""
        return self._waiting[0] if self._waiting else None

    def leave(self) -> None:
        """Let the oldest item go."""
        self._waiting.popleft()
