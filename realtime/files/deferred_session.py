"""A session that is fed later: what is only heard goes to the model when somebody asks what follows."""

from array import array
from collections.abc import Sequence

import numpy as np

from inference.onnx_session import Logits, Session
from inference.session_wrapper import SessionWrapper
from piano.session import feed_keeping
from piano.tokens.vocabulary import VOCABULARY

_NO_ANSWER = np.zeros(VOCABULARY.size, np.float32)
_NO_ANSWER.flags.writeable = False


class DeferredSession(SessionWrapper):
    """Keeps what it is fed to itself until it is told to `catch_up`; the session beneath then gets all of it at once.

    A session of rolling windows feeds its model the last window of that alone, and answers as if it had heard token by
    token. Before that the logits are no answer: all zero.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._waiting = array("i")
        self._passages: list[range] = []
        self._defers = True

    @property
    def length(self) -> int:
        return self._session.length + len(self._waiting)

    def catch_up(self) -> None:
        """From the next tokens on, answer as the session beneath does."""
        self._defers = False

    def keep(self, start: int, end: int) -> None:
        """Keep a passage of the stream in every window that is chosen after length `end`."""
        if self._waiting:
            self._passages.append(range(start, end))
        else:
            super().keep(start, end)

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Append tokens and return the logits of what follows, (vocabulary,); zeros until it is to catch up."""
        if self._defers:
            self._waiting.extend(tokens)
            return _NO_ANSWER
        waiting, passages = self._waiting, self._passages
        self._waiting, self._passages = array("i"), []
        if not passages:
            return self._session.feed([*waiting, *tokens])
        feed_keeping(self._session, waiting, passages)
        return self._session.feed(tokens)

    def rollback(self, length: int) -> None:
        beneath = self._session.length
        del self._waiting[max(length - beneath, 0) :]
        self._passages = [passage for passage in self._passages if passage.stop <= length]
        if length < beneath:
            self._session.rollback(length)

    def reset(self) -> None:
        self._waiting = array("i")
        self._passages.clear()
        self._session.reset()
