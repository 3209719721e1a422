"""Any folder is a bundle that can be loaded, or a BundleError: `python -m tests.fuzz.bundle --seconds 60`.

The first byte says what the rest is: a manifest, or a graph with a manifest that vouches for it. Of graphs, the `onnx`
package tells independently which refer to other files: none of these may be loaded.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from onnx import TensorProto, helper
from onnx.external_data_helper import _get_all_tensors, uses_external_data

from inference.bundle import Bundle
from inference.manifest import FUSED, MANIFEST_NAME, GraphFile, Manifest, ModelShape
from piano.errors import BundleError
from piano.tokens.vocabulary import VOCABULARY
from tests.fuzz.drive import fuzz

INSTRUMENTED = ("inference.bundle", "inference.manifest", "inference.graph_check")

_GRAPH = GraphFile("model.onnx", FUSED, "fp32", 0, "")
_MANIFEST = Manifest(
    vocabulary=VOCABULARY.fingerprint,
    shape=ModelShape(layers=1, heads=1, width=8, vocabulary=VOCABULARY.size, context=16),
    graphs=(_GRAPH,),
    trained_on="nothing",
    licence="CC0-1.0",
)


def check(data: bytes) -> None:
    """Load a bundle made of these bytes."""
    kind, rest = data[:1], data[1:]
    with TemporaryDirectory(dir=_memory()) as name:
        folder = Path(name)
        is_graph = kind != b"m"
        (folder / "model.onnx").write_bytes(rest if is_graph else b"")
        (folder / MANIFEST_NAME).write_bytes(_manifest_of(rest) if is_graph else rest)
        try:
            Bundle.load(folder)
        except BundleError:
            return
        if is_graph and _refers_to_files(rest):
            raise AssertionError("a graph that refers to other files was let through")


def _memory() -> str | None:
    shared = Path("/dev/shm")  # quicker, where it is
    return str(shared) if shared.is_dir() else None


def _manifest_of(graph: bytes) -> bytes:
    entry = replace(_GRAPH, bytes=len(graph), sha256=hashlib.sha256(graph).hexdigest())
    return json.dumps(replace(_MANIFEST, graphs=(entry,)).to_json()).encode()


def _refers_to_files(graph: bytes) -> bool:
    try:
        model = onnx.ModelProto.FromString(graph)
    except Exception:  # protobuf's own; what it cannot read, nothing loads
        return False
    return any(uses_external_data(tensor) for tensor in _get_all_tensors(model))


def _model(*, external: bool) -> bytes:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    if external:
        weight.ClearField("float_data")
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value="/etc/passwd")
    node = helper.make_node("Constant", [], ["y"], value=weight)
    inner = helper.make_graph([node], "inner", [], [])
    branch = helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=inner)
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([node, branch], "g", [], [output], [weight])
    return bytes(helper.make_model(graph).SerializeToString())


def seeds() -> Iterator[bytes]:
    """Yield bundles to begin with."""
    yield b"m" + _manifest_of(b"")
    yield b"g" + _model(external=False)
    yield b"g" + _model(external=True)


if __name__ == "__main__":
    fuzz("bundle", check, seeds(), INSTRUMENTED)
