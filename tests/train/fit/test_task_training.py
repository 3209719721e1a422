"""A run on a mixture of tasks: from a checkpoint of plain music, scored by task, and resumed from older states."""

import json
from collections.abc import Callable
from pathlib import Path

import torch

from train.corpus.note_cache import NoteCache
from train.fit.ranks import Ranks
from train.fit.run_state import LOG, STATE
from train.fit.trainer import BEST, Trainer
from train.recipe import Recipe

MIXED = {"weights": {"continue": 1.0, "duet": 1.0, "velocity": 1.0}, "validation_windows": 2}


def fit(recipe: Recipe, cache: NoteCache, folder: Path, initial: Path | None = None) -> Trainer:
    folder.mkdir(exist_ok=True)
    trainer = Trainer(recipe, cache, folder, Ranks.join())
    trainer.setup(initial=initial)
    trainer.fit()
    return trainer


def test_plain_music_first_then_tasks(make_recipe: Callable[..., Recipe], scales: NoteCache, tmp_path: Path) -> None:
    fit(make_recipe(), scales, tmp_path / "plain")
    trainer = fit(make_recipe(tasks=MIXED), scales, tmp_path / "tasks", tmp_path / "plain" / BEST)
    lines = [json.loads(line) for line in (tmp_path / "tasks" / LOG).read_text().splitlines()]
    assert set(lines[-1]["task_bits_per_note"]) == {"continue", "duet", "velocity", "velocity_live"}
    assert trainer.validate_tasks() == lines[-1]["task_bits_per_note"]


def test_a_state_from_before_there_were_tasks_is_taken_up(
    make_recipe: Callable[..., Recipe], scales: NoteCache, tmp_path: Path
) -> None:
    fit(make_recipe(), scales, tmp_path)
    state = torch.load(tmp_path / STATE, weights_only=True)
    recipe = json.loads(state["recipe"])
    del recipe["tasks"]
    torch.save({**state, "recipe": json.dumps(recipe)}, tmp_path / STATE)
    trainer = fit(make_recipe(schedule={"steps": 8}), scales, tmp_path)
    assert trainer.progress.step == 8
