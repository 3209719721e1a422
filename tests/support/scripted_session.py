"""A session without a model, for tests and dry runs: its logits are a pure function of the tokens before them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from inference.onnx_session import Logits

FORCED_LOGIT = 100.0

TokenScript = Mapping[int, int] | Callable[[tuple[int, ...]], int | None]
"""Which token must follow: by the length so far, or by the tokens so far; others come from the hash."""


class ScriptedSession:
    """Answers with a script where it has a word, and otherwise with logits drawn from a hash of the history.

    `horizon` is how many of the last tokens the hash sees: None for all, as a model with exact memory.
    `feeds` counts the calls of `feed`, `fed` the tokens in them.
    """

    def __init__(
        self,
        vocabulary: int,
        context: int = 1024,
        *,
        script: TokenScript | None = None,
        seed: int = 0,
        horizon: int | None = None,
    ) -> None:
        self._vocabulary = vocabulary
        self._context = context
        self._script = script if script is not None else {}
        self._seed = seed
        self._horizon = horizon
        self._tokens: list[int] = []
        self.feeds = 0
        self.fed = 0

    @property
    def tokens(self) -> tuple[int, ...]:
        """Return what has been fed and not taken back."""
        return tuple(self._tokens)

    @property
    def length(self) -> int:
        """Return how many tokens have been fed and not taken back."""
        return len(self._tokens)

    @property
    def context(self) -> int:
        """Return the largest length."""
        return self._context

    def twin(self) -> "ScriptedSession":
        """Return an empty session with the same script."""
        return ScriptedSession(
            self._vocabulary, self._context, script=self._script, seed=self._seed, horizon=self._horizon
        )

    def reset(self) -> None:
        """Forget everything."""
        self._tokens.clear()

    def rollback(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        held = len(self._tokens)
        if not 0 <= length <= held:
            raise ValueError(f"a session of {held} tokens rolls back to 0 to {held}, not {length}")
        del self._tokens[length:]

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Append tokens and return the logits of what follows, shape (vocabulary,)."""
        if len(tokens) == 0:
            raise ValueError("feed takes at least 1 token, not 0")
        if len(self._tokens) + len(tokens) > self._context:
            raise ValueError(
                f"{len(tokens)} more tokens after {len(self._tokens)} exceed the context of {self._context}: "
                "roll back or reset"
            )
        for token in tokens:
            if not 0 <= token < self._vocabulary:
                raise ValueError(f"a token is 0 to {self._vocabulary - 1}, not {token}")
        self._tokens.extend(int(token) for token in tokens)
        self.feeds += 1
        self.fed += len(tokens)
        return self._logits()

    def _logits(self) -> Logits:
        forced = self._forced()
        if forced is not None:
            logits = np.zeros(self._vocabulary, np.float32)
            logits[forced] = FORCED_LOGIT
            return logits
        seen = self._tokens if self._horizon is None else self._tokens[-self._horizon :]
        return np.random.default_rng([self._seed, *seen]).standard_normal(self._vocabulary, np.float32)

    def _forced(self) -> int | None:
        if callable(self._script):
            return self._script(self.tokens)
        return self._script.get(len(self._tokens))
