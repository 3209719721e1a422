"""What one finished trial came to, as a line of a file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from piano.errors import ConfigError, PianodError
from train.recipe import Recipe
from train.trials.trial_plan import Trial, TrialPlan

RESULTS = "results.jsonl"


@dataclass(frozen=True, slots=True)
class Result:
    """What one trial came to; `flops` of its training; `seconds` of processor time for that, all threads."""

    name: str
    group: str
    seed: int
    bits_per_note: float
    notes: int
    scored_tokens: int
    parameters: int
    tokens: int
    flops: float
    seconds: float
    recipe: dict[str, Any]
    rewriting: str | None
    untied: bool
    sinusoids: bool = False

    def append_to(self, path: Path) -> None:
        """Write the result as the last line of a file."""
        with path.open("a") as lines:
            lines.write(json.dumps(asdict(self)) + "\n")


def load_results(path: Path) -> list[Result]:
    """Read the finished trials; none where there is no such file. PianodError if a line is no result."""
    results = []
    for number, line in enumerate(path.read_text().splitlines() if path.is_file() else [], 1):
        try:
            results.append(Result(**json.loads(line)))
        except (ValueError, TypeError) as fault:
            raise PianodError(
                f"{path}: line {number} is no result ({fault}); delete it, and its trial is run again"
            ) from fault
    return results


def matching(plan: TrialPlan, results: list[Result]) -> tuple[list[Result], list[Trial]]:
    """Return the results of a plan's trials in the plan's order, and the trials that have none.

    ConfigError where a result was got by another recipe; what recipes did not have then was as its default is now.
    """
    found = {(result.name, result.seed): result for result in results}
    finished, waiting = [], []
    for trial in plan.trials():
        result = found.get((trial.variation.name, trial.seed))
        if result is None:
            waiting.append(trial)
            continue
        variation = trial.variation
        asked = (trial.recipe.model_dump(mode="json"), variation.rewriting, variation.untied, variation.sinusoids)
        before = Recipe.model_validate(result.recipe).model_dump(mode="json")
        if (before, result.rewriting, result.untied, result.sinusoids) != asked:
            raise ConfigError(
                f"trial {trial.label} was measured with another recipe: give another --out, "
                f"or delete its line of {RESULTS}"
            )
        finished.append(result)
    return finished, waiting
