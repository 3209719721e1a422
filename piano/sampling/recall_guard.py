"""What keeps what comes back from coming back for ever.

What is drawn from the past becomes past itself, and is drawn again: an answer of half a minute has as many figures of
before as pianists have, and after some minutes on its own the same music is in a loop. So once too much of what was
drawn repeats something the past is believed less: soon in a new piece, which goes on from nobody; else only where it
repeats more than the phrase and than most of pianists' music, since half a minute has no excess (docs/sampling.md).
"""

from piano.sampling.drawn_share import DrawnShare

OFTEN_ALONE, OFTEN = 0.2, 0.6
"""The share of the notes drawn last that may repeat something, in a new piece and else. Half, and a tenth, of pianists'
music has more."""

_EXPONENT = 2


class RecallGuard:
    """Follows how surely each of our own keys repeats something; `rollback` takes keys back exactly. Plain state."""

    def __init__(self) -> None:
        self._repeats = DrawnShare()

    def hear(self) -> None:
        """Take it that the next key is one that somebody else struck."""
        self._repeats.hear()

    def push(self, repetition: float) -> None:
        """Take the next key, and how surely it repeats something, 0 to 1."""
        self._repeats.push(repetition)

    def rollback(self, keys: int) -> None:
        """Forget all but the first `keys` keys."""
        self._repeats.rollback(keys)

    def share_left(self, *, is_free: bool) -> float:
        """Return by how much what the past lets expect is to be believed less, 0 to 1: 1 is as ever.

        `is_free` says that nobody plays along and nothing is given: what has not been heard either is a new piece.
        """
        most = OFTEN_ALONE if is_free and not self._repeats.has_heard else max(OFTEN, self._repeats.heard)
        return min(1.0, most / max(self._repeats.drawn, most)) ** _EXPONENT

    def copy(self) -> "RecallGuard":
        """Return an independent guard in the same state."""
        other = RecallGuard()
        other._repeats = self._repeats.copy()
        return other
