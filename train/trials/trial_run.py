"""One trial: trained with the trainer that trains everything, scored on the same excerpts as all others."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from piano.notes import Performance
from piano.tokens.encoding import encode
from piano.tokens.vocabulary import VOCABULARY, Kind
from train.corpus.note_cache import NoteCache
from train.dataset.rewritings import REWRITINGS, Rewriting
from train.fit.batches import Batch, training_steps, used_pieces
from train.fit.ranks import Ranks
from train.fit.trainer import Trainer
from train.model.gpt2 import GPT2, GPT2Config
from train.predictors.scoring import Scorer, Tally, WindowScorer
from train.recipe import Recipe
from train.trials.trial_plan import Trial, TrialPlan, flops_per_token
from train.trials.trial_result import Result

_EXCERPT_SEED = 5_555_555


def measure_trial(trial: Trial, plan: TrialPlan, cache: NoteCache, folder: Path) -> Result:
    """Train one trial in a folder of its own, from where it was left if it was, and score it.

    Told to stop, it saves and leaves with the signal's exit code (SystemExit): half a trial has no result.
    """
    folder.mkdir(exist_ok=True)
    trainer = TrialTrainer(trial, cache, folder)
    trainer.setup()
    begin = time.process_time()
    trainer.fit()
    if trainer.interruption.signal is not None:
        raise SystemExit(128 + trainer.interruption.signal)
    seconds = time.process_time() - begin
    shape, rewriting = trial.recipe.model, trainer.rewriting
    scorer = WindowScorer(_Predictor(trainer.model, bf16=trainer.in_16_bits))
    found = score_trial(scorer, trial_excerpts(trial.recipe, cache, plan.excerpts, plan.excerpt_notes), rewriting)
    return Result(
        name=trial.variation.name,
        group=trial.variation.group,
        seed=trial.seed,
        bits_per_note=found.bits_per_note,
        notes=found.notes,
        scored_tokens=found.tokens,
        parameters=trainer.model.parameter_count(),
        tokens=trial.tokens,
        flops=flops_per_token(shape) * trial.tokens,
        seconds=seconds,
        recipe=trial.recipe.model_dump(mode="json"),
        rewriting=trial.variation.rewriting,
        untied=trial.variation.untied,
        sinusoids=trial.variation.sinusoids,
    )


def trial_excerpts(recipe: Recipe, cache: NoteCache, count: int, notes: int) -> list[tuple[Performance, float]]:
    """Return excerpts of validation pieces, each with the moment at which it begins: the same for every trial."""
    pieces = used_pieces(recipe, cache, "validation", recipe.schedule.validation_datasets)
    rng = np.random.default_rng(_EXCERPT_SEED)
    cut = []
    for number in range(count):
        if number % len(pieces) == 0:
            order = rng.permutation(pieces)
        whole = cache.performance(int(order[number % len(pieces)]))
        start = int(rng.integers(0, max(1, whole.notes.size - notes + 1)))
        part = whole.notes[start : start + notes]
        first, last = float(part["onset_s"][0]), float(part["onset_s"][-1])
        pedal_s = whole.pedals["time_s"]
        cut.append((Performance(part, whole.pedals[(pedal_s >= first) & (pedal_s <= last)]), first))
    return cut


def score_trial(scorer: Scorer, music: list[tuple[Performance, float]], rewriting: Rewriting | None) -> Tally:
    """Return what excerpts cost in a layout of tokens, all their tokens shared among their notes."""
    total = Tally()
    for performance, origin_s in music:
        on_grid = rewriting.performance(performance, origin_s) if rewriting else performance
        events = encode(on_grid, origin_s=origin_s)
        notes = int((VOCABULARY.kinds[events] == Kind.ON).sum())
        written = rewriting.write(events) if rewriting else events
        total += Tally(1, notes, written.size, float(scorer.costs(written).nats.sum()))
    return total


class TrialTrainer(Trainer):
    """The trainer with what recipes cannot say: another layout of tokens, a head of its own. It keeps no checkpoint."""

    def __init__(self, trial: Trial, cache: NoteCache, folder: Path) -> None:
        self.variation = trial.variation
        name = trial.variation.rewriting
        self.rewriting = REWRITINGS[name] if name else None
        super().__init__(trial.recipe, cache, folder, Ranks(0, 1))

    def build_model(self, config: GPT2Config) -> GPT2:
        """Return a model of random weights, with the head and the positions that the trial asks for."""
        model = UntiedGPT2(config) if self.variation.untied else GPT2(config)
        if self.variation.sinusoids:
            with torch.no_grad():
                model.transformer.wpe.weight.copy_(sinusoids(config.context, config.width))
        return model

    def steps_from(self, first: int) -> Iterator[list[Batch]]:
        """Yield the parts of each step, in the trial's layout of tokens."""
        return training_steps(self.recipe, self.cache, self.ranks, first, self.rewriting, self.course.long_from)

    def _validate_and_keep(self, loss: float | None, logbook: Any) -> None:
        """Do nothing: a trial is scored when it is over, and its weights are not kept."""

    def _keep_newest(self) -> None:
        """Do nothing, for the same reason."""


def sinusoids(positions: int, width: int) -> Tensor:
    """Return (positions, width) of sines beside cosines (Vaswani et al. 2017), as large as random embeddings are."""
    periods = 10_000.0 ** (torch.arange((width + 1) // 2) * 2 / width)
    angles = torch.arange(positions)[:, None] / periods
    return torch.cat([angles.sin(), angles.cos()], 1)[:, :width] * 0.02 * 2**0.5


class UntiedGPT2(GPT2):
    """GPT-2 with a head of its own instead of the token embedding."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.head = nn.Linear(config.width, config.vocab_size, bias=False)
        nn.init.normal_(self.head.weight, std=0.02)

    def head_weight(self) -> Tensor:
        """Return the weights that make logits, (vocab, width)."""
        return self.head.weight


class _Predictor:
    """A model of any head, in evaluation, as `train.predictors.scoring.Predictor`."""

    def __init__(self, model: GPT2, *, bf16: bool) -> None:
        self.model, self.bf16 = model.eval(), bf16

    @property
    def context(self) -> int:
        return self.model.config.context

    @torch.inference_mode()
    def logits(self, tokens: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        device = next(self.model.parameters()).device
        with torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.model(torch.from_numpy(tokens).to(device)).flatten(0, 1)[torch.from_numpy(rows).to(device)]
        kept: NDArray[np.float32] = logits.float().cpu().numpy()
        return kept
