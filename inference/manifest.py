"""What a bundle's manifest says, as records that pydantic checks, and how they are read from and written to JSON.

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

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

FORMAT_VERSION = 1
"""Of the manifest and of the graphs' inputs and outputs; another version is refused."""

MANIFEST_NAME = "manifest.json"

FUSED = "fused"
"""The graph made for ONNX Runtime on a CPU: few operators, some of them its own."""

PROMPT = "prompt"
"""The fused graph once more, with products that are quicker for many tokens at once and slower for few."""

PORTABLE = "portable"
"""The graph of standard operators, for any provider."""

_STRICT = ConfigDict(strict=True)


class ManifestError(ValueError):
    """A manifest that does not say what it must; the message names the key."""


def is_plain_name(name: str) -> bool:
    """Return whether a name is that of an .onnx file beside the manifest, on any system: no path, no drive, no dots."""
    stem = name.removesuffix(".onnx")
    return stem != name and 0 < len(stem) <= 60 and stem.isascii() and stem.replace("-", "").replace("_", "").isalnum()


def _plain(name: str) -> str:
    if not is_plain_name(name):
        raise ValueError("this is not the plain name of an .onnx file in the bundle")
    return name


@dataclass(frozen=True, slots=True, config=_STRICT)
class ModelShape:
    """The shape of a GPT-2. Beyond its limits it is taken for damage: nothing is allocated for it."""

    layers: Annotated[int, Field(ge=1, le=96)]
    heads: Annotated[int, Field(ge=1, le=128)]
    width: Annotated[int, Field(ge=1, le=16_384)]
    vocabulary: Annotated[int, Field(ge=1, le=65_536)]
    context: Annotated[int, Field(ge=1, le=131_072)]

    @model_validator(mode="after")
    def _divides(self) -> "ModelShape":
        if self.width % self.heads:
            raise ValueError(f"a width of {self.width} does not divide into {self.heads} heads")
        return self

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


@dataclass(frozen=True, slots=True, config=_STRICT)
class GraphFile:
    """One ONNX file of a bundle: name, size and checksum, its `kind` (fused, prompt or portable) and `precision`."""

    name: Annotated[str, AfterValidator(_plain)]
    kind: Annotated[str, Field(pattern=f"^({FUSED}|{PROMPT}|{PORTABLE})$")]
    precision: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, config=_STRICT)
class Manifest:
    """Everything that a bundle says about itself."""

    vocabulary: str
    """Fingerprint of the vocabulary that the tokens belong to."""
    shape: ModelShape
    graphs: Annotated[tuple[GraphFile, ...], Field(min_length=1)]
    trained_on: str
    licence: str
    figures: Mapping[str, FiniteFloat] = Field(default_factory=dict)
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
    def from_json(cls, text: bytes | str) -> "Manifest":
        """Return what a file says; ManifestError names what is wrong first."""
        try:
            written = json.loads(text)
        except RecursionError as error:
            raise ManifestError("it is nested too deeply") from error
        except ValueError as error:  # JSON, and text that cannot be decoded
            raise ManifestError(f"it is not readable as JSON ({error})") from error
        version = written.get("format") if isinstance(written, dict) else FORMAT_VERSION
        if version != FORMAT_VERSION:
            raise ManifestError(f"its format is version {version!r:.60}, and this program reads {FORMAT_VERSION}")
        try:
            manifest = _MANIFEST.validate_json(text)
        except ValidationError as error:
            raise ManifestError(_first_fault(error)) from error
        if written.get("tensors") != manifest.tensor_names():
            raise ManifestError(f"tensors: the names are not those of format {FORMAT_VERSION}")
        return manifest


_MANIFEST = TypeAdapter(Manifest)


def cache_names(when: str, layers: int) -> list[str]:
    """Return the names of the cache's tensors, `when` being past or present: keys and values, layer by layer."""
    return [f"{when}_{what}_{layer}" for layer in range(layers) for what in ("key", "value")]


def _first_fault(error: ValidationError) -> str:
    """Return what is wrong first, by its key, with what stands there."""
    fault = error.errors(include_url=False)[0]
    where = "".join(f"{part}: " for part in fault["loc"])
    return f"{where}{fault['msg'].removeprefix('Value error, ')}, not {fault['input']!r:.60}"
