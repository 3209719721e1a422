"""A session over another one: what it adds, its heirs say; `MeteredSession` counts its work."""

import time
from collections.abc import Sequence

from inference.onnx_session import Logits, Session
from piano.session import keep_passage, knows_cues, pin_head


class SessionWrapper:
    """Passes on all that it is asked for. See `piano.session.Session`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def knows_cues(self) -> bool:
        """Return whether the model has learned what cues mean."""
        return knows_cues(self._session)

    def pin(self, length: int) -> None:
        pin_head(self._session, length)

    def keep(self, start: int, end: int) -> None:
        """Keep a passage of the stream in every window that is chosen after length `end`."""
        keep_passage(self._session, start, end)

    @property
    def length(self) -> int:
        return self._session.length

    @property
    def context(self) -> int:
        return self._session.context

    def feed(self, tokens: Sequence[int]) -> Logits:
        return self._session.feed(tokens)

    def rollback(self, length: int) -> None:
        self._session.rollback(length)

    def reset(self) -> None:
        self._session.reset()


class MeteredSession(SessionWrapper):
    """A session over another one. Fed by one thread; the figures may be read by any."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.feeds = 0
        self.tokens = 0
        self.busy_ns = 0

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Append tokens and return the logits of what follows, measured."""
        started_ns = time.perf_counter_ns()
        logits = self._session.feed(tokens)
        self.busy_ns += time.perf_counter_ns() - started_ns
        self.feeds += 1
        self.tokens += len(tokens)
        return logits
