"""One export: a checkpoint becomes graphs, the graphs a verified bundle, and the bundle is written."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from export.bundle_writer import GraphBytes, check_destination, graph_files, write_bundle
from export.graph import build_graph
from export.portable import build_portable
from export.quantise import BLOCK_SIZES
from export.verify import Verification, verify
from export.weights import weights_of
from piano.encoding import TokenArray
from piano.vocabulary import VOCABULARY
from realtime.bundle import Bundle
from realtime.manifest import FUSED, PORTABLE, Manifest
from realtime.session import OnnxSession
from train.gpt2 import GPT2

FUSED_NAME = "model.onnx"
PORTABLE_NAME = "portable.onnx"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How to export: `precision` of the fused graph's weights, their `block`, and whether to add the portable graph."""

    precision: str = "int8"
    block: int = BLOCK_SIZES[0]
    portable: bool = False
    licence: str | None = None
    """Of the model; that of its training data where it is not given."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """More measured figures for the manifest, by name."""


def export_bundle(
    model: GPT2, metadata: Mapping[str, Any], folder: Path, windows: Sequence[TokenArray], options: ExportOptions
) -> Verification:
    """Build, verify on windows of music and write; return what the verification of the fused graph found.

    BundleError if the export differs from the model, or cannot be written; then nothing is left behind.
    """
    check_destination(folder)
    weights = weights_of(model)
    fused = build_graph(weights, precision=options.precision, block=options.block)
    graphs = {FUSED_NAME: GraphBytes(FUSED, options.precision, fused.SerializeToString())}
    if options.portable:
        graphs[PORTABLE_NAME] = GraphBytes(PORTABLE, "fp32", build_portable(weights).SerializeToString())
    manifest = Manifest(
        vocabulary=VOCABULARY.fingerprint,
        shape=weights.shape,
        graphs=graph_files(graphs),
        trained_on=trained_on(metadata),
        licence=options.licence or licences(metadata),
        name=folder.resolve().name,
    )
    results = {name: _verify_written(manifest, {name: graph}, model, windows) for name, graph in graphs.items()}
    figures = {**_training_figures(metadata), **results[FUSED_NAME].figures(), **options.figures}
    write_bundle(folder, replace(manifest, figures=figures), graphs)
    Bundle.load(folder)
    return results[FUSED_NAME]


def _verify_written(
    manifest: Manifest, graphs: Mapping[str, GraphBytes], model: GPT2, windows: Sequence[TokenArray]
) -> Verification:
    """Verify graphs as the player will meet them: written, loaded and run by its own session."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        write_bundle(folder, replace(manifest, graphs=graph_files(graphs)), graphs)
        session = OnnxSession(Bundle.load(folder), provider="cpu")
    precision = next(graph.precision for graph in graphs.values())
    return verify(session, model, windows, precision=precision)


def trained_on(metadata: Mapping[str, Any]) -> str:
    """Return the data sets that a checkpoint names, in one line."""
    return ", ".join(sorted({str(entry.get("dataset", "")) for entry in _sources(metadata)})) or "not known"


def licences(metadata: Mapping[str, Any]) -> str:
    """Return the licences of the data that a checkpoint names, in one line."""
    named = {str(entry.get("licence", "")) for entry in _sources(metadata)} - {""}
    return "; ".join(sorted(named)) or "not known"


def _sources(metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    sources = metadata.get("trained_on", [])
    return [entry for entry in sources if isinstance(entry, Mapping)] if isinstance(sources, list) else []


def _training_figures(metadata: Mapping[str, Any]) -> dict[str, float]:
    wanted = ("step", "tokens_seen", "validation_nats_per_token", "validation_bits_per_note")
    return {name: float(metadata[name]) for name in wanted if isinstance(metadata.get(name), int | float)}
