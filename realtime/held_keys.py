"""Keys on their way through that wait for another velocity: each goes out with it, or as it came when time is up.

Plain state of the outbox, without a thread. A key is known by its channel and pitch; answers come by pitch and in the
order of the presses, so that one that comes too late is never taken for that of the next press.
"""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Waiting:
    due_ns: int
    data: bytes


class HeldKeys:
    """The note-ons that wait."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, int], _Waiting] = {}  # by channel and pitch, in order of their presses
        self._owed: Counter[int] = Counter()  # by pitch: presses that went out before their answer came
        self.unanswered = 0
        """How many keys went out as they came."""

    def __len__(self) -> int:
        """Return how many keys wait."""
        return len(self._waiting)

    def next_due_ns(self) -> int | None:
        """Return when the next key has waited long enough, or None."""
        return min((waiting.due_ns for waiting in self._waiting.values()), default=None)

    def hold(self, data: bytes, due_ns: int) -> None:
        """Let a note-on wait until a moment; an earlier one of the same key must have been let go."""
        self._waiting[data[0] & 0x0F, data[1]] = _Waiting(due_ns, data)

    def answer(self, pitch: int, velocity: int) -> bytes | None:
        """Return the note-on of a pitch with its new velocity; None if it went out already."""
        if self._owed[pitch]:
            self._owed[pitch] -= 1
            return None
        key = next((key for key in self._waiting if key[1] == pitch), None)
        if key is None:
            return None
        data = self._waiting.pop(key).data
        return bytes((data[0], pitch, velocity))

    def let_go(self, data: bytes) -> list[bytes]:
        """Return, as it came, a key that waits and that a note-on or note-off of the same key now overtakes."""
        waiting = self._waiting.pop((data[0] & 0x0F, data[1]), None)
        return [] if waiting is None else self._as_it_came([waiting])

    def pop_due(self, now_ns: int) -> list[bytes]:
        """Return the keys that have waited long enough, as they came."""
        due = [key for key, waiting in self._waiting.items() if waiting.due_ns <= now_ns]
        return self._as_it_came([self._waiting.pop(key) for key in due])

    def clear(self) -> None:
        """Forget all keys: none is sent any more."""
        self._waiting.clear()
        self._owed.clear()

    def _as_it_came(self, waited: list[_Waiting]) -> list[bytes]:
        for waiting in waited:
            self._owed[waiting.data[1]] += 1
            self.unanswered += 1
        return [waiting.data for waiting in waited]
