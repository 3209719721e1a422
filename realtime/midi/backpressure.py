"""What may still enter a queue that is too long: nothing that begins something, all that ends what was let in.

Too much comes when a player's black MIDI or a loop of cables outruns whoever takes from the queue. A queue of messages
thus has an end: its limit, and one release for each key and pedal that was let in.
"""

import threading
from collections import deque
from typing import Generic, TypeVar

from realtime.midi.message import PEDAL_THRESHOLD, MessageKind, channel_of, kind_of

T = TypeVar("T")

_PEDAL = -1


class AdmissionControl:
    """The way into a queue; for any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._down: set[tuple[int, int]] = set()  # channel and pitch of what was let in and not ended, or the pedal
        self.refused = 0
        """How many messages were turned away; for any thread to read."""

    def admits(self, data: bytes, depth: int) -> bool:
        """Say whether a message may enter a queue in which so many wait, and count it if not."""
        kind = kind_of(data)
        with self._lock:
            is_let_in = depth < self._most or self._ends_something(kind, data)
            if is_let_in:
                self._note(kind, data)
            else:
                self.refused += 1
        return is_let_in

    def _ends_something(self, kind: MessageKind, data: bytes) -> bool:
        if kind is MessageKind.NOTE_OFF:
            return (channel_of(data), data[1]) in self._down
        if kind is MessageKind.SUSTAIN:
            return data[2] < PEDAL_THRESHOLD and (channel_of(data), _PEDAL) in self._down
        if kind is MessageKind.SILENCE:
            return any(channel == channel_of(data) and key != _PEDAL for channel, key in self._down)
        return kind is MessageKind.RESET and (channel_of(data), _PEDAL) in self._down

    def _note(self, kind: MessageKind, data: bytes) -> None:
        if kind is MessageKind.NOTE_ON:
            self._down.add((channel_of(data), data[1]))
        elif kind is MessageKind.NOTE_OFF:
            self._down.discard((channel_of(data), data[1]))
        elif kind is MessageKind.SUSTAIN:
            is_down = data[2] >= PEDAL_THRESHOLD
            (self._down.add if is_down else self._down.discard)((channel_of(data), _PEDAL))
        elif kind is MessageKind.SILENCE:
            self._down = {key for key in self._down if key[0] != channel_of(data) or key[1] == _PEDAL}
        elif kind is MessageKind.RESET:
            self._down.discard((channel_of(data), _PEDAL))


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
