"""Growing: the larger model is the same function, and what it has more of can learn something else."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from piano.tokens.vocabulary import VOCABULARY
from train.__main__ import main
from train.model.checkpoint import load_checkpoint, save_checkpoint
from train.model.gpt2 import GPT2
from train.model.grow import deeper, wider


def logits(model: GPT2) -> torch.Tensor:
    torch.manual_seed(11)
    with torch.no_grad():
        found: torch.Tensor = model.eval()(torch.randint(VOCABULARY.size, (2, 48)))
    return found


@pytest.mark.parametrize("layers", [2, 3, 5])
def test_deeper_is_the_same_function_to_the_bit(tiny_model: GPT2, layers: int) -> None:
    grown = deeper(tiny_model, layers)
    assert grown.config.layers == layers
    assert torch.equal(logits(grown), logits(tiny_model))


@pytest.mark.parametrize("times", [1, 2, 3])
def test_wider_is_the_same_function_within_rounding(tiny_model: GPT2, times: int) -> None:
    config = tiny_model.config
    grown = wider(tiny_model, times * config.width)
    assert (grown.config.width, grown.config.heads) == (times * config.width, times * config.heads)
    torch.testing.assert_close(logits(grown), logits(tiny_model), atol=1e-4, rtol=1e-4)


def test_both_are_the_same_function(tiny_model: GPT2, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoint(tmp_path / "small", tiny_model, {"trained_on": []})
    command = ["grow", str(tmp_path / "small"), str(tmp_path / "large"), "--layers", "4", "--width", "32"]
    assert main(command) == 0
    assert "layers = 4, heads = 4, width = 32" in capsys.readouterr().out
    grown, metadata = load_checkpoint(tmp_path / "large")
    torch.testing.assert_close(logits(grown), logits(tiny_model), atol=1e-4, rtol=1e-4)
    assert metadata["grown_from"] == {"layers": 2, "heads": 2, "width": 16}
    assert metadata["trained_on"] == []


def test_copies_are_told_different_things(tiny_model: GPT2) -> None:
    grown = deeper(wider(tiny_model, 32), 4).train()
    tokens = torch.randint(VOCABULARY.size, (2, 48))
    torch.autograd.backward(functional.cross_entropy(grown(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten()))
    for block in list(grown.transformer.h)[::2]:
        gradient = block.mlp.c_fc.weight.grad  # type: ignore[union-attr]
        assert isinstance(gradient, torch.Tensor)
        one, other = gradient.chunk(2)
        assert torch.dist(one, other) > 0.05 * one.norm()
    silent = grown.transformer.h[1].mlp.c_proj.weight.grad  # type: ignore[union-attr]
    assert isinstance(silent, torch.Tensor)
    assert silent.norm() > 0


@pytest.mark.parametrize(
    ("more", "said"), [(["--layers", "1"], "can only grow"), (["--width", "24"], "no whole multiple of 16")]
)
def test_what_cannot_be_kept_is_refused(
    tiny_model: GPT2, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    save_checkpoint(tmp_path / "small", tiny_model, {})
    assert main(["grow", str(tmp_path / "small"), str(tmp_path / "large"), *more]) == 2
    assert said in capsys.readouterr().err
