"""Look through an ONNX file, as bytes, for what a bundle must not hold: other files, and strange operators.

A weight of an ONNX model may live in an external file whose path the model names. A bundle from a stranger could name
any file of the machine, so such references are refused altogether. The player's install has no `onnx` package; this
walks the few protobuf fields that matter, as onnx.proto numbers them, and nothing is executed or copied.

An operator can do harm by itself: loop for ever, allocate without end, call a function, name a file. Of all that there
are the exporter writes some thirty; a graph with any other is refused, and so are graphs within graphs and functions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5

_DEEPEST = 24
"""Nested control flow of a GPT-2: none. Deeper than this is an attack on the stack."""

_MOST_FIELDS = 2_000_000
"""The fields that are looked at: a large GPT-2 has a few thousand nodes. More would take minutes."""

_CHILDREN = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""Message → field number → the message it holds, along the paths that can reach a tensor."""

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_GRAPH = 7
_OP_TYPE = 4

_DOMAIN = 7

OPERATORS = frozenset(
    [
        *("Add", "Cast", "Concat", "Constant", "Div", "Expand", "Gather", "GatherND", "Gelu", "Greater", "Identity"),
        *("LayerNormalization", "MatMul", "Mul", "Reshape", "ScatterElements", "Shape", "Slice", "Softmax", "Squeeze"),
        *("Sub", "Transpose", "Unsqueeze", "Where"),
    ]
)
"""What the exporter writes of the standard operators: the portable graph's, and the fused one's."""

FUSED_DOMAIN = "com.microsoft"
FUSED_OPERATORS = frozenset(
    ("DynamicQuantizeMatMul", "EmbedLayerNormalization", "FastGelu", "GroupQueryAttention", "MatMulNBits")
)
"""What the exporter writes of ONNX Runtime's own."""

_OF_DOMAIN = {"": OPERATORS, "ai.onnx": OPERATORS, FUSED_DOMAIN: FUSED_OPERATORS}


class OnnxDamageError(ValueError):
    """Bytes that are no ONNX model; the message says why."""


def has_external_data(model: bytes) -> bool:
    """Return whether anything refers to another file; OnnxDamageError if the bytes are no ONNX model with a graph."""
    view = memoryview(model)
    left = _Allowance(_MOST_FIELDS)
    if not any(number == 7 for number, _ in _fields(view, left)):
        raise OnnxDamageError("it holds no graph")
    return _refers(view, "model", 0, left)


@dataclass(slots=True)
class _Allowance:
    """How many fields may still be looked at."""

    fields: int

    def take_one(self) -> None:
        self.fields -= 1
        if self.fields < 0:
            raise OnnxDamageError(f"it has more than {_MOST_FIELDS:,} fields")


def _refers(view: memoryview, message: str, depth: int, left: _Allowance) -> bool:
    if depth > _DEEPEST:
        raise OnnxDamageError("its graphs are nested too deeply")
    children = _CHILDREN[message]
    if message == "node":
        _check_operator(view, left)
    for number, value in _fields(view, left):
        if message == "model" and number in children and number != _GRAPH:
            raise OnnxDamageError(f"it has a {children[number]} beside its graph, which no model of ours needs")
        if message == "attribute" and children.get(number) == "graph":
            raise OnnxDamageError("it has a graph within a graph, which no model of ours needs")
        if message == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)):
            return True
        if number in children and isinstance(value, memoryview) and _refers(value, children[number], depth + 1, left):
            return True
    return False


def _check_operator(node: memoryview, left: _Allowance) -> None:
    """OnnxDamageError unless a node is an operator that the exporter writes.

    Where a field stands twice the last counts, as in every parser.
    """
    operator, domain = b"", b""
    for number, value in _fields(node, left):
        if number in (_OP_TYPE, _DOMAIN) and not isinstance(value, memoryview):
            raise OnnxDamageError("it has an operator without a name")
        if number == _OP_TYPE:
            operator = bytes(value)
        elif number == _DOMAIN:
            domain = bytes(value)
    name, where = operator[:60].decode("utf-8", "replace"), domain[:60].decode("utf-8", "replace")
    if name not in _OF_DOMAIN.get(where, ()):
        shown = f"{where}.{name}" if where else name
        raise OnnxDamageError(f"it has the operator {shown!r}, which no model of ours needs")


def _fields(view: memoryview, left: _Allowance) -> Iterator[tuple[int, memoryview | int]]:
    """Yield each field's number with its value: an integer, or the bytes of a string or message."""
    at = 0
    while at < len(view):
        left.take_one()
        key, at = _varint(view, at)
        if key >> 32:  # a parser that drops these bits would read another number than we do
            raise OnnxDamageError("it has a field whose number is too large")
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(view, at)
            yield number, value
            continue
        if wire == _LENGTH:
            size, at = _varint(view, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise OnnxDamageError(f"it has a field of the unknown wire type {wire}")
        if size > len(view) - at:
            raise OnnxDamageError("it ends in the middle of a field")
        yield number, view[at : at + size]
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(view):
            raise OnnxDamageError("it ends in the middle of a number")
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise OnnxDamageError("it has a number of more than 64 bits")
