"""How much of what was drawn last is of some kind, and of what was heard last: what a guard against excess goes by.

share.push(1.0)         # the next key is of that kind; 0 is not, and what is between is unsure
share.drawn, share.heard
"""

from array import array

RECENT = 60
"""So many keys drawn tell; while there are fewer, those that are missing are not of that kind."""

REMEMBERED = 200
"""So many keys of those that were heard last tell how it is in the phrase."""


class DrawnShare:
    """Follows our own keys, each with how surely it is of the kind; `rollback` takes keys back exactly. Plain state."""

    def __init__(self) -> None:
        self._values = array("d")
        self._drawn_from = 0

    @property
    def has_heard(self) -> bool:
        """Whether some keys were struck by somebody else."""
        return min(self._drawn_from, len(self._values)) > 0

    @property
    def count(self) -> int:
        """Return how many keys were drawn since somebody else struck one."""
        return len(self._values) - self._drawn_from

    @property
    def drawn(self) -> float:
        """Return the share among the keys that were drawn last, 0 to 1."""
        return sum(self._values[max(self._drawn_from, len(self._values) - RECENT) :]) / RECENT

    @property
    def heard(self) -> float:
        """Return the share among the keys that were heard last, 0 to 1."""
        return sum(self._values[max(0, self._drawn_from - REMEMBERED) : self._drawn_from]) / REMEMBERED

    def hear(self) -> None:
        """Take it that the next key is one that somebody else struck."""
        self._drawn_from = len(self._values) + 1

    def push(self, value: float) -> None:
        """Take the next key, and how surely it is of the kind, 0 to 1."""
        self._values.append(value)

    def rollback(self, keys: int) -> None:
        """Forget all but the first `keys` keys."""
        del self._values[keys:]
        self._drawn_from = min(self._drawn_from, keys)

    def copy(self) -> "DrawnShare":
        """Return an independent one in the same state."""
        other = DrawnShare()
        other._values, other._drawn_from = self._values[:], self._drawn_from
        return other
