"""The cost of tokens: the same sum and the same gradients as cross-entropy over all positions."""

import pytest
import torch
from torch.nn import functional

from train.dataset.windows import IGNORED
from train.model.gpt2 import GPT2
from train.model.token_cost import summed_cost

WINDOWS, LENGTH = 3, 64


def targets_with_gaps(vocab: int, share_ignored: float) -> torch.Tensor:
    torch.manual_seed(7)
    targets = torch.randint(vocab, (WINDOWS * LENGTH,))
    targets[torch.rand(targets.shape) < share_ignored] = IGNORED
    return targets


@pytest.mark.parametrize("share_ignored", [0.0, 0.4, 1.0])
def test_it_is_cross_entropy(tiny_model: GPT2, share_ignored: float) -> None:
    vocab = tiny_model.config.vocab_size
    tokens, targets = torch.randint(vocab, (WINDOWS, LENGTH)), targets_with_gaps(vocab, share_ignored)
    expected = functional.cross_entropy(tiny_model(tokens).flatten(0, 1), targets, reduction="sum")
    theirs = torch.autograd.grad(expected * 0.25, list(tiny_model.parameters()))
    rows = torch.nonzero(targets != IGNORED).flatten()
    found = tiny_model(tokens, None, (rows, targets[rows]))
    ours = torch.autograd.grad(found * 0.25, list(tiny_model.parameters()))
    torch.testing.assert_close(found, expected)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(tiny_model(tokens, None, (rows, targets[rows])), expected)


def test_in_16_bits_it_is_cross_entropy_within_their_rounding() -> None:
    torch.manual_seed(1)
    hidden, head = torch.randn(1200, 32, requires_grad=True), torch.randn(200, 32, requires_grad=True)
    targets = torch.randint(200, (1200,))
    with torch.autocast("cpu", torch.bfloat16):
        logits = functional.linear(hidden, head)
        found = summed_cost(hidden, head, torch.arange(1200), targets)
    expected = functional.cross_entropy(logits.float(), targets, reduction="sum")
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0.0)
    exact = functional.cross_entropy(functional.linear(hidden, head), targets, reduction="sum")
    pairs = [torch.autograd.grad(cost, [hidden, head]) for cost in (found, expected, exact)]
    for ours, theirs, right in zip(*pairs, strict=True):
        assert torch.dist(ours, right) < 1.1 * torch.dist(theirs, right)
