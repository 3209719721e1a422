"""The fused graph: GPT-2 in the operators that ONNX Runtime runs fastest on a CPU, built from the weights.

One layer is six operators and four matrix products, which add their biases themselves; keys and values are written
in place into buffers that the caller binds as past and present at once. Of the operators that do the same the faster
is taken: at one token SkipLayerNormalization takes twice the time of an addition and a normalisation.

ONNX Runtime multiplies one query with the keys where they lie if the product has no factor of its own, and only if it
does not go through them tile by tile, for which it is quicker to have many queries. So the factor is in the query's
weights, and the attention has a sink, which it cannot have with tiles; the sink weighs nothing. At a past of 991 this
takes 0.6 times the time.

`inference/manifest.py` describes the inputs and outputs. Rows of a batch may have different past lengths, as ONNX
Runtime's GroupQueryAttention has it: when one token a row is fed, or when nothing has been fed before.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from export.quantise import BLOCK_SIZES, block_for, quantise, quantise_columns
from export.weights import LAYER_NORM_EPSILON, Weights, with_scaled_queries
from inference.manifest import ModelShape, cache_names
from piano.errors import CheckpointError

PRECISIONS = ("int8", "fp32")

FUSED_DOMAIN = "com.microsoft"
OPSET = 21
IR_VERSION = 10

NO_WEIGHT = -1e30
"""The score of the attention's sink: its exponential is 0 in single precision, beside any score."""

HEAD_WIDTH_STEP = 8
"""What GroupQueryAttention wants the width of a head to be a multiple of."""


def build_prompt_graph(weights: Weights) -> onnx.ModelProto:
    """Build the fused graph for many tokens at once: weights in bytes, what they are multiplied with too.

    The products round all tokens of a call by one scale, and take 0.6 times the time of those of `build_graph` for a
    prompt; for one token they take more.
    """
    return _build(weights, _Products.COLUMNS, BLOCK_SIZES[0])


def build_graph(weights: Weights, *, precision: str = "int8", block: int = BLOCK_SIZES[0]) -> onnx.ModelProto:
    """Build the fused graph with weights in 8 bits (`int8`, the tables in 16) or in single precision (`fp32`)."""
    if precision not in PRECISIONS:
        raise ValueError(f"the precision is {' or '.join(PRECISIONS)}, not {precision!r}")
    return _build(weights, _Products.BLOCKS if precision == "int8" else _Products.SINGLE, block)


def _build(weights: Weights, products: "_Products", block: int) -> onnx.ModelProto:
    if weights.shape.head_width % HEAD_WIDTH_STEP:
        raise CheckpointError(
            f"the fused attention takes heads of a width that is a multiple of {HEAD_WIDTH_STEP}, not "
            f"{weights.shape.head_width}: train a model with another width or number of heads"
        )
    draft = _Draft(with_scaled_queries(weights), products, block)
    draft.constant("sink", np.full(weights.shape.heads, NO_WEIGHT, np.float32))
    normed, stream = _embed(draft)
    for layer in range(weights.shape.layers):
        normed, stream = _layer(draft, layer, normed, stream)
    _head(draft, normed)
    inputs, outputs = graph_signature(weights.shape)
    graph = helper.make_graph(draft.nodes, "pianod", inputs, outputs, draft.initializers)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED_DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="pianod")


def graph_signature(shape: ModelShape) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
    """Return the inputs and outputs that every graph of a bundle has."""
    single, integer, long = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64
    cache: list[int | str] = ["batch", shape.heads, shape.context, shape.head_width]
    value = helper.make_tensor_value_info
    inputs = [
        value("tokens", integer, ["batch", "n"]),
        value("positions", integer, ["batch", "n"]),
        value("last", integer, ["batch"]),
        value("total", integer, [1]),
        value("rows", long, ["k"]),
        *(value(name, single, cache) for name in cache_names("past", shape.layers)),
    ]
    outputs = [
        value("logits", single, ["k", shape.vocabulary]),
        *(value(name, single, cache) for name in cache_names("present", shape.layers)),
    ]
    return inputs, outputs


class _Products(Enum):
    """How matrices are stored and multiplied."""

    SINGLE = auto()
    BLOCKS = auto()
    """In 8 bits, a scale for each block of `_Draft.block` weights."""
    COLUMNS = auto()
    """In bytes, a scale for each output."""


