"""One export: a checkpoint becomes graphs, the graphs a verified bundle, and the bundle is written."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from export.bundle_writer import GraphBytes, check_destination, graph_files, write_bundle
from export.graph import build_graph, build_prompt_graph
from export.portable import build_portable
from export.quantise import BLOCK_SIZES
from export.verify import Verification, verify
from export.weights import Weights, weights_of
from inference.bundle import Bundle
from inference.manifest import FUSED, PORTABLE, PROMPT, Manifest
from inference.onnx_session import OnnxSession
from piano.tokens.encoding import TokenArray
from piano.tokens.vocabulary import VOCABULARY
from train.model.gpt2 import GPT2

FUSED_NAME = "model.onnx"
PROMPT_NAME = "prompt.onnx"
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

    In 8 bits a bundle has a graph for prompts too, which is verified together with the fused one.

    BundleError if the export differs from the model, or cannot be written; then nothing is left behind.
    """
    check_destination(folder)
    weights = weights_of(model)
    graphs = fused_graphs(weights, options.precision, options.block)
    if options.portable:
        graphs[PORTABLE_NAME] = GraphBytes(PORTABLE, "fp32", build_portable(weights).SerializeToString())
    manifest = Manifest(
        vocabulary=VOCABULARY.fingerprint,
        shape=weights.shape,
        graphs=graph_files(graphs),
        trained_on=trained_on(metadata),
        licence=options.licence or licences(metadata),
        name=folder.resolve().name,
        knows_cues=was_shown_cues(metadata),
    )
    found = {name: _verify_written(manifest, group, model, windows) for name, group in _together(graphs).items()}
    prompts = found[PROMPT_NAME].figures() if PROMPT_NAME in found else {}
    figures = {
        **_training_figures(metadata),
        **found[FUSED_NAME].figures(),
        **{f"with_prompts_{name}": figure for name, figure in prompts.items()},
        **options.figures,
    }
    write_bundle(folder, replace(manifest, figures=figures), graphs)
    Bundle.load(folder)
    return found[FUSED_NAME]


def fused_graphs(weights: Weights, precision: str, block: int = BLOCK_SIZES[0]) -> dict[str, GraphBytes]:
    """Return the graphs for a CPU by file name: the fused one, and beside 8-bit weights the one for prompts."""
    fused = build_graph(weights, precision=precision, block=block)
    graphs = {FUSED_NAME: GraphBytes(FUSED, precision, fused.SerializeToString())}
    if precision == "int8":
        graphs[PROMPT_NAME] = GraphBytes(PROMPT, precision, build_prompt_graph(weights).SerializeToString())
    return graphs


def _together(graphs: Mapping[str, GraphBytes]) -> dict[str, dict[str, GraphBytes]]:
    """Return for each graph those that a session has to load to run it."""
    fused = graphs[FUSED_NAME]
    return {
        name: {FUSED_NAME: fused, name: graph} if name == PROMPT_NAME else {name: graph}
        for name, graph in graphs.items()
    }


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


def was_shown_cues(metadata: Mapping[str, Any]) -> bool:
    """Return whether a checkpoint, by its recipe, was shown beats, chords and the ending in training."""
    recipe = metadata.get("recipe")
    tasks = recipe.get("tasks") if isinstance(recipe, Mapping) else None
    return isinstance(tasks, Mapping) and tasks.get("cues") is True


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
