"""Training by the clock: the schedule follows the time, and a run that is told to stop leaves all it has."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.train.fit.test_trainer import ALONE, same_weights
from train.__main__ import main
from train.corpus.note_cache import NoteCache
from train.fit.batches import Batch, training_steps
from train.fit.command import outcome
from train.fit.run_state import LOG, STATE
from train.fit.trainer import BEST, LAST, LONGEST_UNSAVED_S, Trainer
from train.model.checkpoint import load_checkpoint
from train.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
STEP_S, VALIDATION_S = 10.0, 5.0


@dataclass
class Clock:
    """A clock that is moved by hand, in seconds."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Timed(Trainer):
    """A trainer whose steps and validations take a known time, by a clock that is moved by hand."""

    rates: list[float]
    lengths: list[int]
    stop_at: int | None = None

    @staticmethod
    def of(recipe: Recipe, cache: NoteCache, folder: Path) -> "Timed":
        folder.mkdir(exist_ok=True)
        trainer = Timed(recipe, cache, folder, ALONE, Clock())
        trainer.rates, trainer.lengths = [], []
        trainer.setup()
        return trainer

    def step(self, batches: list[Batch]) -> float:
        if self.progress.step + 1 == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        self.rates.append(self.course.learning_rate())
        self.lengths.append(batches[0][0].shape[1])
        loss = super().step(batches)
        self._pass(STEP_S)
        return loss

    def validate(self) -> tuple[float, float]:
        self._pass(VALIDATION_S)
        return super().validate()

    def _pass(self, seconds: float) -> None:
        assert isinstance(self.now_s, Clock)
        self.now_s.now_s += seconds


def timed(make_recipe: MakeRecipe, minutes: float = 4, **changes: dict[str, Any]) -> Recipe:
    changes["schedule"] = {"steps": None, "minutes": minutes, "validations": 2, **changes.get("schedule", {})}
    changes["optimizer"] = {
        "learning_rate": 1e-2,
        "warmup_steps": 2,
        "final_share": 0.1,
        **changes.get("optimizer", {}),
    }
    return make_recipe(**changes)


def test_the_rate_follows_the_time_down_to_its_end(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    trainer = Timed.of(timed(make_recipe), scales, tmp_path)
    progress = trainer.fit()
    assert progress.elapsed_s <= 4 * 60 + STEP_S
    assert progress.step == 23, "240 s are two validations of 5 s and 23 steps of 10 s"
    assert trainer.rates[:2] == [pytest.approx(0.005), pytest.approx(0.01, rel=0.01)]
    assert trainer.rates[1:] == sorted(trainer.rates[1:], reverse=True)
    assert trainer.rates[-1] < 0.0012
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == [12, 23]


def test_a_slow_machine_does_not_warm_up_all_the_time(
    scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    trainer = Timed.of(timed(make_recipe, 10, optimizer={"warmup_steps": 1000}), scales, tmp_path)
    trainer.fit()
    assert max(trainer.rates) > 0.009
    assert trainer.rates.index(max(trainer.rates)) <= 8


@pytest.mark.parametrize("stop_at", [3, 14])
def test_it_goes_on_with_the_time_that_remains(
    scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe, stop_at: int, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = timed(make_recipe, batches={"short_window": 32, "short_share": 0.5})
    whole = Timed.of(recipe, scales, tmp_path / "whole")
    whole.fit()
    first = Timed.of(recipe, scales, tmp_path / "parts")
    first.stop_at = stop_at
    assert first.fit().step == stop_at
    assert f"told to stop: saved at step {stop_at}; the same command goes on" in capsys.readouterr().out
    assert first.interruption.signal == signal.SIGTERM
    assert load_checkpoint(tmp_path / "parts" / LAST)[1]["step"] == stop_at
    second = Timed.of(recipe, scales, tmp_path / "parts")
    assert second.fit() == whole.progress
    assert [*first.rates, *second.rates] == pytest.approx(whole.rates)
    assert [*first.lengths, *second.lengths] == whole.lengths
    assert whole.lengths == sorted(whole.lengths)
    assert set(whole.lengths) == {32, 64}
    assert same_weights(tmp_path / "parts", tmp_path / "whole")


def test_a_run_may_be_given_more_time(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    by_steps = make_recipe(schedule={"steps": 30}, optimizer={"final_share": 0.1})
    done = Timed.of(timed(make_recipe, 1), scales, tmp_path).fit().step
    assert Timed.of(timed(make_recipe, 1), scales, tmp_path).fit().step == done
    assert Timed.of(timed(make_recipe, 2), scales, tmp_path).fit().step > done
    assert Timed.of(by_steps, scales, tmp_path).fit().step == 30


def test_the_windows_stay_a_function_of_the_step(scales: NoteCache, make_recipe: MakeRecipe) -> None:
    by_steps = make_recipe(batches={"short_window": 32, "short_share": 0.5})
    by_time = timed(make_recipe, batches={"short_window": 32, "short_share": 0.5})
    turn: list[int] = []
    steps = training_steps(by_time, scales, ALONE, 0, long_from=lambda: turn[0] if turn else None)
    for step, parts in enumerate(training_steps(by_steps, scales, ALONE, 0)):
        if step == 3:
            turn.append(3)
        assert all(torch.equal(a, b) for a, b in zip(parts[0], next(steps)[0], strict=True))


def test_no_more_than_two_minutes_are_lost(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    recipe = timed(make_recipe, 8, schedule={"save_every": 10_000, "validations": 1})
    trainer = Timed.of(recipe, scales, tmp_path)
    step, kept = trainer.step, []

    def step_and_look(batches: list[Batch]) -> float:
        kept.append(torch.load(tmp_path / STATE)["elapsed_s"] if (tmp_path / STATE).is_file() else 0.0)
        assert trainer.progress.elapsed_s - kept[-1] <= LONGEST_UNSAVED_S + STEP_S
        return step(batches)

    trainer.step = step_and_look  # type: ignore[method-assign]
    trainer.fit()
    assert len(set(kept)) == 4


def test_a_run_that_never_validated_leaves_its_newest(
    scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    trainer = Timed.of(timed(make_recipe), scales, tmp_path)
    trainer.stop_at = 2
    said = outcome(tmp_path, trainer.fit())
    assert said == f"{tmp_path / LAST}: the newest checkpoint, after 2 steps; none was validated yet"
    model, metadata = load_checkpoint(tmp_path / LAST)
    assert metadata["validation_nats_per_token"] is None
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), trainer.model.parameters(), strict=True))
    assert not (tmp_path / BEST).exists()


def test_minutes_take_the_place_of_steps(scales: NoteCache, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scales.save(tmp_path / "notes.cache")
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        'precision = "fp32"\ncompile = false\n[model]\nlayers = 1\nheads = 2\nwidth = 16\ncontext = 64\n'
        "[batches]\ntokens = 128\nworkers = 1\n[schedule]\nsteps = 1000000\nvalidation_windows = 2\n"
    )
    command = ["fit", str(recipe), "--corpus", str(tmp_path), "--out", str(tmp_path / "run"), "--minutes"]
    assert main([*command, "0.01"]) == 0
    assert "0.0 minutes by the clock" in capsys.readouterr().out
    assert (tmp_path / "run" / BEST / "config.json").is_file()
    assert main([*command, "-1"]) == 2
    assert "--minutes must be above 0" in capsys.readouterr().err
