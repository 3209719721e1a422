"""Trials: equal compute, the same music for all, nothing twice, and what the table says of them."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from piano.encoding import encode
from piano.errors import ConfigError, PianodError
from piano.vocabulary import VOCABULARY, Kind
from tests.train.conftest import TINY
from train.__main__ import main
from train.batches import Batch
from train.corpus import NoteCache
from train.gpt2 import GPT2, GPT2Config
from train.recipe import ModelShape
from train.rewritings import REWRITINGS
from train.trial_plan import Trial, TrialPlan, Variation, flops_per_token, load_plan
from train.trial_report import Row, line_of, next_size, noise, rows_of, scaling_table, table
from train.trial_result import RESULTS, Result, load_results, matching
from train.trial_run import TrialTrainer, UntiedGPT2, excerpts, measure, score, sinusoids

CONFIGS = Path(__file__).parents[2] / "configs"

PLAN = """
tokens = 512
seeds = [1, 2]
base_seeds = [1, 2, 3]
excerpts = 3
excerpt_notes = 30

[base]
precision = "fp32"
compile = false
[base.model]
layers = 1
heads = 2
width = 16
context = 64
[base.optimizer]
learning_rate = 1e-2
warmup_steps = 2
[base.batches]
tokens = 128
workers = 0

[[variation]]
name = "untied"
group = "head"
untied = true

