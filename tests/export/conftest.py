"""The small model's weights and its portable graph, which takes torch.onnx seconds to make."""

from typing import TYPE_CHECKING

import pytest

from export.portable import build_portable
from export.weights import Weights, weights_of

if TYPE_CHECKING:
    import onnx

    from train.model.gpt2 import GPT2


@pytest.fixture(scope="session")
def weights(tiny_model: "GPT2") -> Weights:
    """The weights of the tiny model."""
    return weights_of(tiny_model)


@pytest.fixture(scope="session")
def portable(weights: Weights) -> "onnx.ModelProto":
    """The portable graph of the tiny model."""
    return build_portable(weights)
