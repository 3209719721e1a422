"""Recipes: those in the repository are right, and the faults of a wrong one come all at once."""

from pathlib import Path

import pytest

from piano.errors import ConfigError
from train.recipe import Recipe, load_recipe

CONFIGS = Path(__file__).parents[2] / "configs"

RIGHT = """
[model]
layers = 2
heads = 2
width = 32
context = 128

[batches]
tokens = 1024

[schedule]
steps = 10
"""


def write(folder: Path, content: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(content)
    return path


def test_a_recipe_takes_its_name_from_the_file(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, RIGHT))
    assert (recipe.name, recipe.model.context, recipe.optimizer.name) == ("mine", 128, "adamw")


def test_the_recipes_in_the_repository_are_right() -> None:
    recipes = [path for path in sorted(CONFIGS.glob("*.toml")) if "[schedule]" in path.read_text()]
    assert recipes
    assert [load_recipe(path).name for path in recipes] == [path.stem for path in recipes]


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    wrong = (
        RIGHT.replace("heads = 2", "heads = 3").replace("tokens = 1024", "tokens = 1000") + "sooner = 1\n"
        '[optimizer]\nname = "sgd"\nlearning_rate = -1\n[corpus.weights]\nasap = 0.0\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_recipe(write(tmp_path, wrong))
    message = str(caught.value)
    for part in ("mine.toml", "width of 32", "schedule.sooner", "optimizer.name", "optimizer.learning_rate", "asap"):
        assert part in message


def test_true_is_no_number(tmp_path: Path) -> None:
    wrong = (
        RIGHT.replace("heads = 2", "heads = true")
        + "[optimizer]\nlearning_rate = true\n[corpus.weights]\nasap = true\n"
    )
    with pytest.raises(ConfigError, match=r"(?s)3 fault\(s\).*model.heads.*weights.asap.*optimizer.learning_rate"):
        load_recipe(write(tmp_path, wrong + "[tasks]\ncues = true\n"))


def test_faults_between_sections_are_reported_beside_those_within(tmp_path: Path) -> None:
    wrong = RIGHT.replace("tokens = 1024", "tokens = 1000") + "[optimizer]\nlearning_rate = -1\n"
    with pytest.raises(ConfigError, match=r"(?s)2 fault\(s\).*learning_rate.*1000 tokens.*windows of 128"):
        load_recipe(write(tmp_path, wrong))


def test_faults_between_sections_are_reported_alone(tmp_path: Path) -> None:
    wrong = RIGHT.replace("tokens = 1024", "tokens = 1000\nshort_window = 256\nshort_share = 0.5")
    with pytest.raises(ConfigError, match=r"1 fault\(s\)\n.*1000 tokens.*; batches.short_window of 256 is longer"):
        load_recipe(write(tmp_path, wrong))


@pytest.mark.parametrize("content", ["not toml", "\xff = 1"])
def test_what_is_no_toml_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"mine\.toml: not valid TOML"):
        load_recipe(path)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read .*configs/"):
        load_recipe(tmp_path / "none.toml")


def test_short_windows_come_first(tmp_path: Path) -> None:
    short = RIGHT.replace("tokens = 1024", "tokens = 1024\nshort_window = 64\nshort_share = 0.35")
    recipe = load_recipe(write(tmp_path, short))
    assert [recipe.window_at(step, recipe.long_from) for step in range(10)] == [64] * 4 + [128] * 6
    assert recipe.window_lengths() == {64, 128}
    by_the_clock = recipe.by_the_clock(3)
    assert (by_the_clock.long_from, by_the_clock.window_lengths()) == (None, {64, 128})
    assert load_recipe(write(tmp_path, short.replace("0.35", "1.0"))).window_lengths() == {64}


@pytest.mark.parametrize("schedule", ["", "steps = 10\nminutes = 2.0", "minutes = 0", "minutes = inf"])
def test_a_run_has_one_length(tmp_path: Path, schedule: str) -> None:
    with pytest.raises(ConfigError, match=r"1 fault\(s\)\n  schedule"):
        load_recipe(write(tmp_path, RIGHT.replace("steps = 10", schedule)))


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("inf"), float("nan")])
def test_minutes_are_above_zero(tmp_path: Path, minutes: float) -> None:
    with pytest.raises(ConfigError, match="--minutes must be above 0"):
        load_recipe(write(tmp_path, RIGHT)).by_the_clock(minutes)


def test_a_dataset_counts_by_name_or_as_one_of_the_others() -> None:
    shape = {"layers": 1, "heads": 1, "width": 16, "context": 64}
    recipe = Recipe.model_validate(
        {"name": "a", "model": shape, "schedule": {"steps": 1}, "corpus": {"weights": {"asap": 0.5, "*": 2.0}}}
    )
    assert (recipe.weight_of("asap"), recipe.weight_of("other")) == (0.5, 2.0)
    named = recipe.model_copy(update={"corpus": type(recipe.corpus)(weights={"asap": 0.5})})
    assert named.weight_of("other") == 0.0
