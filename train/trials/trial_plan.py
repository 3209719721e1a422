"""Trials as a TOML file: one base recipe, and variations of it that are all given the same compute."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from piano.errors import ConfigError
from piano.tokens.vocabulary import VOCABULARY
from train.dataset.rewritings import REWRITINGS
from train.recipe import ModelSection, Recipe

BASE = "base"
"""The name under which the base recipe itself is tried."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Variation(_Section):
    """What one trial does otherwise: keys of the recipe by section, layout of tokens, head, first positions.

    `sinusoids`: the position embeddings start as sinusoids instead of at random; learned they are all the same.
    `tokens`: how many tokens it is trained on, where this is not to follow from equal compute.
    """

    name: str = Field(pattern=r"^[\w.-]+$")
    group: str = ""
    change: dict[str, dict[str, Any]] = Field(default_factory=dict)
    rewriting: str | None = None
    untied: bool = False
    sinusoids: bool = False
    tokens: int | None = Field(None, ge=64)


class TrialPlan(_Section):
    """All trials of a file: `base` is a recipe without a length, `tokens` what the base is trained on."""

    base: dict[str, Any]
    tokens: int = Field(ge=64)
    seeds: list[int] = Field(min_length=1)
    base_seeds: list[int] = Field(default_factory=list)
    excerpts: int = Field(40, ge=1)
    excerpt_notes: int = Field(400, ge=2)
    scaling: bool = False
    variation: list[Variation] = Field(default_factory=list)

    def trials(self) -> Iterator["Trial"]:
        """Yield every trial: the first seed of all, then the second of all, so that a cut leaves a whole table.

        ConfigError names the variation of which the recipe is wrong.
        """
        bases = [] if self.scaling else [Variation(name=BASE)]
        rounds = max(len(self.seeds), len(self.base_seeds) if bases else 0)
        for turn in range(rounds):
            if bases and (seeds := self.base_seeds or self.seeds)[turn:]:
                yield Trial(bases[0], seeds[turn], self.recipe(bases[0], seeds[turn]))
            for variation in self.variation if self.seeds[turn:] else []:
                yield Trial(variation, self.seeds[turn], self.recipe(variation, self.seeds[turn]))

    def recipe(self, variation: Variation, seed: int) -> Recipe:
        """Return the recipe of a variation, as long as equal compute allows."""
        content = {**self.base, "name": variation.name, "seed": seed}
        for section, keys in variation.change.items():
            content[section] = {**content.get(section, {}), **keys}
        try:
            steps = self._steps(variation, content)
            ends = {"steps": steps, "validate_every": steps, "save_every": steps}
            content["schedule"] = {**content.get("schedule", {}), **ends}
            return Recipe.model_validate(content)
        except (ValidationError, TypeError) as fault:
            raise ConfigError(f"variation {variation.name}: its recipe is wrong: {fault}") from fault

    def _steps(self, variation: Variation, content: dict[str, Any]) -> int:
        """Return how many steps are equal tokens or, where layers or width change, equal floating-point operations."""
        tokens = float(variation.tokens or self.tokens)
        if variation.tokens is None and {"layers", "width"} & set(variation.change.get("model", {})):
            before, now = (ModelSection.model_validate(of["model"]) for of in (self.base, content))
            tokens *= flops_per_token(before) / flops_per_token(now)
        batch = Recipe.model_validate({**content, "schedule": {"steps": 1}}).batches.tokens
        return max(1, round(tokens / batch))


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: a variation with one seed, and the whole recipe that comes of it."""

    variation: Variation
    seed: int
    recipe: Recipe

    @property
    def label(self) -> str:
        """Return a name that no other trial of the plan has."""
        return f"{self.variation.name}-{self.seed}"

    @property
    def tokens(self) -> int:
        """Return how many tokens it is trained on."""
        return (self.recipe.schedule.steps or 0) * self.recipe.batches.tokens


def flops_per_token(shape: ModelSection) -> float:
    """Return the floating-point operations of training on a token: six for each weight of a matrix that multiplies.

    Counted are the layers, the head, and attention at half the context (Kaplan et al. 2020, with causal attention).
    """
    layers = 12 * shape.layers * shape.width**2 + shape.layers * shape.width * shape.context
    return 6.0 * (layers + VOCABULARY.size * shape.width)


def load_plan(path: Path) -> TrialPlan:
    """Read a file of trials and check every recipe in it; ConfigError names what is wrong."""
    try:
        plan = TrialPlan.model_validate(tomllib.loads(path.read_text()))
    except OSError as fault:
        raise ConfigError(f"{path}: cannot be read ({fault.strerror}); trials are in configs/") from fault
    except ValidationError as faults:
        lines = [f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults.errors()]
        raise ConfigError("\n".join([f"{path}: {len(lines)} fault(s)", *lines])) from faults
    except (ValueError, RecursionError) as fault:  # beside TOMLDecodeError: not UTF-8, nested too deeply
        raise ConfigError(f"{path}: not valid TOML ({fault})") from fault
    labels = [trial.label for trial in plan.trials()]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise ConfigError(f"{path}: each trial needs a name and a seed of its own: {', '.join(twice)}")
    for variation in plan.variation:
        if variation.rewriting and variation.rewriting not in REWRITINGS:
            known = ", ".join(REWRITINGS)
            raise ConfigError(
                f"{path}: variation {variation.name}: no rewriting {variation.rewriting!r}; there are: {known}"
            )
    return plan
