"""The command `fit`: trains a recipe from files, and refuses what cannot work before any of it."""

import json
from pathlib import Path

import pytest

from train.__main__ import main
from train.checkpoint import load_checkpoint
from train.corpus import NoteCache

RECIPE = """
precision = "fp32"
compile = false
[model]
layers = 1
heads = 2
width = 16
context = 64
[batches]
tokens = 128
workers = 0
[schedule]
steps = 2
validation_windows = 2
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def corpus(tmp_path: Path, scales: NoteCache) -> Path:
    path = tmp_path / "notes.cache"
    scales.save(path)
    return path


def test_it_trains_into_a_folder_named_after_the_recipe(
    recipe: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(recipe.parent)
    assert main(["fit", str(recipe), "--corpus", str(corpus)]) == 0
    run = recipe.parent / "runs" / "small"
    assert {path.name for path in run.iterdir()} >= {"best", "state.pt", "log.jsonl"}
    said = capsys.readouterr().out
    assert "small: 0.0 M parameters on" in said
    assert f"{Path('runs') / 'small' / 'best'}: " in said
    assert load_checkpoint(run / "best")[1]["recipe"]["name"] == "small"


def test_it_starts_from_the_weights_of_another_run(recipe: Path, corpus: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["fit", str(recipe), "--corpus", str(corpus), "--out", str(first)]) == 0
    fine = ["fit", str(recipe), "--corpus", str(corpus), "--out", str(second), "--init", str(first / "best")]
    assert main(fine) == 0
    before, after = (json.loads((run / "log.jsonl").read_text())["nats"] for run in (first, second))
    assert after < before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("steps = 2", "steps = 0"), "schedule.steps"),
        (("tokens = 128", "tokens = 100"), "100 tokens a step are not whole windows of 64"),
    ],
)
def test_a_wrong_recipe_is_refused(
    recipe: Path, corpus: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], message: str
) -> None:
    recipe.write_text(RECIPE.replace(*change))
    assert main(["fit", str(recipe), "--corpus", str(corpus), "--out", str(recipe.parent / "run")]) == 2
    assert message in capsys.readouterr().err
    assert not (recipe.parent / "run").exists()


def test_a_missing_corpus_is_named(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = recipe.parent / "none.cache"
    assert main(["fit", str(recipe), "--corpus", str(missing), "--out", str(recipe.parent / "run")]) == 2
    assert f"{missing}: there is no note cache" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_named(recipe: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = corpus / "run"
    assert main(["fit", str(recipe), "--corpus", str(corpus), "--out", str(out)]) == 2
    assert f"{out}: cannot be made (Not a directory); choose another --out" in capsys.readouterr().err
