"""The session of an exported model, which is what `piano.session` asks for.

A session belongs to one thread at a time: the engine's live, the command's offline.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.graph_runner import GraphRunner, load_runner
from inference.providers import AUTO
from piano.errors import BundleError
from piano.session import Logits as Logits
from piano.session import Session as Session

PREFILL_CHUNK = 256
"""Tokens that enter the graph in one call at most; it bounds the memory of a long prefill, not its result."""

SINGLE_STEPS = 2
"""Up to so many tokens go one by one: two steps with what is bound already are no slower than one call for both, and
quicker where much lies behind them. A key that comes after a while is two tokens."""


class OnnxSession:
    """The session of an exported model: keys and values in buffers of fixed place, which the graph writes itself."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        provider: str = AUTO,
        threads: int = 0,
        spinning: bool = True,
        runner: GraphRunner | None = None,
    ) -> None:
        """Load the bundle's graph, or take one that is loaded, allocate the cache, and run one token to try it out."""
        self._bundle = bundle
        self._runner = runner or load_runner(bundle, provider=provider, threads=threads, spinning=spinning)
        self._shape = self._runner.shape
        self._length = 0
        self._cache = self._runner.new_cache()
        # What a single step reads and writes: bound once, changed in place.
        self._token, self._position = np.zeros((1, 1), np.int32), np.zeros((1, 1), np.int32)
        self._last, self._total = np.zeros(1, np.int32), np.zeros(1, np.int32)
        self._logits: Logits = np.zeros((1, self._shape.vocabulary), np.float32)
        self._step_inputs: dict[str, NDArray[Any]] = {
            "tokens": self._token,
            "positions": self._position,
            "last": self._last,
            "total": self._total,
            "rows": np.zeros(1, np.int64),
        }
        self._step = self._runner.bind(self._step_inputs, self._cache, self._logits)
        self._try_out()

    @property
    def provider(self) -> str:
        """Return the execution provider that runs the model in truth, by ONNX Runtime's name."""
        return self._runner.provider

    @property
    def knows_cues(self) -> bool:
        """Return whether the model has learned what cues mean."""
        return self._bundle.manifest.knows_cues

    @property
    def length(self) -> int:
        return self._length

    @property
    def context(self) -> int:
        """Return the largest length: the model's context."""
        return self._shape.context

    def twin(self) -> "OnnxSession":
        """Return another session on the same weights, with a cache of its own, empty."""
        return OnnxSession(self._bundle, runner=self._runner)

    def reset(self) -> None:
        self._length = 0

    def rollback(self, length: int) -> None:
        """Forget all but the first `length` tokens, by setting a number."""
        if not 0 <= length <= self._length:
            raise ValueError(f"a session of {self._length} tokens rolls back to 0 to {self._length}, not {length}")
        self._length = length

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Append tokens and return the logits of what follows the last one, shape (vocabulary,), the caller's own."""
        if len(tokens) == 1:
            token = int(tokens[0])
            self._check(1, token, token)
            return self._feed_one(token)
        fed = self._checked(tokens)
        if fed.size <= SINGLE_STEPS:
            return [self._feed_one(int(token)) for token in fed][-1]
        for start in range(0, fed.size - PREFILL_CHUNK, PREFILL_CHUNK):
            self._feed_chunk(fed[start : start + PREFILL_CHUNK], keep_all=False)
        rest = (fed.size - 1) % PREFILL_CHUNK + 1
        logits: Logits = self._feed_chunk(fed[fed.size - rest :], keep_all=False)[0]
        return logits

    def feed_each(self, tokens: Sequence[int]) -> Logits:
        """Append tokens and return the logits after each of them, shape (tokens, vocabulary): for evaluation."""
        fed = self._checked(tokens)
        chunks = [fed[start : start + PREFILL_CHUNK] for start in range(0, fed.size, PREFILL_CHUNK)]
        return np.concatenate([self._feed_chunk(chunk, keep_all=True) for chunk in chunks])

    def _check(self, count: int, lowest: int, highest: int) -> None:
        if self._length + count > self._shape.context:
            raise ValueError(
                f"{count} more tokens after {self._length} exceed the context of {self._shape.context}: "
                "roll back or reset"
            )
        if lowest < 0 or highest >= self._shape.vocabulary:
            bad = lowest if lowest < 0 else highest
            raise ValueError(f"a token is 0 to {self._shape.vocabulary - 1}, not {bad}")

    def _checked(self, tokens: Sequence[int]) -> NDArray[np.int32]:
        if len(tokens) == 0:
            raise ValueError("feed takes at least 1 token, not 0")
        fed = np.asarray(tokens, np.int64)
        if fed.ndim != 1:
            raise ValueError(f"feed takes a row of tokens, not an array of shape {fed.shape}")
        self._check(fed.size, int(fed.min()), int(fed.max()))
        return fed.astype(np.int32)

    def _feed_one(self, token: int) -> Logits:
        self._token[0, 0] = token
        self._position[0, 0] = self._last[0] = self._length
        self._total[0] = self._length + 1
        if self._runner.device != "cpu":  # another device's binding holds copies of the inputs
            self._runner.bind_inputs(self._step, self._step_inputs)
        self._runner.run(self._step)
        self._length += 1
        logits: Logits = self._logits[0].copy()
        return logits

    def _feed_chunk(self, tokens: NDArray[np.int32], *, keep_all: bool) -> Logits:
        """Feed at most a chunk; return the last logits, shape (1, vocabulary), or all, (tokens, vocabulary)."""
        count, total = tokens.size, self._length + tokens.size
        rows = np.arange(0 if keep_all else count - 1, count, dtype=np.int64)
        inputs: dict[str, NDArray[Any]] = {
            "tokens": tokens[None],  # (1, n)
            "positions": np.arange(self._length, total, dtype=np.int32)[None],  # (1, n)
            "last": np.array([total - 1], np.int32),
            "total": np.array([total], np.int32),
            "rows": rows,
        }
        logits = np.empty((rows.size, self._shape.vocabulary), np.float32)
        self._runner.run(self._runner.bind(inputs, self._cache, logits, count), count)
        self._length = total
        return logits

    def _try_out(self) -> None:
        """Feed one token and take it back, so that a model that cannot run says so before the first note."""
        logits = self.feed([0])
        self.reset()
        if not np.isfinite(logits).all():
            raise BundleError(f"{self._runner.source}: the model answers with no numbers. Export the checkpoint anew.")
