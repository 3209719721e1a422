"""The plan of trials: equal compute, the order in which they run, and what is wrong in a file."""

from pathlib import Path

import pytest

from piano.errors import ConfigError
from piano.tokens.vocabulary import VOCABULARY
from tests.support.trials import PLAN, plan_of, write_plan
from tests.train.conftest import TINY
from train.model.gpt2 import GPT2, GPT2Config
from train.recipe import ModelSection
from train.trials.trial_plan import Variation, flops_per_token, load_plan

CONFIGS = Path(__file__).parents[3] / "configs"


def test_the_first_seed_of_all_comes_before_the_second_of_any(tmp_path: Path) -> None:
    labels = [trial.label for trial in load_plan(write_plan(tmp_path)).trials()]
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
    shape = ModelSection.model_validate({**TINY, "layers": 3})
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
        load_plan(write_plan(tmp_path, PLAN.replace(before, after, 1)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        load_plan(tmp_path / "none.toml")