@dataclass(slots=True)
class _Draft:
    """The graph while it grows."""

    weights: Weights
    products: _Products
    block: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, array: NDArray[np.generic]) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def table(self, name: str) -> str:
        """Add a table of embeddings: stored in half precision beside 8-bit weights, and widened once on loading."""
        if self.products is _Products.SINGLE:
            return self.weight(name)
        half = self.constant(f"{name}.half", self.weights[name].astype(np.float16))
        return self.add("Cast", [half], name, to=TensorProto.FLOAT)

    def add(self, operator: str, inputs: list[str], output: str | list[str], **attributes: int | float) -> str:
        """Add a node of the standard domain and return its first output."""
        return self._add("", operator, inputs, output, attributes)

    def fused(self, operator: str, inputs: list[str], output: str | list[str], **attributes: int | float) -> str:
        """Add a node of ONNX Runtime's own domain and return its first output."""
        return self._add(FUSED_DOMAIN, operator, inputs, output, attributes)

    def _add(
        self, domain: str, operator: str, inputs: list[str], output: str | list[str], attributes: dict[str, int | float]
    ) -> str:
        outputs = [output] if isinstance(output, str) else output
        node = helper.make_node(operator, inputs, outputs, name=outputs[0], domain=domain)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return outputs[0]

    def product(self, source: str, name: str, weight: NDArray[np.float32], output: str, bias: str = "") -> str:
        """Add the product with a matrix (out, in), and a bias where one is named."""
        if self.products is _Products.SINGLE:
            matrix = self.constant(name, weight.T)
            if not bias:
                return self.add("MatMul", [source, matrix], output)
            return self.add("Add", [self.add("MatMul", [source, matrix], f"{output}.product"), bias], output)
        if self.products is _Products.COLUMNS:
            columns, scales = quantise_columns(weight)
            inputs = [source, self.constant(f"{name}.columns", columns), self.constant(f"{name}.scales", scales)]
            return self.fused("DynamicQuantizeMatMul", [*inputs, "", bias] if bias else inputs, output)
        rows, width = weight.shape
        block = block_for(width, self.block)
        codes, scales = quantise(weight, block)
        inputs = [source, self.constant(f"{name}.codes", codes), self.constant(f"{name}.scales", scales.ravel())]
        inputs += ["", "", bias] if bias else []
        sizes = {"K": width, "N": rows, "bits": 8, "block_size": block, "accuracy_level": 4}
        return self.fused("MatMulNBits", inputs, output, **sizes)

    def linear(self, source: str, name: str, output: str) -> str:
        """Add a linear layer of the checkpoint, with its bias."""
        weight = self.weights[f"{name}.weight"].T
        return self.product(source, f"{name}.weight", weight, output, self.weight(f"{name}.bias"))

    def norm(self, name: str) -> list[str]:
        return [self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]


def _embed(draft: _Draft) -> tuple[str, str]:
    """Add tokens' and positions' embeddings and the first normalisation; return (normed, residual stream)."""
    tables = ["tokens", "", draft.table("wte.weight"), draft.table("wpe.weight"), ""]
    inputs = [*tables, *draft.norm("h.0.ln_1"), "", "positions"]
    outputs = ["h.0.ln_1", "", "stream"]
    return draft.fused("EmbedLayerNormalization", inputs, outputs, epsilon=LAYER_NORM_EPSILON), "stream"


def _layer(draft: _Draft, layer: int, normed: str, stream: str) -> tuple[str, str]:
    """Add one layer; return (the next layer's normed input, residual stream)."""
    name = f"h.{layer}"
    after = f"h.{layer + 1}.ln_1" if layer + 1 < draft.weights.shape.layers else "ln_f"
    packed = draft.linear(normed, f"{name}.attn.c_attn", f"{name}.packed")
    past, present = ([f"{when}_{what}_{layer}" for what in ("key", "value")] for when in ("past", "present"))
    heads = draft.weights.shape.heads
    attended = draft.fused(
        "GroupQueryAttention",
        [packed, "", "", *past, "last", "total", "", "", "", "", "sink"],
        [f"{name}.attended", *present],
        num_heads=heads,
        kv_num_heads=heads,
        scale=1.0,
    )
    projected = draft.linear(attended, f"{name}.attn.c_proj", f"{name}.projected")
    normed, stream = _residual(draft, projected, stream, f"{name}.ln_2")
    widened = draft.linear(normed, f"{name}.mlp.c_fc", f"{name}.widened")
    active = draft.fused("FastGelu", [widened], f"{name}.active")
    narrowed = draft.linear(active, f"{name}.mlp.c_proj", f"{name}.narrowed")
    return _residual(draft, narrowed, stream, after)


def _residual(draft: _Draft, branch: str, stream: str, norm: str) -> tuple[str, str]:
    """Add a branch to the residual stream and normalise the sum; return (normed, residual stream)."""
    stream = draft.add("Add", [branch, stream], f"{norm}.stream")
    return draft.add("LayerNormalization", [stream, *draft.norm(norm)], norm, epsilon=LAYER_NORM_EPSILON), stream


def _head(draft: _Draft, normed: str) -> None:
    """Add the tied head for the wanted rows alone."""
    shape = draft.constant("flat", np.array([-1, draft.weights.shape.width], np.int64))
    flat = draft.add("Reshape", [normed, shape], "ln_f.flat")
    wanted = draft.add("Gather", [flat, "rows"], "ln_f.wanted", axis=0)
    draft.product(wanted, "head", draft.weights["wte.weight"], "logits")
