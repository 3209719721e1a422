"""What a bundle's manifest says, as records, and how they are read from and written to JSON.

The manifest describes the graphs of one model, which all have the same inputs and outputs:

    tokens     int32 (batch, n)          what to feed
    positions  int32 (batch, n)          where each token stands: past length + 0 … n-1
    last       int32 (batch,)            past length + n - 1 of each row
    total      int32 (1,)                past length + n of the longest row
    rows       int64 (k,)                of which of the batch * n tokens the logits are wanted
    past_key_0 … past_value_{layers-1}       float32 (batch, heads, context, head width)
    logits     float32 (k, vocabulary)
    present_key_0 … present_value_{layers-1} the same buffers, written in place

A graph that has no use for an input may leave it out.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

FORMAT_VERSION = 1
"""Of the manifest and of the graphs' inputs and outputs; another version is refused."""

MANIFEST_NAME = "manifest.json"

FUSED = "fused"
"""The graph made for ONNX Runtime on a CPU: few operators, some of them its own."""

PROMPT = "prompt"
"""The fused graph once more, with products that are quicker for many tokens at once and slower for few."""

PORTABLE = "portable"
"""The graph of standard operators, for any provider."""

LARGEST_SHAPE = {"layers": 96, "heads": 128, "width": 16_384, "vocabulary": 65_536, "context": 131_072}
"""Beyond these a shape is taken for damage: nothing is allocated for it."""


class ManifestError(ValueError):
    """A manifest that does not say what it must; the message names the key."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The shape of a GPT-2."""

    layers: int
    heads: int
    width: int
    vocabulary: int
    context: int

    def __post_init__(self) -> None:
        for key, largest in LARGEST_SHAPE.items():
            value = getattr(self, key)
            if not 1 <= value <= largest:
                raise ManifestError(f"shape: {key} must be 1 to {largest}, not {value}")
        if self.width % self.heads:
            raise ManifestError(f"shape: a width of {self.width} does not divide into {self.heads} heads")

    @property
    def head_width(self) -> int:
        """Return the width of one attention head."""
        return self.width // self.heads

    @property
    def cache_shape(self) -> tuple[int, int, int, int]:
        """Return the shape of one layer's keys, or values: (batch of one, heads, context, head width)."""
        return (1, self.heads, self.context, self.head_width)

    @property
    def cache_bytes(self) -> int:
        """Return the size of the whole cache in bytes, in single precision."""
        return 2 * self.layers * self.width * self.context * 4


@dataclass(frozen=True, slots=True)
class GraphFile:
    """One ONNX file of a bundle: name, size and checksum, its `kind` (fused, prompt or portable) and `precision`."""

    name: str
    kind: str
    precision: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that a bundle says about itself."""

    vocabulary: str
    """Fingerprint of the vocabulary that the tokens belong to."""
    shape: ModelShape
    graphs: tuple[GraphFile, ...]
    trained_on: str
    licence: str
    figures: Mapping[str, float] = field(default_factory=dict)
    """Measured on export and in training, by name, such as `bits_per_note`."""
    name: str = ""
    knows_cues: bool = False
    """Whether it has learned what beats, chords and the ending mean (`piano.cues`); not where a bundle does not say."""
    format: int = FORMAT_VERSION

    def tensor_names(self) -> dict[str, list[str]]:
        """Return the names of the inputs and outputs of each graph, as they stand in the manifest."""
        pasts = cache_names("past", self.shape.layers)
        presents = cache_names("present", self.shape.layers)
        return {"inputs": ["tokens", "positions", "last", "total", "rows", *pasts], "outputs": ["logits", *presents]}

    def to_json(self) -> dict[str, Any]:
        """Return what is written to the file; the inverse of `from_json`."""
        return {**asdict(self), "graphs": [asdict(graph) for graph in self.graphs], "tensors": self.tensor_names()}

    @classmethod
    def from_json(cls, data: object) -> "Manifest":
        """Check and convert what was read from a file; ManifestError names the first key that is wrong."""
        top = _mapping(data, "the manifest")
        version = _get(top, "format", int)
        if version != FORMAT_VERSION:
            raise ManifestError(f"its format is version {version}, and this program reads version {FORMAT_VERSION}")
        shape = _mapping(top.get("shape"), "shape")
        manifest = cls(
            vocabulary=_get(top, "vocabulary", str),
            shape=ModelShape(**{key: _get(shape, key, int) for key in LARGEST_SHAPE}),
            graphs=tuple(_graph(entry) for entry in _get(top, "graphs", list)),
            trained_on=_get(top, "trained_on", str),
            licence=_get(top, "licence", str),
            figures=_figures(top.get("figures")),
            name=_get(top, "name", str),
            knows_cues=top.get("knows_cues", False) is True,
        )
        if not manifest.graphs:
            raise ManifestError("graphs: it names none")
        if _mapping(top.get("tensors"), "tensors") != manifest.tensor_names():
            raise ManifestError(f"tensors: the names are not those of format {FORMAT_VERSION}")
        return manifest


def cache_names(when: str, layers: int) -> list[str]:
    """Return the names of the cache's tensors, `when` being past or present: keys and values, layer by layer."""
    return [f"{when}_{what}_{layer}" for layer in range(layers) for what in ("key", "value")]


def _mapping(data: object, what: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise ManifestError(f"{what} must be an object")
    return data


def _get(data: Mapping[str, Any], key: str, kind: type[T]) -> T:
    value = data.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ManifestError(f"{key} must be of type {kind.__name__}, not {value!r:.60}")
    return value


def _graph(data: object) -> GraphFile:
    entry = _mapping(data, "graphs: each entry")
    graph = GraphFile(
        name=_get(entry, "name", str),
        kind=_get(entry, "kind", str),
        precision=_get(entry, "precision", str),
        bytes=_get(entry, "bytes", int),
        sha256=_get(entry, "sha256", str),
    )
    if graph.kind not in (FUSED, PROMPT, PORTABLE):
        raise ManifestError(f"graphs: the kind of {graph.name!r:.60} must be {FUSED}, {PROMPT} or {PORTABLE}")
    if not is_plain_name(graph.name):
        raise ManifestError(f"graphs: {graph.name!r:.60} is not the plain name of an .onnx file in the bundle")
    return graph


def is_plain_name(name: str) -> bool:
    """Return whether a name is that of an .onnx file beside the manifest, on any system: no path, no drive, no dots."""
    stem = name.removesuffix(".onnx")
    return stem != name and 0 < len(stem) <= 60 and stem.isascii() and stem.replace("-", "").replace("_", "").isalnum()


def _figures(data: object) -> dict[str, float]:
    figures = _mapping(data, "figures")
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in figures.values()):
        raise ManifestError("figures: each must be a number")
    return {str(key): float(value) for key, value in figures.items()}
