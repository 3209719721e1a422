"""What the tables say of trials: means, noise, and the line through sizes."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.cells import unfilled
from tests.support.trials import PLAN, result, write_plan
from train.__main__ import main
from train.trials.trial_plan import load_plan
from train.trials.trial_report import TrialRow, line_of, next_size, noise, rows_of, scaling_table, trials_table
from train.trials.trial_result import RESULTS, Result, load_results

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
    _, _, base, wild = unfilled(trials_table(RESULTS_OF_TWO)).splitlines()
    assert base.startswith("| | base | 20.10 | 0.20 | | 3 | 1,000 | 2,000 | 1 | 2")
    error = noise(RESULTS_OF_TWO) * math.sqrt(1 / 2 + 1 / 3)
    assert f"| 22.30 | 0.60 | +2.20 ± {error:.2f} | 2 |" in wild


def test_a_row_that_is_noisier_than_the_others_says_so() -> None:
    calm = [result(name, seed, 20.0 + 0.1 * seed) for name in ("base", "calm") for seed in (1, 2)]
    wild = [result("wild", 1, 21.0), result("wild", 2, 25.0)]
    error = math.sqrt(8 / 2 + noise([*calm, *wild]) ** 2 / 2)
    assert f"± {error:.2f} |" in unfilled(trials_table([*calm, *wild])).splitlines()[-1]


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
    last = unfilled(scaling_table(with_check)).splitlines()[5]
    assert last == f"| check (check) | 1,000 | 2,000 | 1,000 | 17.00 | {30.0 * 1000**-0.05:.2f} | 1 |"


def test_one_size_is_no_line() -> None:
    row: TrialRow = rows_of(sizes(-0.1))[0]
    with pytest.raises(ValueError, match="two sizes"):
        line_of([row, row])


def test_sizes_are_reported_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = PLAN.replace("seeds = [1, 2]", "seeds = [1]\nscaling = true", 1)
    plan = load_plan(write_plan(tmp_path, content))
    for index, trial in enumerate(plan.trials()):
        made = result(
            trial.variation.name, 1, 20.0 - index, flops=1e9 * 4**index, recipe=trial.recipe.model_dump(mode="json")
        )
        made = replace(made, untied=trial.variation.untied, rewriting=trial.variation.rewriting)
        made.append_to(tmp_path / RESULTS)
    assert main(["trials", str(write_plan(tmp_path, content)), "--out", str(tmp_path), "--report"]) == 0
    text = capsys.readouterr().out.strip()
    assert text == scaling_table(load_results(tmp_path / RESULTS))
    assert "| next | 1,000 | 2,000 | 16 | | 18.05 | |" in unfilled(text)
    assert (tmp_path / "scaling.png").stat().st_size > 5000


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = load_plan(write_plan(tmp_path))
    trial = next(plan.trials())
    made = replace(result("base", 1, 20.0), recipe=json.loads(trial.recipe.model_dump_json()))
    made.append_to(tmp_path / RESULTS)
    assert main(["trials", str(write_plan(tmp_path)), "--out", str(tmp_path), "--report"]) == 0
    assert "6 trials are not finished" in capsys.readouterr().out
