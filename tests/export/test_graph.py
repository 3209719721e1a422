"""The fused and the portable graph against PyTorch and Hugging Face, and in batches."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from numpy.typing import NDArray
from transformers import GPT2LMHeadModel

from export.graph import build_graph
from export.verify import torch_logits
from export.weights import Weights, weights_of, weights_of_state
from inference.manifest import ModelShape, cache_names
from piano.errors import CheckpointError
from piano.tokens.vocabulary import VOCABULARY
from train.model.checkpoint import save_checkpoint
from train.model.gpt2 import GPT2, GPT2Config

EXACT = 2e-4
"""Of logits in single precision, whose size is about 10."""


class Machine:
    """A graph with its caches, run directly, for rows of any length."""

    def __init__(self, model: Any, shape: ModelShape, batch: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        self.shape, self.batch = shape, batch
        pairs = zip(cache_names("past", shape.layers), cache_names("present", shape.layers), strict=True)
        size = (batch, *shape.cache_shape[1:])
        self.caches = {pair: ort.OrtValue.ortvalue_from_numpy(np.zeros(size, np.float32)) for pair in pairs}

    def run(self, tokens: NDArray[Any], past: list[int], rows: list[int]) -> NDArray[np.float32]:
        """Feed tokens (batch, n) after `past` tokens of each row; return the logits of the wanted rows."""
        start = np.array(past, np.int32)
        count = tokens.shape[1]
        inputs = {
            "tokens": tokens.astype(np.int32),
            "positions": start[:, None] + np.arange(count, dtype=np.int32),
            "last": start + np.int32(count - 1),
            "total": np.array([start.max() + count], np.int32),
            "rows": np.array(rows, np.int64),
        }
        binding = self.session.io_binding()
        binding.bind_output("logits")
        for name in {entry.name for entry in self.session.get_inputs()} & inputs.keys():
            binding.bind_cpu_input(name, np.ascontiguousarray(inputs[name]))
        for (past_name, present_name), cache in self.caches.items():
            binding.bind_ortvalue_input(past_name, cache)
            binding.bind_ortvalue_output(present_name, cache)
        self.session.run_with_iobinding(binding)
        logits: NDArray[np.float32] = binding.get_outputs()[0].numpy()
        return logits


def random_tokens(*size: int, seed: int = 0) -> NDArray[np.int32]:
    return np.random.default_rng(seed).integers(0, VOCABULARY.size, size).astype(np.int32)


def test_hugging_face_torch_and_both_graphs_give_the_same_logits(
    tiny_model: GPT2, weights: Weights, portable: Any, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path, tiny_model, {})
    theirs = GPT2LMHeadModel.from_pretrained(tmp_path)
    tokens = random_tokens(1, 40)
    with torch.inference_mode():
        wanted = theirs(torch.from_numpy(tokens.astype(np.int64))).logits[0].numpy()
    assert np.abs(wanted).max() > 3
    np.testing.assert_allclose(torch_logits(tiny_model, tokens[0]), wanted, atol=EXACT)
    for model in (build_graph(weights, precision="fp32"), portable):
        machine = Machine(model, weights.shape)
        np.testing.assert_allclose(machine.run(tokens, [0], list(range(40))), wanted, atol=EXACT)


def test_weights_are_read_from_hugging_faces_state_too(tiny_model: GPT2, weights: Weights, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, tiny_model, {})
    state = GPT2LMHeadModel.from_pretrained(tmp_path).state_dict()
    theirs = weights_of_state(state, heads=2)
    assert theirs.shape == weights.shape
    assert all(np.array_equal(theirs[name], weights[name]) for name in weights.tensors)


def test_the_portable_graph_takes_chunks_and_detours(tiny_model: GPT2, weights: Weights, portable: Any) -> None:
    tokens = random_tokens(1, 30, seed=1)
    wanted = torch_logits(tiny_model, tokens[0])
    machine = Machine(portable, weights.shape)
    machine.run(random_tokens(1, 50, seed=2), [0], [49])
    np.testing.assert_allclose(machine.run(tokens[:, :9], [0], [8])[0], wanted[8], atol=EXACT)
    machine.run(random_tokens(1, 20, seed=3), [9], [19])
    for place in range(9, 30):
        np.testing.assert_allclose(
            machine.run(tokens[:, place : place + 1], [place], [0])[0], wanted[place], atol=EXACT
        )


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_rows_of_a_batch_may_have_different_lengths(tiny_model: GPT2, weights: Weights, precision: str) -> None:
    lengths = [5, 11, 8]
    rows = [random_tokens(20, seed=seed) for seed in range(3)]
    padded = np.stack([row[:11] for row in rows])
    together = Machine(build_graph(weights, precision=precision), weights.shape, batch=3)
    flat_last = [row * 11 + length - 1 for row, length in enumerate(lengths)]
    first = together.run(padded, [0, 0, 0], flat_last)
    steps = [np.array([row[length]]) for row, length in zip(rows, lengths, strict=True)]
    second = together.run(np.stack(steps), lengths, [0, 1, 2])
    tolerance = EXACT if precision == "fp32" else 2.0
    for index, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        wanted = torch_logits(tiny_model, row[: length + 1])
        np.testing.assert_allclose(first[index], wanted[length - 1], atol=tolerance)
        np.testing.assert_allclose(second[index], wanted[length], atol=tolerance)


@pytest.mark.parametrize(("heads", "width"), [(4, 160), (5, 40), (1, 24)])
def test_widths_that_no_block_divides_are_padded(heads: int, width: int) -> None:
    torch.manual_seed(3)
    model = GPT2(GPT2Config(VOCABULARY.size, 16, layers=1, heads=heads, width=width)).eval()
    weights = weights_of(model)
    tokens = random_tokens(1, 16)
    found = Machine(build_graph(weights), weights.shape).run(tokens, [0], list(range(16)))
    wanted = torch_logits(model, tokens[0])
    assert np.abs(found - wanted).max() < 0.05 * np.abs(wanted).max()


def test_a_checkpoint_that_cannot_be_exported_is_refused(tiny_model: GPT2) -> None:
    state: Mapping[str, torch.Tensor] = tiny_model.state_dict()
    with pytest.raises(CheckpointError, match=r"c_attn\.weight is \(144, 48\) instead of \(48, 144\)"):
        weights_of_state(state, heads=2)
    with pytest.raises(CheckpointError, match="no matrix"):
        weights_of_state({}, heads=2)
    narrow = GPT2(GPT2Config(VOCABULARY.size, 16, layers=1, heads=4, width=16))
    with pytest.raises(CheckpointError, match="heads of a width that is a multiple of 8, not 4"):
        build_graph(weights_of(narrow))
    with pytest.raises(ValueError, match="int8 or fp32, not 'fp8'"):
        build_graph(weights_of(tiny_model), precision="fp8")
