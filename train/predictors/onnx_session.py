"""A bundle as a session: what answers to tasks are sampled from. The daemon has its own in `inference.onnx_session`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from piano.session import Logits
from train.predictors.cached_session import CachedSession
from train.predictors.onnx_predictor import empty_cache, load_graph, run_graph

_CHUNK = 256  # tokens: the most that enter the graph in one call; it bounds memory, not the result


class OnnxSession(CachedSession):
    """A stream in the first graph of a bundle, on one core. See `piano.session.Session`."""

    def __init__(self, folder: Path) -> None:
        """Load a bundle; BundleError if it is damaged or foreign."""
        self._graph, shape = load_graph(folder, threads=1)
        super().__init__(shape["context"], shape["vocabulary"])
        self._cache = empty_cache(shape, rows=1)

    def _feed(self, tokens: NDArray[np.int32]) -> Logits:
        for first in range(0, tokens.size, _CHUNK):
            logits = self._run(tokens[first : first + _CHUNK], self.length + first)
        return logits

    def _run(self, tokens: NDArray[np.int32], past: int) -> Logits:
        total = past + tokens.size
        inputs: dict[str, NDArray[Any]] = {
            "tokens": tokens[None],  # (1, n)
            "positions": np.arange(past, total, dtype=np.int32)[None],  # (1, n)
            "last": np.array([total - 1], np.int32),
            "total": np.array([total], np.int32),
            "rows": np.array([tokens.size - 1], np.int64),
        }
        logits: Logits = np.empty(self._vocabulary, np.float32)
        run_graph(self._graph, inputs, self._cache, logits[None])
        return logits
