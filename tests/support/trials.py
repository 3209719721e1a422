"""What the tests of trials share: a plan that runs in a second, and results that nobody measured."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.train.conftest import TINY
from train.trials.trial_plan import TrialPlan, Variation
from train.trials.trial_result import Result

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


def write_plan(folder: Path, content: str = PLAN) -> Path:
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
