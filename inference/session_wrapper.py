"""A session over another one: what it adds, its heirs say."""

from collections.abc import Sequence

from inference.onnx_session import Logits, Session


class SessionOver:
    """Passes on all that it is asked for. See `piano.session.Session`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def length(self) -> int:
        """Return how many tokens have been fed and not taken back."""
        return self._session.length

    @property
    def context(self) -> int:
        """Return the largest length."""
        return self._session.context

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Append tokens and return the logits of what follows the last one, shape (vocabulary,)."""
        return self._session.feed(tokens)

    def rollback(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        self._session.rollback(length)

    def reset(self) -> None:
        """Forget everything."""
        self._session.reset()
