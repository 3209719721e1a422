"""The trainer: it learns, it resumes to the bit, it keeps the best, it stops, and two processes are as good as one."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

from piano.errors import CheckpointError, ConfigError, CorpusError
from piano.tokens.vocabulary import VOCABULARY
from train.corpus.note_cache import NoteCache
from train.dataset.windows import IGNORED
from train.fit.batches import training_steps, windows_before
from train.fit.ranks import Ranks
from train.fit.run_state import LOG, STATE, RunProgress
from train.fit.trainer import BEST, Trainer
from train.model.checkpoint import load_checkpoint
from train.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
ALONE = Ranks(0, 1)


def trainer_of(recipe: Recipe, cache: NoteCache, folder: Path) -> Trainer:
    folder.mkdir(exist_ok=True)
    trainer = Trainer(recipe, cache, folder, ALONE)
    trainer.setup()
    return trainer


def train(recipe: Recipe, cache: NoteCache, folder: Path) -> RunProgress:
    return trainer_of(recipe, cache, folder).fit()


def log(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in ("at", "elapsed_s")} for line in lines]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(folder / STATE, weights_only=True)["model"]
    return found


def same_weights(one: Path, other: Path) -> bool:
    a, b = weights(one), weights(other)
    return all(torch.equal(a[name], b[name]) for name in a)


def test_it_learns_a_scale(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(
        augmentation={"transpose_semitones": 0, "tempo": 0.0, "dynamics": 0.0},
        optimizer={"name": "muon", "learning_rate": 2e-2},
        batches={"tokens": 512},
        schedule={"steps": 60, "validate_every": 30},
    )
    train(recipe, scales, tmp_path / "run")
    first, last = (line["nats"] for line in log(tmp_path / "run"))
    assert last < first
    assert last < 0.4 * math.log(VOCABULARY.size)


@pytest.mark.parametrize("change", [{}, {"model": {"dropout": 0.2}}, {"optimizer": {"name": "muon"}}])
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe, change: dict[str, dict[str, object]]
) -> None:
    recipe = make_recipe(**change, batches={"short_window": 32, "short_share": 0.5, "accumulation": 2})
    whole = train(recipe, scales, tmp_path / "whole")
    interrupted = trainer_of(recipe, scales, tmp_path / "parts")
    step, interrupted_at = interrupted.step, 5

    def step_until_the_power_fails(batches: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]) -> float:
        if interrupted.progress.step == interrupted_at:
            raise KeyboardInterrupt
        return step(batches)

    interrupted.step = step_until_the_power_fails  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        interrupted.fit()
    resumed = train(recipe, scales, tmp_path / "parts")
    assert resumed == whole
    assert log(tmp_path / "parts") == log(tmp_path / "whole")
    assert same_weights(tmp_path / "parts", tmp_path / "whole")


def test_what_the_log_says_after_the_saved_step_is_said_again(
    scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    recipe = make_recipe(schedule={"steps": 4, "validate_every": 1, "save_every": 2})
    train(recipe, scales, tmp_path)
    expected = log(tmp_path)
    with (tmp_path / LOG).open("a") as lines:
        lines.write(json.dumps({"step": 5, "nats": 0.0}) + "\n")
    assert trainer_of(recipe, scales, tmp_path).progress.step == 4
    assert log(tmp_path) == expected


def test_a_finished_run_is_left_as_it_is(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    progress = train(make_recipe(), scales, tmp_path)
    before = (tmp_path / STATE).read_bytes()
    assert train(make_recipe(), scales, tmp_path) == progress
    assert (tmp_path / STATE).read_bytes() == before


def test_the_best_checkpoint_is_kept(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    trainer = trainer_of(make_recipe(schedule={"validate_every": 1}), scales, tmp_path)
    validations = iter([3.0, 2.0, 4.0, 5.0, 2.5, 6.0])
    trainer.validate = lambda: (next(validations), 20.0)  # type: ignore[method-assign]
    assert trainer.fit().best_nats == 2.0
    _, metadata = load_checkpoint(tmp_path / BEST)
    assert (metadata["step"], metadata["validation_nats_per_token"]) == (2, 2.0)
    assert metadata["tokens_seen"] == 512
    assert metadata["trained_on"] == [
        {"dataset": "maestro-v3.0.0", "licence": "MIT"},
        {"dataset": "pop909", "licence": "MIT"},
    ]


def test_it_stops_when_patience_runs_out_and_stays_stopped(
    scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    recipe = make_recipe(schedule={"steps": 50, "validate_every": 1, "patience": 2})
    trainer = trainer_of(recipe, scales, tmp_path)
    validations = iter([3.0, 2.0, 4.0, 5.0])
    trainer.validate = lambda: (next(validations), 20.0)  # type: ignore[method-assign]
    assert trainer.fit().step == 4
    assert train(recipe, scales, tmp_path).step == 4


def test_event_files_are_written(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    train(make_recipe(), scales, tmp_path)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [event.step for event in events.Scalars("train/nats_per_token")] == [1, 2, 3, 4, 5, 6]
    recorded = [event.value for event in events.Scalars("validation/bits_per_note")]
    assert recorded == pytest.approx([line["bits_per_note"] for line in log(tmp_path)])


def test_validation_is_the_mean_over_its_tokens(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    trainer = trainer_of(make_recipe(schedule={"validation_windows": 3}), scales, tmp_path)
    nats, bits = trainer.validate()
    total, tokens = 0.0, 0
    for inputs, targets, positions in trainer.validation:
        logits = trainer.model(inputs, positions).detach().flatten(0, 1)
        total += float(torch.nn.functional.cross_entropy(logits, targets.flatten(), reduction="sum"))
        tokens += int((targets != IGNORED).sum())
    assert nats == pytest.approx(total / tokens)
    assert bits > nats
    assert trainer.model.training


def test_workers_change_nothing(scales: NoteCache, make_recipe: MakeRecipe) -> None:
    recipes = [make_recipe(batches={"workers": workers}) for workers in (0, 1)]
    batches = [[parts for step in training_steps(recipe, scales, ALONE, 3) for parts in step] for recipe in recipes]
    assert len(batches[0]) == 3
    for one, other in zip(*batches, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_ranks_share_the_windows_of_one_process(scales: NoteCache, make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(batches={"short_window": 32, "short_share": 0.5, "accumulation": 2})
    alone = list(training_steps(recipe, scales, ALONE, 0))
    shared = [list(training_steps(recipe, scales, Ranks(rank, 2), 0)) for rank in range(2)]
    for step, parts in enumerate(alone):
        whole = {tuple(row) for tokens, _, _ in parts for row in tokens.tolist()}
        halves = [{tuple(row) for tokens, _, _ in rank[step] for row in tokens.tolist()} for rank in shared]
        assert halves[0] | halves[1] == whole
        assert not halves[0] & halves[1]


def test_two_processes_take_the_same_steps_as_one(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(batches={"accumulation": 2}, schedule={"steps": 3, "validation_windows": 3})
    train(recipe, scales, tmp_path / "one")
    scales.save(tmp_path / "notes.cache")
    (tmp_path / "recipe.json").write_text(recipe.model_dump_json())
    (tmp_path / "two").mkdir()
    script = Path(__file__).with_name("fit_in_ranks.py")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    ran = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    (one,), (two,) = log(tmp_path / "one"), log(tmp_path / "two")
    assert two == {key: pytest.approx(value, rel=1e-5) for key, value in one.items()}
    mine, theirs = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name in mine:
        torch.testing.assert_close(mine[name], theirs[name], atol=2e-5, rtol=1e-3)


def test_a_step_that_ranks_cannot_share_is_refused(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    with pytest.raises(ConfigError, match=r"256 tokens a step are not whole windows of 64 for 3 processes.*192"):
        Trainer(make_recipe(), scales, tmp_path, Ranks(0, 3))


def test_a_run_of_another_recipe_is_not_taken_up(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    train(make_recipe(), scales, tmp_path)
    with pytest.raises(CheckpointError, match=r"recipe with another augmentation; .*--out"):
        trainer_of(make_recipe(augmentation={"tempo": 0.2}), scales, tmp_path)
    longer = make_recipe(schedule={"steps": 7}, batches={"workers": 1})
    assert trainer_of(longer, scales, tmp_path).progress.step == 6


@pytest.mark.parametrize("content", [b"", b"damaged", b"PK\x03\x04"])
def test_a_damaged_state_is_named(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe, content: bytes) -> None:
    (tmp_path / STATE).write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{STATE}: damaged; delete it"):
        trainer_of(make_recipe(), scales, tmp_path)


def test_fine_tuning_starts_from_the_given_weights(scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe) -> None:
    train(make_recipe(), scales, tmp_path)
    tuned = Trainer(make_recipe(), scales, tmp_path / "tuned", ALONE)
    tuned.setup(initial=tmp_path / BEST)
    model, _ = load_checkpoint(tmp_path / BEST)
    assert tuned.progress.step == 0
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), tuned.model.parameters(), strict=True))
    wider = Trainer(make_recipe(model={"width": 32}), scales, tmp_path / "wider", ALONE)
    with pytest.raises(CheckpointError, match="the recipe asks for"):
        wider.setup(initial=tmp_path / BEST)


def test_a_corpus_without_the_datasets_of_the_recipe_is_refused(
    scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    with pytest.raises(CorpusError, match=r"it holds maestro-v3.0.0, pop909"):
        Trainer(make_recipe(corpus={"weights": {"asap": 1.0}}), scales, tmp_path, ALONE)


def test_a_loss_that_is_no_number_stops_the_run_before_it_is_saved(
    scales: NoteCache, tmp_path: Path, make_recipe: MakeRecipe
) -> None:
    trainer = trainer_of(make_recipe(), scales, tmp_path)
    with torch.no_grad():
        trainer.model.transformer.wte.weight.fill_(math.nan)
    with pytest.raises(ConfigError, match=r"loss became nan at step 0; lower optimizer.learning_rate"):
        trainer.fit()
    assert not (tmp_path / STATE).exists()


def test_windows_of_one_length_come_one_after_the_other(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(batches={"short_window": 32, "short_share": 0.5}, schedule={"steps": 9})
    assert recipe.long_from == 5
    assert [windows_before(recipe, step, 5) for step in range(9)] == [0, 8, 16, 24, 32, 40, 44, 48, 52]
    assert [windows_before(recipe, step, None) for step in range(4)] == [0, 8, 16, 24]
    assert [windows_before(make_recipe(), step, 0) for step in range(3)] == [0, 4, 8]
