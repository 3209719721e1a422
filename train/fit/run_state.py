"""What a run keeps to go on after an interruption: weights, optimizers' state, progress and the recipe it followed."""

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch.optim import Optimizer

from piano.errors import CheckpointError
from piano.whole_file import whole_file, write_whole
from train.model.gpt2 import GPT2
from train.recipe import Recipe

STATE = "state.pt"
LOG = "log.jsonl"

_FREE_TO_CHANGE = ("schedule", "compile", "name")


@dataclass(slots=True)
class RunProgress:
    """How far a run is: the next step, the best validation in nats per token, and validations since.

    `long_from` is the step from which on windows are long, once the clock has told. `elapsed_s` is the time that the
    run has taken, over all its parts; `first_step_s` what it was after the first step, which may have been compiled;
    `validation_s` how long the longest validation took, with the saving that follows it. Times are no part of what
    makes two runs equal.
    """

    step: int = 0
    best_nats: float = math.inf
    since_best: int = 0
    long_from: int | None = None
    elapsed_s: float = field(default=0.0, compare=False)
    first_step_s: float = field(default=0.0, compare=False)
    validation_s: float = field(default=0.0, compare=False)


def save_state(folder: Path, recipe: Recipe, progress: RunProgress, model: GPT2, optimizers: list[Optimizer]) -> None:
    """Write the state, whole or not at all."""
    state = {
        "recipe": recipe.model_dump_json(),
        **asdict(progress),
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
    }
    with whole_file(folder / STATE) as partial:
        torch.save(state, partial)


def load_state(folder: Path, recipe: Recipe, model: GPT2, optimizers: list[Optimizer]) -> RunProgress:
    """Put model and optimizers into the saved state; return the progress.

    CheckpointError if the file is damaged, or if its recipe differs in more than the schedule, compilation, the
    name or the number of workers.
    """
    path = folder / STATE
    remedy = "delete it to start anew, or give another --out, with --init to keep the weights of best/"
    try:
        state = torch.load(path, map_location=next(model.parameters()).device, weights_only=True)
        # Read as a recipe, a state from before a section was thought of has that section's defaults.
        before, now = (_compared(of.model_dump(mode="json")) for of in (_recipe_of(state), recipe))
        changed = [key for key in now if before.get(key) != now[key]]
        if not changed:
            model.load_state_dict(state["model"])
            for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
            # A state from before a figure was thought of has that figure's default.
            return RunProgress(**{each.name: state[each.name] for each in fields(RunProgress) if each.name in state})
    except Exception as fault:  # unpickling raises whatever the damage comes to
        raise CheckpointError(f"{path}: damaged; {remedy} ({fault})") from fault
    raise CheckpointError(f"{path}: was made by a recipe with another {', '.join(changed)}; {remedy}")


def trim_log(folder: Path, step: int) -> None:
    """Take what came after a step out of the log, since it will come again."""
    path = folder / LOG
    if path.is_file():
        lines = path.read_text().splitlines(keepends=True)
        write_whole(path, "".join(line for line in lines if json.loads(line)["step"] <= step).encode())


def _recipe_of(state: dict[str, Any]) -> Recipe:
    return Recipe.model_validate_json(state["recipe"])


def _compared(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a recipe that must not change within a run."""
    batches = {key: value for key, value in recipe.get("batches", {}).items() if key != "workers"}
    return {key: value for key, value in {**recipe, "batches": batches}.items() if key not in _FREE_TO_CHANGE}
