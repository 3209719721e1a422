"""Rows of one batch as single sessions, each played by a thread of its own: what plays alone plays side by side.

    rounds = Rounds(BatchSession(bundle, rows=2), players=2)
    thread 1: RowSession(rounds, 0).feed(...)      # waits until thread 2 feeds its row, then both are computed at once
    thread 2: RowSession(rounds, 1).feed(...)

A round is computed by the thread that came last. What a row answers does not depend on the others.
"""

import threading
from collections.abc import Sequence

from piano.session import Logits, RowUpdate, Sessions


class Rounds:
    """Feeds some sessions whenever each of the players, one thread each, has asked for a row to be fed.

    A player may have several rows. One that has no more to play must `leave`, or the others wait for ever.
    """

    def __init__(self, sessions: Sessions, players: int) -> None:
        self.sessions = sessions
        self._players = players
        self._updates: dict[int, RowUpdate] = {}
        self._logits: dict[int, Logits] = {}
        self._fault: Exception | None = None
        self._changed = threading.Condition()

    def feed(self, row: int, update: RowUpdate) -> Logits:
        """Return the logits of what follows in a row, once all have asked; what is wrong with one ends it for all."""
        with self._changed:
            self._updates[row] = update
            self._compute_if_complete()
            self._changed.wait_for(lambda: row in self._logits or self._fault is not None)
            if self._fault is not None:
                raise self._fault
            return self._logits.pop(row)

    def leave(self) -> None:
        """Play no more: the others are not to wait for this player."""
        with self._changed:
            self._players -= 1
            self._compute_if_complete()

    def _compute_if_complete(self) -> None:
        if not self._updates or len(self._updates) < self._players:
            return
        updates, self._updates = self._updates, {}
        try:
            self._logits.update(self.sessions.feed(updates))
        except Exception as fault:  # whoever waits must hear of it: each raises it from its own `feed`
            self._fault = fault
        self._changed.notify_all()


class RowSession:
    """One row. See `piano.session.Session`."""

    def __init__(self, rounds: Rounds, row: int) -> None:
        self._rounds, self._row = rounds, row
        self._length = 0

    @property
    def length(self) -> int:
        return self._length

    @property
    def context(self) -> int:
        return self._rounds.sessions.context

    def feed(self, tokens: Sequence[int]) -> Logits:
        logits = self._rounds.feed(self._row, RowUpdate(self._length, tokens))
        self._length += len(tokens)
        return logits

    def rollback(self, length: int) -> None:
        if not 0 <= length <= self._length:
            raise ValueError(f"a row of {self._length} tokens rolls back to 0 to {self._length}, not {length}")
        self._length = length

    def reset(self) -> None:
        self._length = 0
