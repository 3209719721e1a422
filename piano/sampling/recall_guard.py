"""What keeps what comes back from coming back for ever.

What is drawn from the past becomes past itself, and is drawn again: an answer of half a minute has as many figures of
before as pianists have, and after some minutes on its own the same music is in a loop. So once too much of what was
drawn repeats something the past is believed less: soon in a new piece, which goes on from nobody; else only where it
repeats more than the phrase and than most of pianists' music, since half a minute has no excess (docs/sampling.md).
"""

from array import array

OFTEN_ALONE, OFTEN = 0.2, 0.6
"""The share of the notes drawn last that may repeat something, in a new piece and else. Half, and a tenth, of pianists'
music has more."""

RECENT = 60
"""So many notes drawn tell; while there are fewer, those that are missing repeat nothing."""

REMEMBERED = 200
"""So many notes of those that were heard last tell how much the phrase repeats itself."""

_EXPONENT = 2


class RecallGuard:
    """Follows how surely each of our own keys repeats something; `rollback` takes keys back exactly. Plain state."""

    def __init__(self) -> None:
        self._repetitions = array("d")
        self._drawn_from = 0

    def hear(self) -> None:
        """Take it that the next key is one that somebody else struck."""
        self._drawn_from = len(self._repetitions) + 1

    def push(self, repetition: float) -> None:
        """Take the next key, and how surely it repeats something, 0 to 1."""
        self._repetitions.append(repetition)

    def rollback(self, keys: int) -> None:
        """Forget all but the first `keys` keys."""
        del self._repetitions[keys:]
        self._drawn_from = min(self._drawn_from, keys)

    def share_left(self, *, is_free: bool) -> float:
        """Return by how much what the past lets expect is to be believed less, 0 to 1: 1 is as ever.

        `is_free` says that nobody plays along and nothing is given: what has not been heard either is a new piece.
        """
        drawn = self._repetitions[max(self._drawn_from, len(self._repetitions) - RECENT) :]
        heard = self._repetitions[max(0, self._drawn_from - REMEMBERED) : self._drawn_from]
        most = OFTEN_ALONE if is_free and not heard else max(OFTEN, sum(heard) / REMEMBERED)
        return min(1.0, most / max(sum(drawn) / RECENT, most)) ** _EXPONENT

    def copy(self) -> "RecallGuard":
        """Return an independent guard in the same state."""
        other = RecallGuard()
        other._repetitions, other._drawn_from = self._repetitions[:], self._drawn_from
        return other
