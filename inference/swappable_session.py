"""A session whose model can be exchanged while it is played on. The engine's thread feeds and exchanges it.

It remembers what was fed. A successor hears that beforehand, on whatever thread loads it; what came meanwhile it hears
in the exchange, which is all that the engine waits for. To those who play nothing changes: the lengths, and so all that
may still be taken back, stay what they were.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.onnx_session import Logits, Session
from inference.rolling_context import RollingContext, WorksAhead
from inference.session_wrapper import SessionWrapper
from piano.session import feed_keeping, pin_head

_FEW = 16
"""Tokens that a successor may still lack when it is handed over."""

_MOST_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Successor:
    """A session that has heard these tokens."""

    session: Session
    heard: "array[int]"


class SwappableSession(SessionWrapper):
    """A session over another one, which may be exchanged. See `piano.session.Session`."""

    def __init__(self, session: Session) -> None:
        """Take a session, which begins anew."""
        session.reset()
        super().__init__(session)
        self._tokens: array[int] = array("i")
        self._pinned = 0
        self._passages: list[range] = []

    @property
    def fill(self) -> float:
        """Return how full the model's context is, 0 to 1; from any thread."""
        return self._session.fill if isinstance(self._session, RollingContext) else 0.0

    def pin(self, length: int) -> None:
        super().pin(length)
        self._pinned = length

    def keep(self, start: int, end: int) -> None:
        """Keep a passage of the stream in every window that is chosen after length `end`."""
        super().keep(start, end)
        self._passages.append(range(start, end))

    def feed(self, tokens: Sequence[int]) -> Logits:
        logits = self._session.feed(tokens)
        self._tokens.extend(int(token) for token in tokens)
        return logits

    def advance(self) -> bool:
        """Prepare a piece of what will be needed, in an idle moment; return whether there was one."""
        return isinstance(self._session, WorksAhead) and self._session.advance()

    def rollback(self, length: int) -> None:
        self._session.rollback(length)
        del self._tokens[length:]
        while self._passages and self._passages[-1].stop > length:
            self._passages.pop()

    def reset(self) -> None:
        self._session.reset()
        del self._tokens[:]
        self._pinned = 0
        self._passages = []

    def prepare(self, session: Session) -> Successor:
        """Let another session hear what was fed so far; for the thread that loaded it, while this one is played on."""
        heard: array[int] = array("i")
        session.reset()
        pin_head(session, self._pinned)
        for _ in range(_MOST_ROUNDS):
            now = self._tokens[:]  # one step of the interpreter: whole, whoever feeds meanwhile
            _bring(session, heard, now, self._passages[:])
            heard = now
            if len(self._tokens) - len(now) <= _FEW:
                break
        return Successor(session, heard)

    def exchange(self, successor: Successor) -> None:
        """Go on with another session; what that raises is raised, and then nothing has changed."""
        pin_head(successor.session, self._pinned)
        _bring(successor.session, successor.heard, self._tokens[:], self._passages)
        self._session = successor.session


def _bring(session: Session, heard: "array[int]", wanted: "array[int]", passages: Sequence[range]) -> None:
    """Bring a session that has heard some tokens to others: back to where they part, and on from there."""
    shared = min(len(heard), len(wanted))
    differ = np.flatnonzero(np.array(heard[:shared]) != np.array(wanted[:shared]))
    same = int(differ[0]) if differ.size else shared
    session.rollback(same)
    feed_keeping(session, wanted[same:], passages)
