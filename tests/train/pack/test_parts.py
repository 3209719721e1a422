"""A checkpoint cut into parts comes back as it was, and parts that are not of one checkpoint are refused."""

from pathlib import Path

import pytest
import torch

from piano.errors import CheckpointError
from train.__main__ import main
from train.model.checkpoint import load_checkpoint, save_checkpoint
from train.model.gpt2 import GPT2
from train.pack import parts
from train.pack.parts import LIST, check_size, join_parts, write_parts


@pytest.fixture
def cut(tmp_path: Path, tiny_model: GPT2, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkpoint in several parts."""
    monkeypatch.setattr(parts, "PART_BYTES", 40_000)
    save_checkpoint(tmp_path / "model", tiny_model, {"step": 5, "validation_bits_per_note": None}, torch.float16)
    write_parts(tmp_path / "model", tmp_path / "parts", tmp_path / "staging")
    return tmp_path / "parts"


def test_the_parts_are_the_checkpoint(cut: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = [path.stat().st_size for path in sorted(cut.glob("weights.*"))]
    assert len(sizes) > 1
    assert max(sizes) == 40_000
    assert list((tmp_path / "staging").iterdir()) == []
    assert main(["join", str(cut), str(tmp_path / "joined")]) == 0
    assert "step 5, never validated" in capsys.readouterr().out
    before, after = (load_checkpoint(tmp_path / name)[0].state_dict() for name in ("model", "joined"))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_newer_parts_take_the_place_of_older_ones(cut: Path, tmp_path: Path, tiny_model: GPT2) -> None:
    with torch.no_grad():
        tiny_model.transformer.ln_f.bias.fill_(0.5)
    save_checkpoint(tmp_path / "newer", tiny_model, {"step": 6}, torch.float16)
    names = sorted(path.name for path in cut.iterdir())
    write_parts(tmp_path / "newer", cut, tmp_path / "staging")
    assert sorted(path.name for path in cut.iterdir()) == names
    join_parts(cut, tmp_path / "joined")
    assert load_checkpoint(tmp_path / "joined")[1]["step"] == 6


@pytest.mark.parametrize("fault", ["cut", "missing", "list"])
def test_parts_that_are_not_whole_are_refused(cut: Path, tmp_path: Path, fault: str) -> None:
    first = cut / "weights.00"
    if fault == "cut":
        first.write_bytes(first.read_bytes()[:-1] + b"x")
    elif fault == "missing":
        first.unlink()
    else:
        (cut / LIST).write_text("[]")
    with pytest.raises(CheckpointError, match=r"damaged, or of another moment|bring it back again|not the list"):
        join_parts(cut, tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


def test_a_model_too_large_for_the_parts_is_refused_at_once() -> None:
    check_size(26_000_000)
    with pytest.raises(CheckpointError, match="more than 6"):
        check_size(60_000_000)
