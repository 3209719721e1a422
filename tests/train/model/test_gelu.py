"""GELU in 16 bits: values and gradients as those of 32 bits, within a rounding or two."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from train.model.gelu import gelu_in_16_bits


@settings(deadline=None, max_examples=40)
@given(
    rows=st.sampled_from([1, 255, 256, 257, 700]),
    scale=st.sampled_from([0.01, 1.0, 8.0, 300.0]),
    seed=st.integers(0, 1000),
)
def test_it_is_gelu_within_roundings(rows: int, scale: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = (torch.randn(2, rows, 8, generator=generator) * scale).bfloat16().requires_grad_()
    exact = x.detach().float().requires_grad_()
    incoming = torch.randn(2, rows, 8, generator=generator).bfloat16()
    ours, theirs = gelu_in_16_bits(x), functional.gelu(exact, approximate="tanh")
    torch.testing.assert_close(ours.float(), theirs, rtol=2**-8, atol=1e-6)
    (gradient,) = torch.autograd.grad(ours, x, incoming)
    (expected,) = torch.autograd.grad(theirs, exact, incoming.float())
    torch.testing.assert_close(gradient.float(), expected, rtol=2**-7, atol=1e-4)
