"""Several streams over one session, in turn: what they share stays in the cache, the rest is fed anew."""

from collections.abc import Mapping

from piano.session import Logits, RowUpdate, Session


class SequentialSessions:
    """Sessions of a single one, which nobody else may feed. With one row it is that session."""

    def __init__(self, session: Session, rows: int = 1) -> None:
        if rows < 1:
            raise ValueError(f"there is at least 1 row, not {rows}")
        session.reset()
        self._session = session
        self._streams: list[list[int]] = [[] for _ in range(rows)]
        self._loaded = 0

    @property
    def rows(self) -> int:
        return len(self._streams)

    @property
    def context(self) -> int:
        return self._session.context

    def feed(self, moves: Mapping[int, RowUpdate]) -> dict[int, Logits]:
        """Move some rows, by number, and return the logits of what follows in each, (vocabulary,)."""
        return {row: self._feed(row, move) for row, move in moves.items()}

    def copy(self, source: int, target: int) -> None:
        if source == target:
            return
        if self._loaded == target:
            self._load(source)
        self._streams[target] = self._streams[source][:]

    def _feed(self, row: int, move: RowUpdate) -> Logits:
        if row != self._loaded:
            self._load(row)
        stream = self._streams[row]
        held = min(self._session.length, move.keep)
        self._session.rollback(held)
        tokens = [*stream[held : move.keep], *move.tokens]
        logits = self._session.feed(tokens)
        stream[move.keep :] = move.tokens
        return logits

    def _load(self, row: int) -> None:
        """Keep of the session what the row shares with the one that was loaded."""
        held, wanted = self._streams[self._loaded], self._streams[row]
        shared = 0
        for have, want in zip(held[: self._session.length], wanted, strict=False):
            if have != want:
                break
            shared += 1
        self._session.rollback(shared)
        self._loaded = row