[[variation]]
name = "time-split"
group = "tokens"
rewriting = "time-split"
"""


def write(folder: Path, content: str = PLAN) -> Path:
    path = folder / "trials.toml"
    path.write_text(content)
    return path


def plan_of(*variations: Variation, **changes: Any) -> TrialPlan:
    base = {
        "precision": "fp32",
        "compile": False,
        "model": TINY,
        "batches": {"tokens": 128, "workers": 0},
        "optimizer": {"learning_rate": 1e-2, "warmup_steps": 2},
    }
    content = {"base": base, "tokens": 512, "seeds": [1], "excerpts": 3, "excerpt_notes": 30}
    return TrialPlan.model_validate({**content, **changes, "variation": list(variations)})


def result(name: str, seed: int, bits: float, **changes: Any) -> Result:
    made = Result(name, "", seed, bits, 100, 500, 1000, 2000, 1e9, 1.5, {}, None, False)
    return replace(made, **changes)


# -- the plan --------------------------------------------------------------------------------------------------------


def test_the_first_seed_of_all_comes_before_the_second_of_any(tmp_path: Path) -> None:
    labels = [trial.label for trial in load_plan(write(tmp_path)).trials()]
    assert labels == ["base-1", "untied-1", "time-split-1", "base-2", "untied-2", "time-split-2", "base-3"]


def test_equal_compute_is_equal_tokens_at_equal_shape() -> None:
    plan = plan_of(
        Variation(name="rate", change={"optimizer": {"learning_rate": 0.1}}),
        Variation(name="batch", change={"batches": {"tokens": 256}}),
        Variation(name="context", change={"model": {"context": 128}}),
    )
    assert {trial.tokens for trial in plan.trials()} == {512}
    assert [trial.recipe.schedule.steps for trial in plan.trials()] == [4, 4, 2, 4]


def test_equal_compute_is_equal_operations_where_the_shape_differs() -> None:
    plan = plan_of(Variation(name="deep", change={"model": {"layers": 6}}), tokens=128_000)
    base, deep = plan.trials()
    spent = [flops_per_token(trial.recipe.model) * trial.tokens for trial in (base, deep)]
    assert deep.tokens < base.tokens
    assert spent[1] == pytest.approx(spent[0], rel=0.01)


def test_operations_are_six_for_each_weight_that_multiplies() -> None:
    shape = ModelShape.model_validate({**TINY, "layers": 3})
    model = GPT2(GPT2Config(VOCABULARY.size, 64, 3, 2, 16))
    matrices = sum(p.numel() for name, p in model.named_parameters() if p.ndim == 2 and "wpe" not in name)
    attention = 6 * 3 * 16 * 64  # scores and mix: two products of 2 operations, half the context, three passes
    assert flops_per_token(shape) == 6 * matrices + attention


def test_a_size_may_say_its_own_number_of_tokens() -> None:
    plan = plan_of(Variation(name="4x32", tokens=1280, change={"model": {"width": 32}}), scaling=True)
    (trial,) = plan.trials()
    assert (trial.label, trial.tokens) == ("4x32-1", 1280)


@pytest.mark.parametrize("name", ["trials.toml", "trials-scaling.toml"])
def test_the_trials_in_the_repository_are_right(name: str) -> None:
    plan = load_plan(CONFIGS / name)
    trials = list(plan.trials())
    assert all(trial.tokens >= 64 for trial in trials)
    if not plan.scaling:
        spent = [
            trial.tokens * flops_per_token(trial.recipe.model) for trial in trials if trial.recipe.model.context == 512
        ]
        assert max(spent) < 1.02 * min(spent)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            'rewriting = "time-split"',
            'rewriting = "morse"',
            "time-split: no rewriting 'morse'; there are: velocity-first",
        ),
        ('name = "untied"', 'name = "time-split"', "time-split-1, time-split-2"),
        ("untied = true", "change.model.heads = 3", "variation untied: its recipe is wrong.*shared by 3 heads"),
        ("untied = true", "change.model.width = 8", "variation untied: its recipe is wrong"),
        ("untied = true", "change.music.good = true", "variation untied"),
        ("seeds = [1, 2]", "seeds = []", r"1 fault\(s\)\n  seeds"),
        ("tokens = 512", "tokens =", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(before: str, after: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        load_plan(write(tmp_path, PLAN.replace(before, after, 1)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        load_plan(tmp_path / "none.toml")


# -- running ---------------------------------------------------------------------------------------------------------


def corpus(cache: NoteCache, folder: Path) -> Path:
    cache.save(folder / "notes.cache")
    return folder


def test_trials_are_run_once_and_reported(
    random_notes: NoteCache, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = PLAN.replace("seeds = [1, 2]\nbase_seeds = [1, 2, 3]", "seeds = [1]\nbase_seeds = [1, 2]")
    trials = write(tmp_path, content)
    arguments = ["trials", str(trials), "--out", str(tmp_path / "out")]
    with_corpus = [*arguments, "--corpus", str(corpus(random_notes, tmp_path))]
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
    assert text.strip() == table(results) == (path.parent / "report.md").read_text().strip()


def test_an_interrupted_trial_goes_on(random_notes: NoteCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of()
    (trial,) = plan.trials()
    trial = replace(trial, recipe=trial.recipe.model_copy(update={"schedule": _saved_each_step(trial)}))
    whole = measure(trial, plan, random_notes, tmp_path / "whole")
    steps_from, begun_at = TrialTrainer.steps_from, []

    def until_the_power_fails(self: TrialTrainer, first: int) -> Iterator[list[Batch]]:
        begun_at.append(first)
        for step, batches in enumerate(steps_from(self, first), first):
            if step == 2 and not first:
                raise KeyboardInterrupt
            yield batches

    monkeypatch.setattr(TrialTrainer, "steps_from", until_the_power_fails)
    with pytest.raises(KeyboardInterrupt):
        measure(trial, plan, random_notes, tmp_path / "parts")
    assert measure(trial, plan, random_notes, tmp_path / "parts").bits_per_note == whole.bits_per_note
    assert begun_at == [0, 2]


def _saved_each_step(trial: Trial) -> Any:
    return trial.recipe.schedule.model_copy(update={"save_every": 1})


def test_a_result_of_another_recipe_is_not_taken(random_notes: NoteCache, tmp_path: Path) -> None:
    plan = plan_of()
    (trial,) = plan.trials()
    found = measure(trial, plan, random_notes, tmp_path / "base-1")
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
    assert main(["trials", str(write(tmp_path)), "--out", str(tmp_path / "out"), *extra]) == 2
    assert message in capsys.readouterr().err


def test_every_trial_hears_the_same_excerpts(random_notes: NoteCache) -> None:
    plan = plan_of(Variation(name="longer", change={"model": {"context": 128}}))
    one, other = (excerpts(trial.recipe, random_notes, 5, 30) for trial in plan.trials())
    assert len(one) == 5
    for (performance, origin_s), (again, again_s) in zip(one, other, strict=True):
        assert performance.notes.size == 30
        assert origin_s == again_s == performance.notes["onset_s"][0]
        np.testing.assert_array_equal(performance.notes, again.notes)
        assert not performance.pedals.size or performance.pedals["time_s"].min() >= origin_s


class OneNat:
    """A scorer to which every token costs one nat."""

    def nats(self, events: Any) -> Any:
        return np.ones(events.size)


@pytest.mark.parametrize("name", [None, *REWRITINGS])
def test_bits_per_note_are_of_all_tokens_in_their_layout(name: str | None, random_notes: NoteCache) -> None:
    (trial,) = plan_of().trials()
    music = excerpts(trial.recipe, random_notes, 4, 30)
    rewriting = REWRITINGS[name] if name else None
    found = score(OneNat(), music, rewriting)
    assert found.notes == 120
    assert found.bits_per_note == pytest.approx(found.tokens / 120 / math.log(2))
    if name == "time-split":
        assert found.tokens > score(OneNat(), music, None).tokens
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


# -- the report ------------------------------------------------------------------------------------------------------

RESULTS_OF_TWO = [
    result("base", 1, 20.0),
    result("wild", 1, 22.0, group="how"),
    result("base", 2, 20.2),
    result("wild", 2, 22.6, group="how"),
    result("base", 3, 20.1, seconds=4.5),
]


def test_rows_are_means_over_seeds() -> None:
    base, wild = rows_of(RESULTS_OF_TWO)
    assert (base.name, base.seeds, wild.group) == ("base", 3, "how")
    assert (base.bits, base.seconds, wild.spread) == pytest.approx((20.1, 2.5, 0.6))


def test_noise_is_that_of_the_typical_row() -> None:
    wild = [result("wild", seed, bits) for seed, bits in ((1, 20.0), (2, 90.0))]
    calm = [result(f"calm-{row}", seed, 20.0 + 0.2 * seed) for row in range(4) for seed in (1, 2)]
    assert noise([*calm, *wild]) == pytest.approx(noise(calm)) == pytest.approx(math.sqrt(0.02 / (7 / 9) ** 3))
    assert math.isnan(noise(RESULTS_OF_TWO[:2]))
    rng = np.random.default_rng(1)
    many = [result(f"row-{row}", seed, rng.normal(20, 0.5)) for row in range(800) for seed in range(3)]
    assert noise(many) == pytest.approx(0.5, rel=0.05)


def test_the_table_gives_differences_and_their_standard_error() -> None:
    _, _, base, wild = table(RESULTS_OF_TWO).splitlines()
    assert base.startswith("|  | base | 20.10 | 0.20 |  | 3 | 1,000 | 2,000 | 1 | 2")
    error = noise(RESULTS_OF_TWO) * math.sqrt(1 / 2 + 1 / 3)
    assert f"| 22.30 | 0.60 | +2.20 ± {error:.2f} | 2 |" in wild


def test_a_row_that_is_noisier_than_the_others_says_so() -> None:
    calm = [result(name, seed, 20.0 + 0.1 * seed) for name in ("base", "calm") for seed in (1, 2)]
    wild = [result("wild", 1, 21.0), result("wild", 2, 25.0)]
    error = math.sqrt(8 / 2 + noise([*calm, *wild]) ** 2 / 2)
    assert f"± {error:.2f} |" in table([*calm, *wild]).splitlines()[-1]


def sizes(exponent: float) -> list[Result]:
    return [
        result(
            f"s{size}", 1, 30.0 * (size**2) ** exponent, parameters=size * 1000, tokens=size * 2000, flops=size**2 * 1e9
        )
        for size in (1, 3, 9)
    ]


def test_the_line_is_found_and_goes_on() -> None:
    rows = rows_of(sizes(-0.05))
    line = line_of(rows)
    assert line.exponent == pytest.approx(-0.05)
    assert line.at(1e9) == pytest.approx(30.0)
    assert line.residual < 1e-9
    following = next_size(rows)
    assert following.parameters == pytest.approx(27_000)
    assert following.flops == pytest.approx(27**2 * 1e9)
    assert following.bits == pytest.approx(30.0 * 27**-0.1)


def test_a_check_is_not_in_the_line() -> None:
    check = result("check", 1, 17.0, group="check", flops=1e12)
    with_check = [check, *sizes(-0.05)]
    assert line_of(rows_of(with_check)) == line_of(rows_of(sizes(-0.05)))
    assert next_size(rows_of(with_check)) == next_size(rows_of(sizes(-0.05)))
    last = scaling_table(with_check).splitlines()[5]
    assert last == f"| check (check) | 1,000 | 2,000 | 1,000 | 17.00 | {30.0 * 1000**-0.05:.2f} | 1 |"


def test_one_size_is_no_line() -> None:
    row: Row = rows_of(sizes(-0.1))[0]
    with pytest.raises(ValueError, match="two sizes"):
        line_of([row, row])


def test_sizes_are_reported_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = PLAN.replace("seeds = [1, 2]", "seeds = [1]\nscaling = true", 1)
    plan = load_plan(write(tmp_path, content))
    for index, trial in enumerate(plan.trials()):
        made = result(
            trial.variation.name, 1, 20.0 - index, flops=1e9 * 4**index, recipe=trial.recipe.model_dump(mode="json")
        )
        made = replace(made, untied=trial.variation.untied, rewriting=trial.variation.rewriting)
        made.append_to(tmp_path / RESULTS)
    assert main(["trials", str(write(tmp_path, content)), "--out", str(tmp_path), "--report"]) == 0
    text = capsys.readouterr().out.strip()
    assert text == scaling_table(load_results(tmp_path / RESULTS))
    assert "| next | 1,000 | 2,000 | 16 | | 18.05 | |" in text
    assert (tmp_path / "scaling.png").stat().st_size > 5000


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = load_plan(write(tmp_path))
    trial = next(plan.trials())
    made = replace(result("base", 1, 20.0), recipe=json.loads(trial.recipe.model_dump_json()))
    made.append_to(tmp_path / RESULTS)
    assert main(["trials", str(write(tmp_path)), "--out", str(tmp_path), "--report"]) == 0
    assert "6 trials are not finished" in capsys.readouterr().out
