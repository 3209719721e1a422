"""Trials as they run: the same music for all, nothing twice, and what they are measured by."""

import math
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from piano.errors import ConfigError, PianodError
from piano.tokens.encoding import encode
from piano.tokens.vocabulary import VOCABULARY, Kind
from tests.support.trials import PLAN, plan_of, result, write_plan
from tests.train.conftest import TINY
from train.__main__ import main
from train.corpus.note_cache import NoteCache
from train.dataset.rewritings import REWRITINGS
from train.fit.batches import Batch
from train.model.gpt2 import GPT2
from train.predictors.scoring import Costs
from train.trials.trial_plan import Trial, Variation, load_plan
from train.trials.trial_report import trials_table
from train.trials.trial_result import RESULTS, load_results, matching
from train.trials.trial_run import TrialTrainer, UntiedGPT2, measure_trial, score_trial, sinusoids, trial_excerpts


def test_trials_are_run_once_and_reported(
    random_notes: NoteCache, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = PLAN.replace("seeds = [1, 2]\nbase_seeds = [1, 2, 3]", "seeds = [1]\nbase_seeds = [1, 2]")
    trials = write_plan(tmp_path, content)
    arguments = ["trials", str(trials), "--out", str(tmp_path / "out")]
    random_notes.save(tmp_path / "notes.cache")
    with_corpus = [*arguments, "--corpus", str(tmp_path)]
    assert main(with_corpus) == 0
    path = tmp_path / "out" / RESULTS
    first = path.read_text()
    results = load_results(path)
    assert [f"{found.name}-{found.seed}" for found in results] == [trial.label for trial in load_plan(trials).trials()]
    assert {found.notes for found in results} == {90}
    assert [other.name for other in path.parent.iterdir()] == [RESULTS], "nothing else is kept"
    # A line that is gone is run again, and alone.
    path.write_text("".join(first.splitlines(keepends=True)[:-1]))
    assert main(with_corpus) == 0
    again = load_results(path)
    assert [replace(found, seconds=0) for found in again] == [replace(found, seconds=0) for found in results]
    assert path.read_text().splitlines()[:-1] == first.splitlines()[:-1]
    capsys.readouterr()
    assert main([*arguments, "--report"]) == 0
    text = capsys.readouterr().out
    assert text.strip() == trials_table(results) == (path.parent / "report.md").read_text().strip()


def test_an_interrupted_trial_goes_on(random_notes: NoteCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of()
    (trial,) = plan.trials()
    trial = replace(trial, recipe=trial.recipe.model_copy(update={"schedule": _saved_each_step(trial)}))
    whole = measure_trial(trial, plan, random_notes, tmp_path / "whole")
    steps_from, begun_at = TrialTrainer.steps_from, []

    def until_the_power_fails(self: TrialTrainer, first: int) -> Iterator[list[Batch]]:
        begun_at.append(first)
        for step, batches in enumerate(steps_from(self, first), first):
            if step == 2 and not first:
                raise KeyboardInterrupt
            yield batches

    monkeypatch.setattr(TrialTrainer, "steps_from", until_the_power_fails)
    with pytest.raises(KeyboardInterrupt):
        measure_trial(trial, plan, random_notes, tmp_path / "parts")
    assert measure_trial(trial, plan, random_notes, tmp_path / "parts").bits_per_note == whole.bits_per_note
    assert begun_at == [0, 2]


def test_a_trial_that_is_told_to_stop_has_no_result(
    random_notes: NoteCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of()
    (trial,) = plan.trials()
    whole = measure_trial(trial, plan, random_notes, tmp_path / "whole")
    steps_from = TrialTrainer.steps_from

    def until_told(self: TrialTrainer, first: int) -> Iterator[list[Batch]]:
        for step, batches in enumerate(steps_from(self, first), first):
            if step == 1 and not first:
                os.kill(os.getpid(), signal.SIGTERM)
            yield batches

    monkeypatch.setattr(TrialTrainer, "steps_from", until_told)
    with pytest.raises(SystemExit) as left:
        measure_trial(trial, plan, random_notes, tmp_path / "parts")
    assert left.value.code == 128 + signal.SIGTERM
    assert measure_trial(trial, plan, random_notes, tmp_path / "parts").bits_per_note == whole.bits_per_note


def _saved_each_step(trial: Trial) -> Any:
    return trial.recipe.schedule.model_copy(update={"save_every": 1})


def test_a_result_of_another_recipe_is_not_taken(random_notes: NoteCache, tmp_path: Path) -> None:
    plan = plan_of()
    (trial,) = plan.trials()
    found = measure_trial(trial, plan, random_notes, tmp_path / "base-1")
    assert matching(plan, [found]) == ([found], [])
    assert matching(plan, []) == ([], [trial])
    for other in (
        replace(found, untied=True),
        replace(found, rewriting="time-split"),
        replace(found, sinusoids=True),
        replace(found, recipe={**found.recipe, "precision": "bf16"}),
    ):
        with pytest.raises(ConfigError, match="base-1 was measured with another recipe"):
            matching(plan, [other])


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    result("base", 1, 20.0).append_to(tmp_path / RESULTS)
    with (tmp_path / RESULTS).open("a") as lines:
        lines.write('{"name": "ba')
    with pytest.raises(PianodError, match="line 2 is no result"):
        load_results(tmp_path / RESULTS)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ([], "--corpus CACHE is needed"),
        (["--report"], "too few finished trials"),
        (["--threads", "0"], "it is 1 or more"),
    ],
)
def test_arguments_that_do_not_do(
    extra: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trials", str(write_plan(tmp_path)), "--out", str(tmp_path / "out"), *extra]) == 2
    assert message in capsys.readouterr().err


def test_every_trial_hears_the_same_excerpts(random_notes: NoteCache) -> None:
    plan = plan_of(Variation(name="longer", change={"model": {"context": 128}}))
    one, other = (trial_excerpts(trial.recipe, random_notes, 5, 30) for trial in plan.trials())
    assert len(one) == 5
    for (performance, origin_s), (again, again_s) in zip(one, other, strict=True):
        assert performance.notes.size == 30
        assert origin_s == again_s == performance.notes["onset_s"][0]
        np.testing.assert_array_equal(performance.notes, again.notes)
        assert not performance.pedals.size or performance.pedals["time_s"].min() >= origin_s


class OneNat:
    """A scorer to which every token costs one nat."""

    def costs(self, events: Any) -> Costs:
        return Costs(np.ones(events.size))


@pytest.mark.parametrize("name", [None, *REWRITINGS])
def test_bits_per_note_are_of_all_tokens_in_their_layout(name: str | None, random_notes: NoteCache) -> None:
    (trial,) = plan_of().trials()
    music = trial_excerpts(trial.recipe, random_notes, 4, 30)
    rewriting = REWRITINGS[name] if name else None
    found = score_trial(OneNat(), music, rewriting)
    assert found.notes == 120
    assert found.bits_per_note == pytest.approx(found.tokens / 120 / math.log(2))
    if name == "time-split":
        assert found.tokens > score_trial(OneNat(), music, None).tokens
    if name is None:
        events = encode(music[0][0], origin_s=music[0][1])
        assert (VOCABULARY.kinds[events] == Kind.ON).sum() == 30


def test_an_untied_head_is_learned(random_notes: NoteCache, tmp_path: Path) -> None:
    (_, trial) = plan_of(Variation(name="untied", untied=True)).trials()
    (tmp_path / "run").mkdir()
    trainer = TrialTrainer(trial, random_notes, tmp_path / "run")
    assert isinstance(trainer.model, UntiedGPT2)
    before = trainer.model.head.weight.clone()
    tied = GPT2(trainer.model.config).parameter_count()
    assert trainer.model.parameter_count() == tied + VOCABULARY.size * TINY["width"]
    trainer.setup()
    trainer.fit()
    assert not torch.equal(before, trainer.model.head.weight)


def test_positions_may_start_as_sinusoids(random_notes: NoteCache, tmp_path: Path) -> None:
    _, trial = plan_of(Variation(name="waves", sinusoids=True, change={"model": {"context": 128}})).trials()
    weight = TrialTrainer(trial, random_notes, tmp_path).model.transformer.wpe.weight
    assert weight.requires_grad
    weight = weight.detach()
    torch.testing.assert_close(weight, sinusoids(128, 16))
    assert float(weight.square().mean().sqrt()) == pytest.approx(0.02)
    # What stands a number of places apart is alike wherever it stands, as no random start is.
    apart = [float(weight[at] @ weight[at + 5]) for at in (0, 40, 100)]
    assert apart == pytest.approx([apart[0]] * 3, rel=1e-4)


def test_an_odd_width_has_sinusoids_too() -> None:
    assert sinusoids(7, 5).shape == (7, 5)
