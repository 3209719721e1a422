"""Streams of equal length in one batch of one graph: each call feeds every row as many tokens. For evaluation.

What is measured so is the graph that plays: the same bundle, verified and loaded as for the daemon, on the CPU.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.graph_runner import Cache, GraphRunner, load_runner
from piano.session import Logits


class EqualRows:
    """So many rows of one length over a cache that is allocated once. It belongs to one thread."""

    def __init__(self, bundle: Bundle, rows: int, *, threads: int = 1, runner: GraphRunner | None = None) -> None:
        """Load the bundle's graph for the CPU, or take one that is loaded, and allocate the cache."""
        self._runner = runner or load_runner(bundle, provider="cpu", threads=threads)
        self._cache: Cache = self._runner.new_cache(rows)
        self.rows, self.length = rows, 0

    @property
    def context(self) -> int:
        return self._runner.shape.context

    def reset(self) -> None:
        """Forget everything; what is left in the cache is past the end, unread."""
        self.length = 0

    def feed(self, tokens: NDArray[np.int32], wanted: NDArray[np.int64] | None = None) -> Logits:
        """Append tokens, (rows, n), and return the logits of what follows the last of each row, (rows, vocabulary).

        `wanted`, (k,), are other places in the flattened tokens to have the logits of, (k, vocabulary).
        """
        rows, count = tokens.shape
        total = self.length + count
        if rows != self.rows or not 0 < count <= self.context - self.length:
            raise ValueError(f"{rows} rows of {count} tokens do not go on {self.rows} rows of {self.length}")
        places = np.arange(1, rows + 1, dtype=np.int64) * count - 1 if wanted is None else wanted
        inputs: dict[str, NDArray[Any]] = {
            "tokens": np.ascontiguousarray(tokens, np.int32),
            "positions": np.tile(np.arange(self.length, total, dtype=np.int32), (rows, 1)),
            "last": np.full(rows, total - 1, np.int32),
            "total": np.array([total], np.int32),
            "rows": np.ascontiguousarray(places),
        }
        logits: Logits = np.empty((places.size, self._runner.shape.vocabulary), np.float32)
        self._runner.run(self._runner.bind(inputs, self._cache, logits))
        self.length = total
        return logits
