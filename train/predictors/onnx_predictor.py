"""A bundle as a predictor of windows.

Training and the daemon know nothing of each other: what they share is the form of a bundle on disk, of which this
file reads the few keys that evaluation needs. The daemon's own loader is `inference.bundle`.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from piano.errors import BundleError
from piano.tokens.vocabulary import VOCABULARY

MANIFEST = "manifest.json"
_FORMAT = 1


class OnnxPredictor:
    """The first graph of a bundle on the CPU, fed with windows from an empty cache; its memory is used again."""

    def __init__(self, folder: Path) -> None:
        """Load a bundle; BundleError if it is damaged or foreign."""
        self._session, self._shape = load_graph(folder)
        self.context = self._shape["context"]
        self._rows = 0
        self._cache: dict[str, Any] = {}

    def logits(self, tokens: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of what follows some of the tokens, see `train.predictors.scoring.Predictor`."""
        batch, length = tokens.shape
        inputs: dict[str, NDArray[Any]] = {
            "tokens": tokens.astype(np.int32),
            "positions": np.tile(np.arange(length, dtype=np.int32), (batch, 1)),
            "last": np.full(batch, length - 1, np.int32),
            "total": np.array([length], np.int32),
            "rows": rows,
        }
        if batch != self._rows:  # what is left in a cache from before is past the end, unread
            self._rows, self._cache = batch, empty_cache(self._shape, batch)
        logits = np.empty((rows.size, self._shape["vocabulary"]), np.float32)
        run_graph(self._session, inputs, self._cache, logits)
        return logits


def load_graph(folder: Path, *, threads: int = 0) -> tuple[Any, dict[str, int]]:
    """Load a bundle's first graph for the CPU, and the shape of the model; `threads` 0: as many as there are cores.

    BundleError if it is damaged or foreign.
    """
    path, shape = _find_graph(folder)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]), shape
    except Exception as fault:  # ONNX Runtime's exceptions have no class of their own
        raise BundleError(f"{path}: cannot be loaded; export the checkpoint again ({fault})") from fault


def empty_cache(shape: Mapping[str, int], rows: int) -> dict[str, Any]:
    """Return the tensors of a cache for so many streams by name, (row, head, time, dim) each."""
    room = (rows, shape["heads"], shape["context"], shape["width"] // shape["heads"])
    names = [f"{what}_{layer}" for layer in range(shape["layers"]) for what in ("key", "value")]
    return {name: ort.OrtValue.ortvalue_from_numpy(np.zeros(room, np.float32)) for name in names}


def run_graph(
    graph: Any, inputs: Mapping[str, NDArray[Any]], cache: Mapping[str, Any], logits: NDArray[np.float32]
) -> None:
    """Run a graph once, given those of the inputs that it has; the cache and the logits are written in place."""
    binding = graph.io_binding()
    for name in inputs.keys() & {each.name for each in graph.get_inputs()}:
        binding.bind_cpu_input(name, np.ascontiguousarray(inputs[name]))
    for name, buffer in cache.items():
        binding.bind_ortvalue_input(f"past_{name}", buffer)
        binding.bind_ortvalue_output(f"present_{name}", buffer)
    binding.bind_ortvalue_output("logits", ort.OrtValue.ortvalue_from_numpy(logits))
    graph.run_with_iobinding(binding)


def _find_graph(folder: Path) -> tuple[Path, dict[str, int]]:
    """Return the file of a bundle's first graph, its checksum verified, and the shape of the model."""
    manifest_path = folder / MANIFEST
    try:
        manifest = json.loads(manifest_path.read_text())
        version, vocabulary = manifest["format"], manifest["vocabulary"]
        shape = {key: int(manifest["shape"][key]) for key in ("layers", "heads", "width", "vocabulary", "context")}
        graph = manifest["graphs"][0]  # the fused one, which is made for a CPU, stands first
        path, checksum = folder / Path(graph["name"]).name, graph["sha256"]
    except OSError as fault:
        raise BundleError(f"{manifest_path}: cannot be read ({fault.strerror}); export the checkpoint again") from fault
    except (ValueError, KeyError, IndexError, TypeError) as fault:
        raise BundleError(f"{manifest_path}: is no manifest of a bundle; export the checkpoint again") from fault
    if version != _FORMAT:
        raise BundleError(f"{manifest_path}: has format {version}, this program reads {_FORMAT}: export again")
    if vocabulary != VOCABULARY.fingerprint:
        raise BundleError(
            f"{manifest_path}: the bundle speaks vocabulary {vocabulary}, this program {VOCABULARY.fingerprint}: "
            "use one that was made for this version"
        )
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
        raise BundleError(f"{path}: missing or damaged (its checksum is not the manifest's): get the bundle again")
    return path, shape
