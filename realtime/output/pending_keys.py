"""Keys on their way through that wait for another velocity: each goes out with it, or as it came when time is up.

Plain state of the event queue, without a thread. A key is known by its channel and pitch, a press by its moment: an
answer that comes too late is never taken for that of a later press, and one that never comes is not missed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Waiting:
    held_ns: int
    due_ns: int
    data: bytes


class PendingKeys:
    """The note-ons that wait."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, int], _Waiting] = {}  # by channel and pitch, in order of their presses
        self._gone_ns: dict[int, int] = {}  # by pitch: from when the last press was held that went unanswered
        self.unanswered = 0
        """How many keys went out as they came."""

    def __len__(self) -> int:
        """Return how many keys wait."""
        return len(self._waiting)

    def __contains__(self, key: tuple[int, int]) -> bool:
        """Say whether a key, by channel and pitch, waits."""
        return key in self._waiting

    def next_due_ns(self) -> int | None:
        """Return when the next key has waited long enough, or None."""
        return min(waiting.due_ns for waiting in self._waiting.values()) if self._waiting else None

    def hold(self, data: bytes, now_ns: int, due_ns: int) -> None:
        """Let a note-on wait from now until a moment; an earlier one of the same key must have been let go."""
        self._waiting[data[0] & 0x0F, data[1]] = _Waiting(now_ns, due_ns, data)

    def release_held_key(self, pitch: int, velocity: int, pressed_ns: int) -> bytes | None:
        """Return the note-on of a pitch with the velocity for the press of a moment; None if that went out already.

        A press is stamped before it is held: one that is not after the last that went unanswered is that one, or older.
        """
        if pressed_ns <= self._gone_ns.get(pitch, pressed_ns - 1):
            return None
        key = next((key for key in self._waiting if key[1] == pitch), None)
        if key is None:
            return None
        data = self._waiting.pop(key).data
        return bytes((data[0], pitch, velocity))

    def let_go(self, data: bytes) -> list[bytes]:
        """Return, as it came, a key that waits and that a note-on or note-off of the same key now overtakes."""
        key = data[0] & 0x0F, data[1]
        return self._as_they_came([key] if key in self._waiting else [])

    def let_go_of_channel(self, channel: int) -> list[bytes]:
        """Return, as they came, the keys of a channel that wait."""
        return self._as_they_came([key for key in self._waiting if key[0] == channel])

    def pop_due(self, now_ns: int) -> list[bytes]:
        """Return the keys that have waited long enough, as they came."""
        return self._as_they_came([key for key, waiting in self._waiting.items() if waiting.due_ns <= now_ns])

    def clear(self) -> None:
        """Forget all keys: none is sent any more."""
        self._go(list(self._waiting))

    def _as_they_came(self, keys: list[tuple[int, int]]) -> list[bytes]:
        self.unanswered += len(keys)
        return self._go(keys)

    def _go(self, keys: list[tuple[int, int]]) -> list[bytes]:
        """Let keys wait no longer; return what they are."""
        gone = [self._waiting.pop(key) for key in keys]
        for waiting in gone:
            self._gone_ns[waiting.data[1]] = waiting.held_ns
        return [waiting.data for waiting in gone]
