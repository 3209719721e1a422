"""Recipes: what a training run is, as a TOML file checked as a whole before any work."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from piano.errors import ConfigError


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelShape(_Section):
    """The shape of the model; `context` in tokens."""

    layers: int = Field(ge=1, le=48)
    heads: int = Field(ge=1, le=64)
    width: int = Field(ge=16, le=4096)
    context: int = Field(ge=64, le=8192)
    dropout: float = Field(0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "ModelShape":
        if self.width % self.heads:
            raise ValueError(f"a width of {self.width} cannot be shared by {self.heads} heads")
        return self


class Augmentation(_Section):
    """How far a window may be moved: semitones either way, and the log of the largest factor of tempo and velocity."""

    transpose_semitones: int = Field(0, ge=0, le=24)
    tempo: float = Field(0.0, ge=0, le=0.7)
    dynamics: float = Field(0.0, ge=0, le=0.7)


class Corpus(_Section):
    """How much each dataset counts per note; a dataset that is not named is left out, `*` stands for all others."""

    weights: dict[str, float] = Field(default_factory=lambda: {"*": 1.0}, min_length=1)

    @model_validator(mode="after")
    def _weights_are_positive(self) -> "Corpus":
        wrong = [name for name, weight in self.weights.items() if not weight > 0]
        if wrong:
            raise ValueError(f"weights must be above 0; leave a dataset out instead: {', '.join(wrong)}")
        return self


class Optimizer(_Section):
    """AdamW throughout, or Muon for the matrices of the layers and AdamW for the rest."""

    name: Literal["adamw", "muon"] = "adamw"
    learning_rate: float = Field(1.5e-3, gt=0, le=1)
    final_share: float = Field(0.05, ge=0, le=1)
    warmup_steps: int = Field(100, ge=0)
    weight_decay: float = Field(0.1, ge=0, le=1)
    beta_1: float = Field(0.9, ge=0, lt=1)
    beta_2: float = Field(0.95, ge=0, lt=1)
    clip_norm: float = Field(1.0, gt=0)


class Batches(_Section):
    """One step takes `tokens` tokens over all ranks, in `accumulation` parts; the first share of steps in short windows."""

    tokens: int = Field(16384, ge=64)
    accumulation: int = Field(1, ge=1)
    short_window: int = Field(0, ge=0)
    short_share: float = Field(0.0, ge=0, le=1)
    workers: int = Field(1, ge=0, le=64)


class Schedule(_Section):
    """How long to train, how often to validate, and after how many validations without a gain to stop (0: never)."""

    steps: int = Field(ge=1)
    validate_every: int = Field(200, ge=1)
    validation_windows: int = Field(64, ge=1)
    validation_datasets: list[str] = Field(default_factory=list)
    patience: int = Field(0, ge=0)
    save_every: int = Field(100, ge=1)


class Recipe(_Section):
    """A whole training run."""

    name: str = Field(pattern=r"^[\w.-]+$")
    seed: int = Field(0, ge=0)
    precision: Literal["bf16", "fp32"] = "bf16"
    compile: bool = True
    model: ModelShape
    corpus: Corpus = Corpus()
    augmentation: Augmentation = Augmentation()
    optimizer: Optimizer = Optimizer()
    batches: Batches = Batches()
    schedule: Schedule

    @model_validator(mode="after")
    def _windows_fit(self) -> "Recipe":
        faults = []
        for window in self.window_lengths():
            part = window * self.batches.accumulation
            if window > self.model.context:
                faults.append(f"short_window of {window} is longer than the context of {self.model.context}")
            elif self.batches.tokens % part:
                faults.append(f"{self.batches.tokens} tokens a step are not whole windows of {window} in each part")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def window_lengths(self) -> set[int]:
        """Return the window lengths, in tokens, that this run uses."""
        return {self.window_at(0), self.window_at(self.schedule.steps - 1)}

    def window_at(self, step: int) -> int:
        """Return the length of the windows of a step, in tokens."""
        is_short = self.batches.short_window and step < self.batches.short_share * self.schedule.steps
        return self.batches.short_window if is_short else self.model.context

    def weight_of(self, dataset: str) -> float:
        """Return how much a dataset counts per note; 0.0 if it is left out."""
        return self.corpus.weights.get(dataset, self.corpus.weights.get("*", 0.0))


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; ConfigError lists every fault in it at once."""
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text())
    except OSError as fault:
        raise ConfigError(f"{path}: cannot be read ({fault.strerror}); recipes are in configs/") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{path}: not valid TOML ({fault})") from fault
    try:
        return Recipe.model_validate({"name": path.stem, **content})
    except ValidationError as faults:
        lines = [f"  {'.'.join(map(str, fault['loc'])) or 'recipe'}: {fault['msg']}" for fault in faults.errors()]
        raise ConfigError("\n".join([f"{path}: {len(lines)} fault(s)", *lines])) from faults
