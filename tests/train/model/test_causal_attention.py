"""Attention by blocks of rows is causal attention, in values and in gradients, in both precisions."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from train.model.causal_attention import ATTENTION_BLOCK, causal_attention_by_blocks


@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("compiled", [False, True])
def test_it_is_the_fused_operator_in_values_and_gradients(
    blocks: int, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: compiled)
    ours, theirs, weight = _inputs(blocks, torch.float32)
    mine, fused = causal_attention_by_blocks(*ours), _fused(theirs)
    torch.testing.assert_close(mine, fused)
    torch.autograd.backward((mine * weight).sum())
    torch.autograd.backward((fused * weight).sum())
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-5, rtol=1e-4)


def test_in_half_precision_it_errs_by_no_more_than_a_rounding_or_two() -> None:
    ours, _, weight = _inputs(3, torch.bfloat16)
    truth = [tensor.detach().float().requires_grad_() for tensor in ours]
    mine, true = causal_attention_by_blocks(*ours), _fused(truth)
    torch.autograd.backward((mine.float() * weight.float()).sum())
    torch.autograd.backward((true * weight.float()).sum())
    pairs = [(mine, true)] + [(one.grad, other.grad) for one, other in zip(ours, truth, strict=True)]
    for one, other in pairs:
        assert one is not None
        assert other is not None
        assert (one.float() - other).norm() < 2**-7 * other.norm()  # a value is rounded by up to 2**-9


def test_it_takes_tensors_that_are_views() -> None:
    torch.manual_seed(0)
    packed = torch.randn(2, ATTENTION_BLOCK, 3, 2, 8, requires_grad=True)
    query, key, value = packed.permute(2, 0, 3, 1, 4)
    torch.autograd.backward(causal_attention_by_blocks(query, key, value).transpose(1, 2).square().sum())
    mine = packed.grad
    packed.grad = None
    torch.autograd.backward(_fused([query, key, value]).transpose(1, 2).square().sum())
    assert mine is not None
    torch.testing.assert_close(mine, packed.grad, atol=1e-5, rtol=1e-4)


def _inputs(blocks: int, dtype: torch.dtype) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """Return query, key and value twice, and what the output is weighted with."""
    torch.manual_seed(0)
    shape = (2, 3, blocks * ATTENTION_BLOCK, 8)
    ours = [torch.randn(shape, dtype=dtype, requires_grad=True) for _ in range(3)]
    return ours, [tensor.detach().clone().requires_grad_() for tensor in ours], torch.randn(shape, dtype=dtype)


def _fused(tensors: list[Tensor]) -> Tensor:
    return functional.scaled_dot_product_attention(tensors[0], tensors[1], tensors[2], is_causal=True)
