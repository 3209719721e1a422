"""The portable graph: the same model in standard operators, by torch.onnx.

It is the oracle of the fused graph, made from PyTorch's own operators, and what other execution providers run (the
fused operators in single precision exist for the CPU alone). It attends over the whole context with a mask, so a step
costs as much at the beginning as at the end.
"""

import contextlib
import io
import math
import warnings

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from export.weights import LAYER_NORM_EPSILON, Weights
from inference.manifest import cache_names

OPSET = 20


class PortableGPT2(nn.Module):
    """GPT-2 with its cache as arguments: takes and returns what the graphs of a bundle take and return."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.shape = weights.shape
        for name, array in weights.tensors.items():
            self.register_buffer(_flat(name), torch.from_numpy(array.copy()))

    def forward(self, tokens: Tensor, positions: Tensor, rows: Tensor, *caches: Tensor) -> tuple[Tensor, ...]:
        """Map tokens and positions (batch, n), wanted rows (k,) and caches to logits (k, vocabulary) and caches."""
        places = positions.to(torch.int64)
        x = self._tensor("wte.weight")[tokens.to(torch.int64)] + self._tensor("wpe.weight")[places]
        written: list[Tensor] = []
        for layer in range(self.shape.layers):
            name = f"h.{layer}"
            keys, values = caches[2 * layer : 2 * layer + 2]
            attended, keys, values = self._attend(name, self._norm(f"{name}.ln_1", x), places, keys, values)
            x = x + attended
            wide = functional.gelu(self._linear(f"{name}.mlp.c_fc", self._norm(f"{name}.ln_2", x)), approximate="tanh")
            x = x + self._linear(f"{name}.mlp.c_proj", wide)
            written += [keys, values]
        wanted = self._norm("ln_f", x).reshape(-1, self.shape.width)[rows]  # (k, width)
        return (wanted @ self._tensor("wte.weight").T, *written)

    def _attend(self, name: str, x: Tensor, places: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, ...]:
        batch, count = x.shape[0], x.shape[1]
        heads, width = self.shape.heads, self.shape.head_width
        packed = self._linear(f"{name}.attn.c_attn", x).reshape(batch, count, 3, heads, width)
        query, key, value = packed.permute(2, 0, 3, 1, 4)  # each (batch, head, n, dim)
        index = places[:, None, :, None].expand(batch, heads, count, width)
        keys, values = keys.scatter(2, index, key), values.scatter(2, index, value)  # (batch, head, context, dim)
        ahead = torch.arange(self.shape.context)[None, None, None, :] > places[:, None, :, None]
        scores = (query @ keys.transpose(2, 3) / math.sqrt(width)).masked_fill(ahead, -1e9)
        attended = (scores.softmax(-1) @ values).permute(0, 2, 1, 3).reshape(batch, count, heads * width)
        return self._linear(f"{name}.attn.c_proj", attended), keys, values

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return x @ self._tensor(f"{name}.weight") + self._tensor(f"{name}.bias")

    def _norm(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self._tensor(f"{name}.weight"), self._tensor(f"{name}.bias")
        return functional.layer_norm(x, (self.shape.width,), weight, bias, LAYER_NORM_EPSILON)

    def _tensor(self, name: str) -> Tensor:
        return self.get_buffer(_flat(name))


def build_portable(weights: Weights) -> onnx.ModelProto:
    """Build the portable graph in single precision, its inputs and outputs those of the fused one it has a use for."""
    shape = weights.shape
    model = PortableGPT2(weights).eval()
    cache = torch.zeros(2, *shape.cache_shape[1:])
    caches = [cache.clone() for _ in range(2 * shape.layers)]
    tokens = torch.zeros(2, 3, dtype=torch.int32)
    positions = torch.arange(3, dtype=torch.int32).repeat(2, 1)
    arguments = (tokens, positions, torch.tensor([2, 5]), *caches)
    batch, count, rows = torch.export.Dim("batch"), torch.export.Dim("n"), torch.export.Dim("k")
    dynamic = ({0: batch, 1: count}, {0: batch, 1: count}, {0: rows}, tuple({0: batch} for _ in caches))
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():  # torch warns of its own inner workings
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model,
            arguments,
            input_names=["tokens", "positions", "rows", *cache_names("past", shape.layers)],
            output_names=["logits", *cache_names("present", shape.layers)],
            dynamic_shapes=dynamic,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program")
    return _without_paths(program.model_proto)


def _without_paths(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take out what torch notes about its own source files: it names the machine, and it is large."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    return model


def _flat(name: str) -> str:
    return name.replace(".", "_")
