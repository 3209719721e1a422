"""A session that counts its work: how often the model ran, and for how long."""

import time
from collections.abc import Sequence

from inference.onnx_session import Logits, Session
from inference.session_wrapper import SessionOver


class MeteredSession(SessionOver):
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
