"""Models in place of a trained one: by chance, by script, and on a slow machine."""

from collections.abc import Sequence

import numpy as np

from inference.onnx_session import Logits, Session
from inference.rolling_context import RollingContext
from inference.session_wrapper import SessionWrapper
from piano.tokens.vocabulary import VOCABULARY, Kind
from realtime.threads.clock import ManualClock
from tests.support.scripted_session import ScriptedSession

HEAD = (VOCABULARY.bos, VOCABULARY.task("continue"))

_STEPS = np.where(VOCABULARY.kinds == Kind.TIME, VOCABULARY.values, 0).astype(np.float32)
_ROWS: Logits = (np.random.default_rng(1).standard_normal((251, VOCABULARY.size)) - _STEPS / 25).astype(np.float32)


class ChanceSession(ScriptedSession):
    """A session whose logits are drawn from a table by a hash of the last few tokens: quick, and never the same."""

    def _logits(self) -> Logits:
        logits: Logits = _ROWS[hash((self._seed, *self._tokens[-6:])) % len(_ROWS)].copy()
        return logits


def model_of_chance(seed: int = 0, window: int | None = None) -> RollingContext:
    """Return an endless session over a model of chance."""
    first, second = (ChanceSession(VOCABULARY.size, 256, seed=seed) for _ in range(2))
    return RollingContext(first, second, window=window)


def scripted(tokens: Sequence[int], context: int = 512) -> ScriptedSession:
    """Return a session that would have the given tokens follow the head, one after the other."""
    return ScriptedSession(
        VOCABULARY.size, context, script={len(HEAD) + index: token for index, token in enumerate(tokens)}
    )


class SlowSession(SessionWrapper):
    """A session on a slow machine: each feed takes time on a clock that is moved by hand."""

    def __init__(self, session: Session, clock: ManualClock, ns_per_feed: int) -> None:
        super().__init__(session)
        self._clock, self._ns = clock, ns_per_feed

    def feed(self, tokens: Sequence[int]) -> Logits:
        logits = super().feed(tokens)
        self._clock.advance_to(self._clock.now_ns() + self._ns)
        return logits
