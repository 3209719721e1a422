"""A bundle as a session: what answers to tasks are sampled from. The daemon has its own in `realtime.session`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from piano.session import Logits
from train.onnx_predictor import load_graph

_CHUNK = 256  # tokens: the most that enter the graph in one call; it bounds memory, not the result


class OnnxSession:
    """A stream in the first graph of a bundle, on one core. See `piano.session.Session`."""

    def __init__(self, folder: Path) -> None:
        """Load a bundle; BundleError if it is damaged or foreign."""
        self._graph, shape = load_graph(folder, threads=1)
        self.context, self.length = shape["context"], 0
        self._vocabulary = shape["vocabulary"]
        self._inputs = {each.name for each in self._graph.get_inputs()}
        room = (1, shape["heads"], shape["context"], shape["width"] // shape["heads"])
        names = [f"{what}_{layer}" for layer in range(shape["layers"]) for what in ("key", "value")]
        self._cache = {name: ort.OrtValue.ortvalue_from_numpy(np.zeros(room, np.float32)) for name in names}

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Append tokens and return the logits of what follows the last one, (vocabulary,)."""
        fed = np.asarray(tokens, np.int32)
        if not fed.size or self.length + fed.size > self.context:
            raise ValueError(f"{fed.size} tokens cannot follow {self.length} in a context of {self.context}")
        if fed.min() < 0 or fed.max() >= self._vocabulary:
            raise ValueError(f"a token is 0 to {self._vocabulary - 1}, not {fed.min()} or {fed.max()}")
        for first in range(0, fed.size, _CHUNK):
            logits = self._feed(fed[first : first + _CHUNK])
        return logits

    def rollback(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        if not 0 <= length <= self.length:
            raise ValueError(f"a session of {self.length} tokens rolls back to 0 to {self.length}, not {length}")
        self.length = length

    def reset(self) -> None:
        """Forget everything."""
        self.length = 0

    def _feed(self, tokens: NDArray[np.int32]) -> Logits:
        total = self.length + tokens.size
        inputs = {
            "tokens": tokens[None],  # (1, n)
            "positions": np.arange(self.length, total, dtype=np.int32)[None],  # (1, n)
            "last": np.array([total - 1], np.int32),
            "total": np.array([total], np.int32),
            "rows": np.array([tokens.size - 1], np.int64),
        }
        binding: Any = self._graph.io_binding()
        for name in inputs.keys() & self._inputs:
            binding.bind_cpu_input(name, inputs[name])
        for name, buffer in self._cache.items():
            binding.bind_ortvalue_input(f"past_{name}", buffer)
            binding.bind_ortvalue_output(f"present_{name}", buffer)
        logits: Logits = np.empty(self._vocabulary, np.float32)
        binding.bind_ortvalue_output("logits", ort.OrtValue.ortvalue_from_numpy(logits[None]))  # written in place
        self._graph.run_with_iobinding(binding)
        self.length = total
        return logits
