"""The weights of a GPT-2 as numpy arrays, checked against its shape.

The names are Hugging Face's without the leading `transformer.`; linear layers are stored (in, out) as there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.manifest import ModelShape
from piano.errors import CheckpointError
from train.model.gpt2 import GPT2

Array = NDArray[np.float32]

LAYER_NORM_EPSILON = 1e-5

_LINEAR_WEIGHTS = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


@dataclass(frozen=True, slots=True)
class Weights:
    """A GPT-2's shape and its tensors by name."""

    shape: ModelShape
    tensors: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        return self.tensors[name]


def with_scaled_queries(weights: Weights) -> Weights:
    """Return weights whose queries bring along the 1 / sqrt(head width) that attention multiplies its scores with."""
    shape = weights.shape
    factor = np.ones(3 * shape.width, np.float32)
    factor[: shape.width] = shape.head_width**-0.5
    packed = {
        name: tensor * factor for name, tensor in weights.tensors.items() if name.rpartition(".")[0].endswith("c_attn")
    }
    return Weights(shape, {**weights.tensors, **packed})


def weights_of(model: GPT2) -> Weights:
    """Take the weights of a model in training, whose linear layers are (out, in)."""
    state = {
        name: tensor.T if name.endswith(_LINEAR_WEIGHTS) else tensor for name, tensor in model.state_dict().items()
    }
    return weights_of_state(state, heads=model.config.heads)


def weights_of_state(state: Mapping[str, Any], *, heads: int) -> Weights:
    """Take the weights from Hugging Face's state dict; CheckpointError if one is missing or of the wrong shape.

    Buffers and the tied head, which Hugging Face may store as well, are left out.
    """
    tensors = {name.removeprefix("transformer."): _array(tensor) for name, tensor in state.items()}
    for table in ("wte.weight", "wpe.weight"):
        if table not in tensors or tensors[table].ndim != 2:
            raise CheckpointError(f"the checkpoint has no matrix {table}: it is no GPT-2; export another one")
    vocabulary, width = tensors["wte.weight"].shape
    layers = len({name.split(".")[1] for name in tensors if name.startswith("h.")})
    shape = ModelShape(layers, heads, width, vocabulary, tensors["wpe.weight"].shape[0])
    expected = expected_shapes(shape)
    for name, wanted in expected.items():
        found = tensors[name].shape if name in tensors else "missing"
        if found != wanted:
            raise CheckpointError(f"the checkpoint's tensor {name} is {found} instead of {wanted}; export another one")
    return Weights(shape, {name: tensors[name] for name in expected})


def expected_shapes(shape: ModelShape) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of each tensor of a GPT-2."""
    width = shape.width
    shapes: dict[str, tuple[int, ...]] = {"wte.weight": (shape.vocabulary, width), "wpe.weight": (shape.context, width)}
    for layer in range(shape.layers):
        for name, inner, outer in (
            ("attn.c_attn", width, 3 * width),
            ("attn.c_proj", width, width),
            ("mlp.c_fc", width, 4 * width),
            ("mlp.c_proj", 4 * width, width),
        ):
            shapes[f"h.{layer}.{name}.weight"] = (inner, outer)
            shapes[f"h.{layer}.{name}.bias"] = (outer,)
        for name in ("ln_1", "ln_2"):
            shapes[f"h.{layer}.{name}.weight"] = shapes[f"h.{layer}.{name}.bias"] = (width,)
    shapes["ln_f.weight"] = shapes["ln_f.bias"] = (width,)
    return shapes


def _array(tensor: Any) -> Array:
    return np.ascontiguousarray(tensor.detach().cpu().float().numpy())
