"""A run that begins with another's weights: it is never worse than they were, says so, and names all their data."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from piano.errors import ConfigError
from train.corpus.note_cache import NoteCache
from train.fit.command import outcome
from train.fit.ranks import Ranks
from train.fit.run_state import LOG
from train.fit.trainer import BEST, Trainer
from train.model.checkpoint import load_checkpoint, save_checkpoint
from train.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
DATA = {"dataset": "rolls", "licence": "CC BY-NC-SA 4.0"}


@pytest.fixture
def start(tmp_path: Path, make_recipe: MakeRecipe, scales: NoteCache) -> Path:
    """Return a checkpoint that was trained on other data."""
    model = Trainer(make_recipe(), scales, tmp_path, Ranks(0, 1)).model
    save_checkpoint(tmp_path / "start", model, {"trained_on": [DATA]})
    return tmp_path / "start"


def trainer_of(recipe: Recipe, cache: NoteCache, folder: Path, start: Path, scores: list[float]) -> Trainer:
    """Return a trainer that is to find these validations."""
    folder.mkdir(exist_ok=True)
    trainer = Trainer(recipe, cache, folder, Ranks(0, 1))
    trainer.setup(initial=start)
    validations = iter(scores)
    trainer.validate = lambda: (found := next(validations), 10 * found)  # type: ignore[method-assign]
    return trainer


def test_it_keeps_the_weights_it_began_with_until_others_are_better(
    start: Path, tmp_path: Path, make_recipe: MakeRecipe, scales: NoteCache
) -> None:
    recipe = make_recipe(schedule={"steps": 9, "validate_every": 1, "validate_start": True, "patience": 2})
    run = tmp_path / "run"
    progress = trainer_of(recipe, scales, run, start, [2.0, 2.5, 2.25]).fit()
    assert (progress.step, progress.best_nats) == (2, 2.0)
    before, after = (load_file(folder / "model.safetensors") for folder in (start, run / BEST))
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert "as it began" in outcome(run, progress)


def test_it_says_what_was_gained(start: Path, tmp_path: Path, make_recipe: MakeRecipe, scales: NoteCache) -> None:
    recipe = make_recipe(schedule={"steps": 2, "validate_every": 1, "validate_start": True})
    run = tmp_path / "run"
    progress = trainer_of(recipe, scales, run, start, [2.0, 1.5, 1.75]).fit()
    assert outcome(run, progress) == f"{run / BEST}: 1.5000 nats a token on validation; 15.00 bits a note, 20.00 before"
    (run / LOG).unlink()
    assert outcome(run, progress) == f"{run / BEST}: 1.5000 nats a token on validation"


def test_the_start_is_validated_once(start: Path, tmp_path: Path, make_recipe: MakeRecipe, scales: NoteCache) -> None:
    recipe = make_recipe(schedule={"steps": 2, "validate_every": 2, "validate_start": True})
    run = tmp_path / "run"
    interrupted = trainer_of(recipe, scales, run, start, [2.0])
    with pytest.raises(StopIteration):
        interrupted.fit()
    trainer_of(recipe, scales, run, start, [1.5]).fit()
    lines = [json.loads(line) for line in (run / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 2]
    assert lines[0]["train_nats"] is None


def test_the_data_of_the_weights_it_began_with_stay_named(
    start: Path, tmp_path: Path, make_recipe: MakeRecipe, scales: NoteCache
) -> None:
    run = tmp_path / "run"
    trainer_of(make_recipe(schedule={"steps": 1}), scales, run, start, [2.0]).fit()
    trainer_of(make_recipe(schedule={"steps": 2}), scales, run, start, [1.0]).fit()
    named = load_checkpoint(run / BEST)[1]["trained_on"]
    assert load_checkpoint(run / BEST)[1]["step"] == 2
    assert [entry["dataset"] for entry in named] == ["maestro-v3.0.0", "pop909", "rolls"]
    assert named[-1] == DATA


def test_what_is_kept_lies_between_the_start_and_what_it_came_to(
    start: Path, tmp_path: Path, make_recipe: MakeRecipe, scales: NoteCache
) -> None:
    ends = []
    for share in (0.0, 0.25):
        recipe = make_recipe(schedule={"steps": 2, "validate_every": 1, "start_share": share})
        run = tmp_path / f"run-{share}"
        trainer_of(recipe, scales, run, start, [2.0, 1.0]).fit()
        ends.append(load_file(run / BEST / "model.safetensors"))
    began = load_file(start / "model.safetensors")
    for name, end in ends[0].items():
        torch.testing.assert_close(ends[1][name], 0.75 * end + 0.25 * began[name])
    assert any(not torch.equal(end, began[name]) for name, end in ends[0].items())


def test_between_needs_weights_to_start_from(tmp_path: Path, make_recipe: MakeRecipe, scales: NoteCache) -> None:
    trainer = Trainer(make_recipe(schedule={"steps": 2, "start_share": 0.5}), scales, tmp_path, Ranks(0, 1))
    with pytest.raises(ConfigError, match="start_share needs weights to start from"):
        trainer.setup()
