"""What all decode: a bundle made from the checkpoint, in each precision, by our own exporter."""

from pathlib import Path

import onnx

from bench.contestant import BenchModel
from export.bundle_writer import graph_files, write_bundle
from export.exporter import FUSED_NAME, fused_graphs
from export.weights import weights_of
from inference.manifest import Manifest, ModelShape
from piano.tokens.vocabulary import VOCABULARY
from train.model.checkpoint import load_checkpoint


def make_bundle(matter: BenchModel) -> ModelShape:
    """Export the checkpoint as it is, not verified: that is the exporter's command, and takes music."""
    model, _ = load_checkpoint(matter.checkpoint)
    weights = weights_of(model)
    graphs = fused_graphs(weights, matter.precision)
    manifest = Manifest(VOCABULARY.fingerprint, weights.shape, graph_files(graphs), "bench", "bench", name="bench")
    write_bundle(matter.bundle, manifest, graphs)
    return weights.shape


def weight_bytes(bundle: Path) -> int:
    """Return how many bytes of weights a token needs, as they are stored: all but the tables, of which it needs rows.

    The head is read whole: its matrix is stored beside the table where the weights are in 8 bits, and is the table
    itself turned around in single precision.
    """
    graph = onnx.load(str(bundle / FUSED_NAME)).graph
    tables = ("wte.weight", "wpe.weight")
    return sum(len(tensor.raw_data) for tensor in graph.initializer if tensor.name.removesuffix(".half") not in tables)


def cache_bytes(shape: ModelShape, past: int) -> int:
    """Return how many bytes of keys and values a token needs: those of the past, and its own, in single precision."""
    return 2 * shape.layers * shape.width * (past + 1) * 4
