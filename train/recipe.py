"""Recipes: what a training run is, as a TOML file checked as a whole before any work."""

import math
import tomllib
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictFloat,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from piano.errors import ConfigError
from piano.tokens.vocabulary import FILL_TASKS, REPAIR_TASKS, TASKS


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_switch(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where a number is wanted: they would count as 1 and 0."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and bool not in (annotation, *get_args(annotation)):
            raise ValueError("must not be true or false")
        return value


class ModelSection(_Section):
    """The shape of the model; `context` in tokens."""

    layers: int = Field(ge=1, le=48)
    heads: int = Field(ge=1, le=64)
    width: int = Field(ge=16, le=4096)
    context: int = Field(ge=64, le=8192)
    dropout: float = Field(0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "ModelSection":
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

    weights: dict[str, StrictFloat] = Field(default_factory=lambda: {"*": 1.0}, min_length=1)

    @model_validator(mode="after")
    def _weights_are_positive(self) -> "Corpus":
        wrong = [name for name, weight in self.weights.items() if not weight > 0]
        if wrong:
            raise ValueError(f"weights must be above 0; leave a dataset out instead: {', '.join(wrong)}")
        return self


class Optimizer(_Section):
    """AdamW throughout, or Muon for the matrices of the layers and AdamW for the rest.

    `position_share` of the learning rate goes to the position embeddings, each of which is seen once a window.
    """

    name: Literal["adamw", "muon"] = "adamw"
    learning_rate: float = Field(1.5e-3, gt=0, le=1)
    position_share: float = Field(1.0, gt=0, le=1)
    final_share: float = Field(0.05, ge=0, le=1)
    warmup_steps: int = Field(100, ge=0)
    weight_decay: float = Field(0.1, ge=0, le=1)
    beta_1: float = Field(0.9, ge=0, lt=1)
    beta_2: float = Field(0.95, ge=0, lt=1)
    clip_norm: float = Field(1.0, gt=0)


class Batches(_Section):
    """One step takes `tokens` tokens over all ranks, in `accumulation` parts; the first steps in short windows."""

    tokens: int = Field(16384, ge=64)
    accumulation: int = Field(1, ge=1)
    short_window: int = Field(0, ge=0)
    short_share: float = Field(0.0, ge=0, le=1)
    workers: int = Field(1, ge=0, le=64)


class Tasks(_Section):
    """How often each task comes in training; `fill` and `repair` stand for those of their kind not named themselves.

    Only weights that are given count. `cues`: part of the windows show beats, chords and the ending, and some reach to
    the end of the piece. `validation_windows` is how many windows of each task are scored.
    """

    weights: dict[str, float] = Field(default_factory=lambda: {"continue": 1.0}, min_length=1)
    preview_share: float = Field(0.7, ge=0, le=1)
    cues: bool = False
    validation_windows: int = Field(4, ge=1)

    @model_validator(mode="after")
    def _weights_have_names(self) -> "Tasks":
        unknown = [name for name in self.weights if name not in (*TASKS, *_GROUPS)]
        if unknown:
            known = ", ".join((*_GROUPS, *TASKS))
            raise ValueError(f"there is no task {', '.join(unknown)}; there are: {known}")
        wrong = [name for name, weight in self.weights.items() if not weight > 0]
        if wrong:
            raise ValueError(f"weights must be above 0; leave a task out instead: {', '.join(wrong)}")
        return self

    @property
    def is_plain(self) -> bool:
        """Return whether plain music is the only task."""
        return set(self.weights) == {"continue"}

    def shares(self) -> dict[str, float]:
        """Return the share of each task that comes at all, adding up to 1."""
        total = sum(self.weights.values())
        shares = {name: weight / total for name, weight in self.weights.items() if name not in _GROUPS}
        for group, tasks in _GROUPS.items():
            rest = [task for task in tasks if task not in self.weights]
            shares |= {task: self.weights.get(group, 0.0) / total / len(rest) for task in rest}
        return {task: shares[task] for task in TASKS if shares.get(task)}


_GROUPS = {"fill": FILL_TASKS, "repair": REPAIR_TASKS}


class Schedule(_Section):
    """How long to train, how often to validate, and after how many validations without a gain to stop (0: never).

    Either `steps`, with a validation every `validate_every` of them, or `minutes` by the clock, with so many
    `validations`, evenly over the time; the last comes at the end.
    `validate_start`: the weights to start from are validated too, and stay the best until something is better.
    `start_share`: what is validated and kept lies between the weights it has come to and those it began with, so much
    of the way back to these (Wortsman et al. 2022): most of what is learned stays, and little is forgotten.
    """

    steps: int | None = Field(None, ge=1)
    minutes: float | None = Field(None, gt=0, allow_inf_nan=False)
    validate_every: int = Field(200, ge=1)
    validations: int = Field(10, ge=1)
    validation_windows: int = Field(64, ge=1)
    validation_datasets: list[str] = Field(default_factory=list)
    validate_start: bool = False
    start_share: float = Field(0.0, ge=0, lt=1)
    patience: int = Field(0, ge=0)
    save_every: int = Field(100, ge=1)

    @model_validator(mode="after")
    def _has_one_length(self) -> "Schedule":
        if (self.steps is None) == (self.minutes is None):
            raise ValueError("say how long to train, in steps or in minutes, and not in both")
        return self


class Recipe(_Section):
    """A whole training run."""

    name: str = Field(pattern=r"^[\w.-]+$")
    seed: int = Field(0, ge=0)
    precision: Literal["bf16", "fp32", "auto"] = "auto"
    compile: bool | Literal["auto"] = "auto"
    model: ModelSection
    corpus: Corpus = Corpus()
    augmentation: Augmentation = Augmentation()
    optimizer: Optimizer = Optimizer()
    batches: Batches = Batches()
    tasks: Tasks = Tasks()
    schedule: Schedule

    @model_validator(mode="after")
    def _windows_fit(self) -> "Recipe":
        if faults := _window_faults(self.model, self.batches, self.schedule):
            raise ValueError("; ".join(faults))
        return self

    def window_lengths(self) -> set[int]:
        """Return the window lengths, in tokens, that this run uses."""
        return _window_lengths(self.model, self.batches, self.schedule)

    @property
    def long_from(self) -> int | None:
        """Return the first step with windows of the whole context; None: the clock will tell."""
        return _long_from(self.batches, self.schedule)

    def window_at(self, step: int, long_from: int | None) -> int:
        """Return the length of the windows of a step, in tokens, where they are long from a step on."""
        return self.batches.short_window if long_from is None or step < long_from else self.model.context

    def by_the_clock(self, minutes: float) -> "Recipe":
        """Return the recipe with so many minutes in place of its steps; ConfigError unless they are above 0."""
        if not 0 < minutes < math.inf:
            raise ConfigError(f"--minutes must be above 0, not {minutes}")
        return self.model_copy(
            update={"schedule": self.schedule.model_copy(update={"steps": None, "minutes": minutes})}
        )

    def weight_of(self, dataset: str) -> float:
        """Return how much a dataset counts per note; 0.0 if it is left out."""
        return self.corpus.weights.get(dataset, self.corpus.weights.get("*", 0.0))


def _long_from(batches: Batches, schedule: Schedule) -> int | None:
    if not batches.short_window or not batches.short_share:
        return 0
    return None if schedule.steps is None else math.ceil(batches.short_share * schedule.steps)


def _window_lengths(model: ModelSection, batches: Batches, schedule: Schedule) -> set[int]:
    long_from = _long_from(batches, schedule)
    lengths = {model.context, batches.short_window if long_from != 0 else model.context}
    is_never_long = long_from is not None and schedule.steps is not None and long_from >= schedule.steps
    return lengths - {model.context} if is_never_long else lengths


def _window_faults(model: ModelSection, batches: Batches, schedule: Schedule) -> list[str]:
    """Return what is wrong between sections that are each right."""
    faults = []
    for window in sorted(_window_lengths(model, batches, schedule)):
        if window > model.context:
            faults.append(f"batches.short_window of {window} is longer than the context of {model.context}")
        elif batches.tokens % (window * batches.accumulation):
            faults.append(f"{batches.tokens} tokens a step are not whole windows of {window} in each part")
    return faults


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; ConfigError lists every fault in it at once."""
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text())
    except OSError as fault:
        raise ConfigError(f"{path}: cannot be read ({fault.strerror}); recipes are in configs/") from fault
    except (ValueError, RecursionError) as fault:  # beside TOMLDecodeError: not UTF-8, nested too deeply
        raise ConfigError(f"{path}: not valid TOML ({fault})") from fault
    try:
        return Recipe.model_validate({"name": path.stem, **content})
    except ValidationError as faults:
        lines = [f"  {'.'.join(map(str, fault['loc'])) or 'recipe'}: {fault['msg']}" for fault in faults.errors()]
        if all(fault["loc"] for fault in faults.errors()):  # pydantic compares sections only where all are right
            lines += [f"  recipe: {fault}" for fault in _faults_between(content)]
        raise ConfigError("\n".join([f"{path}: {len(lines)} fault(s)", *lines])) from faults


def _faults_between(content: dict[str, Any]) -> list[str]:
    """Return the faults between sections of a recipe in which something else is wrong."""
    try:
        return _window_faults(
            ModelSection.model_validate(content.get("model")),
            Batches.model_validate(content.get("batches", {})),
            Schedule.model_validate(content.get("schedule")),
        )
    except ValidationError:
        return []
