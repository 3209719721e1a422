"""Checkpoints: read back as written, read by Hugging Face as they are, refused with a reason where they are damaged."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPT2LMHeadModel

from piano.errors import CheckpointError
from piano.tokens.vocabulary import VOCABULARY
from train.__main__ import main
from train.model.checkpoint import CONFIG, WEIGHTS, load_checkpoint, save_checkpoint
from train.model.gpt2 import GPT2


@pytest.fixture
def checkpoint(tmp_path: Path, tiny_model: GPT2) -> Path:
    save_checkpoint(tmp_path / "model", tiny_model, {"licence": "MIT"})
    return tmp_path / "model"


def change_config(folder: Path, **changes: object) -> None:
    description = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**description, **changes}))


def test_a_checkpoint_comes_back_as_it_was(checkpoint: Path, tiny_model: GPT2) -> None:
    model, metadata = load_checkpoint(checkpoint)
    assert model.config == tiny_model.config
    assert metadata == {"vocabulary": VOCABULARY.fingerprint, "licence": "MIT"}
    for name, tensor in tiny_model.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name]), name
    assert sorted(path.name for path in checkpoint.iterdir()) == [CONFIG, WEIGHTS]


def test_hugging_face_loads_it_and_gives_the_same_logits(checkpoint: Path, tiny_model: GPT2) -> None:
    loaded: Any = GPT2LMHeadModel.from_pretrained(checkpoint, output_loading_info=True)
    theirs, report = loaded
    assert not any(report[part] for part in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    tokens = torch.randint(VOCABULARY.size, (3, 64))
    with torch.no_grad():
        torch.testing.assert_close(tiny_model(tokens), theirs.eval()(tokens).logits, atol=1e-4, rtol=1e-4)


def test_a_checkpoint_of_16_bits_is_half_as_large_and_nearly_the_same(
    checkpoint: Path, tmp_path: Path, tiny_model: GPT2, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small"
    assert main(["shrink", str(checkpoint), str(small)]) == 0
    assert f"{small}: 0.0 MB" in capsys.readouterr().out
    assert (small / WEIGHTS).stat().st_size < 0.6 * (checkpoint / WEIGHTS).stat().st_size
    model, metadata = load_checkpoint(small)
    assert metadata == load_checkpoint(checkpoint)[1]
    for name, tensor in tiny_model.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], tensor, rtol=2**-11, atol=1e-7)
    assert main(["shrink", str(checkpoint), str(checkpoint)]) == 2
    assert "choose another folder" in capsys.readouterr().err


def test_weights_that_16_bits_cannot_hold_are_refused(tmp_path: Path, tiny_model: GPT2) -> None:
    with torch.no_grad():
        tiny_model.transformer.wte.weight[3, 4] = 1e6
    with pytest.raises(CheckpointError, match=r"not written: transformer.wte.weight holds"):
        save_checkpoint(tmp_path / "model", tiny_model, {}, torch.float16)
    assert not (tmp_path / "model" / WEIGHTS).exists()


@pytest.mark.parametrize("missing", [CONFIG, WEIGHTS])
def test_a_missing_file_is_named(checkpoint: Path, missing: str) -> None:
    (checkpoint / missing).unlink()
    with pytest.raises(CheckpointError, match=f"no {missing} here"):
        load_checkpoint(checkpoint)


def test_a_foreign_vocabulary_is_refused_with_a_way_out(checkpoint: Path) -> None:
    change_config(checkpoint, pianod={"vocabulary": "0123456789abcdef"})
    with pytest.raises(CheckpointError, match=r"vocabulary 0123456789abcdef.*train it again"):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize("content", ["{", "[]", '"text"', "\xff", "[" * 100_000, '{"pianod": 1}', "{}"])
def test_a_configuration_that_is_no_json_object_is_refused(checkpoint: Path, content: str) -> None:
    (checkpoint / CONFIG).write_bytes(content.encode("latin-1"))
    with pytest.raises(CheckpointError, match=CONFIG):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize("change", [{"n_embd": None}, {"n_embd": "wide"}, {"n_head": 3}])
def test_an_impossible_shape_is_refused(checkpoint: Path, change: dict[str, object]) -> None:
    change_config(checkpoint, **change)
    with pytest.raises(CheckpointError, match=CONFIG):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize("change", [{"n_embd": 32}, {"n_layer": 3}])
def test_weights_of_another_shape_are_refused(checkpoint: Path, change: dict[str, object]) -> None:
    change_config(checkpoint, **change)
    with pytest.raises(CheckpointError, match=f"{WEIGHTS}: damaged, or not of the shape"):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize("change", [{"n_embd": 2 * 10**6}, {"n_layer": 10**9}, {"n_positions": 10**12}])
def test_no_memory_is_taken_for_more_than_the_file_can_hold(checkpoint: Path, change: dict[str, object]) -> None:
    change_config(checkpoint, **change)
    with pytest.raises(CheckpointError, match=r"not of the shape .* at least"):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize("kept_bytes", [0, 7, 1000])
def test_cut_off_weights_are_refused(checkpoint: Path, kept_bytes: int) -> None:
    path = checkpoint / WEIGHTS
    path.write_bytes(path.read_bytes()[:kept_bytes])
    with pytest.raises(CheckpointError, match=f"{WEIGHTS}: damaged"):
        load_checkpoint(checkpoint)
