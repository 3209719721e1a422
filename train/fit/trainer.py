"""The training loop: setup, fit, validate; an interrupted run goes on as if it had not been interrupted."""

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from piano.errors import CheckpointError, ConfigError
from piano.tokens.vocabulary import VOCABULARY, Kind
from train.corpus.note_cache import NoteCache
from train.dataset.windows import IGNORED
from train.fit.batches import Batch, check_shares, task_scores, training_steps, used_pieces, validation_batches
from train.fit.compiling import CompileChoice
from train.fit.course import Course
from train.fit.interruption import Interruption
from train.fit.loader_watch import watched
from train.fit.logbook import open_logbook
from train.fit.optimizer import build_optimizers, set_learning_rate
from train.fit.precision import in_16_bits
from train.fit.ranks import Ranks
from train.fit.run_state import LOG, STATE, RunProgress, load_state, save_state, trim_log
from train.model.checkpoint import load_checkpoint, save_checkpoint
from train.model.gpt2 import GPT2, GPT2Config
from train.model.warm_start import knows_plain_music_alone, open_to_tasks, with_later_tokens
from train.recipe import Recipe

BEST = "best"
LAST = "last"
LONGEST_UNSAVED_S = 120.0
"""So much of a run, in seconds, is lost at most when its machine goes down; one step more, and a validation."""


class Trainer:
    """One run of one recipe in one folder.

    The folder gets `best/` (the checkpoint that validated best), `last/` (the newest), `state.pt` (all that resuming
    needs), `log.jsonl` (a line for each validation) and TensorBoard's event files. `now_s` is any clock that only runs
    forward, in seconds.
    """

    def __init__(
        self,
        recipe: Recipe,
        cache: NoteCache,
        folder: Path,
        ranks: Ranks,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        check_shares(recipe, ranks)
        self.recipe, self.cache, self.folder, self.ranks = recipe, cache, folder, ranks
        self.device = ranks.device
        self.in_16_bits = in_16_bits(recipe.precision, self.device)
        self.progress, self.now_s, self.interruption = RunProgress(), now_s, Interruption()
        torch.manual_seed(recipe.seed)
        shape = recipe.model
        config = GPT2Config(VOCABULARY.size, shape.context, shape.layers, shape.heads, shape.width, shape.dropout)
        self.model = self.build_model(config).to(self.device)
        self.optimizers = build_optimizers(self.model, recipe.optimizer)
        self.validation = validation_batches(recipe, cache, ranks)
        self.task_scores = task_scores(recipe, cache) if ranks.is_first else None
        self.inherited: dict[str, str] = {}
        self._start: dict[str, Tensor] = {}
        self.judgement: tuple[float, float] | None = None
        self.trained_on = [cache.pieces[index] for index in used_pieces(recipe, cache, "train")]

    def build_model(self, config: GPT2Config) -> GPT2:
        """Return a model of random weights; a trial may build another kind of head."""
        return GPT2(config)

    def steps_from(self, first: int) -> Iterator[list[Batch]]:
        """Yield the parts of each step; a trial may have another layout of tokens."""
        return training_steps(self.recipe, self.cache, self.ranks, first, long_from=self.course.long_from)

    def setup(self, *, initial: Path | None = None) -> None:
        """Take up an interrupted run in the folder, else start from `initial`'s weights, else from random ones."""
        if (self.folder / STATE).is_file():
            self.progress = load_state(self.folder, self.recipe, self.model, self.optimizers)
            if (self.folder / BEST).is_dir():
                self.inherited = _data_of(load_checkpoint(self.folder / BEST)[1])
            if self.ranks.is_first:
                trim_log(self.folder, self.progress.step)
        elif initial is not None:
            model, metadata = self._initial(initial)
            self.inherited = _data_of(metadata)
            if knows_plain_music_alone(metadata) and not self.recipe.tasks.is_plain:
                open_to_tasks(model)
            self.model.load_state_dict(model.state_dict())
        if self.recipe.schedule.start_share:
            if initial is None:
                raise ConfigError(
                    f"recipe {self.recipe.name}: schedule.start_share needs weights to start from (--init)"
                )
            start = self._initial(initial)[0].named_parameters()
            self._start = {name: weights.detach().to(self.device) for name, weights in start}
        how = self.recipe.compile
        self.compiling = CompileChoice(self.model, how, self.ranks, self.now_s, self._say, self._forget_step)
        self.course = Course(self.recipe, self.progress, self.ranks, self.now_s)
        self._saved_s, self._saving_s = self.now_s(), 0.0
        self.forward: Any = DistributedDataParallel(self.model) if self.ranks.world > 1 else self.model

    def _initial(self, folder: Path) -> tuple[GPT2, dict[str, Any]]:
        """Return the checkpoint to start from, and what it says of itself."""
        model, metadata = load_checkpoint(folder, of_older=True)
        model = with_later_tokens(model)
        if replace(model.config, dropout=self.recipe.model.dropout) != self.model.config:
            raise CheckpointError(f"{folder}: is of shape {model.config}, the recipe asks for {self.model.config}")
        return model, metadata

    def fit(self) -> RunProgress:
        """Train to the end of the schedule, until patience runs out or until told to stop; return how it went.

        Told to stop by SIGINT or SIGTERM, it takes the step to its end and saves: see `interruption`.
        """
        schedule, progress, course = self.recipe.schedule, self.progress, self.course
        with (
            open_logbook(self.folder, self.progress.step, self.ranks) as logbook,
            self._bar() as bar,
            self.interruption.noted(),
        ):
            if schedule.validate_start and not progress.step and math.isinf(progress.best_nats):
                self._validate_and_keep(None, logbook)
                self._save()
            steps = watched(self.steps_from(progress.step), self.now_s, self._say)
            is_told = course.tick(stop=self.interruption.signal is not None)
            while not (is_told or course.is_over or self._is_out_of_patience()):
                batches = next(steps)
                loss = self.compiling.step(lambda batches=batches: self.step(batches))  # type: ignore[misc]
                progress.step += 1
                is_told = course.tick(stop=self.interruption.signal is not None)
                self._show(bar, loss, logbook)
                if course.is_validation_due() and not is_told:
                    self._validate_and_keep(loss, logbook)
                is_due = progress.step % schedule.save_every == 0 or self.now_s() - self._saved_s >= LONGEST_UNSAVED_S
                if is_due or is_told or course.is_over or self._is_out_of_patience():
                    self._save()
            self._say_why_it_ended(is_told=is_told)
        return progress

    def step(self, batches: list[Batch]) -> float:
        """Take one step of the optimizer over the parts of a batch; return the loss in nats per token.

        What is counted and kept is left to `fit`. ConfigError if the loss is no finite number.
        """
        set_learning_rate(self.optimizers, self.course.learning_rate())
        self._seed_dropout()
        (count,) = self.ranks.total(sum(int((targets != IGNORED).sum()) for _, targets, _ in batches))
        nats = torch.zeros((), device=self.device)
        for number, batch in enumerate(batches):
            is_last = number == len(batches) - 1
            quiet = self.forward.no_sync() if self.ranks.world > 1 and not is_last else contextlib.nullcontext()
            with quiet:
                part = self._nats(self.forward, *batch)
                # The ranks' gradients are averaged, so that theirs add up to that of the mean over all tokens.
                torch.autograd.backward(part * (self.ranks.world / count))
            nats += part.detach()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.optimizer.clip_norm)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        loss = self.ranks.total(float(nats))[0] / count
        if not math.isfinite(loss):
            raise ConfigError(
                f"recipe {self.recipe.name}: the loss became {loss} at step {self.progress.step}; lower "
                f"optimizer.learning_rate or lengthen optimizer.warmup_steps. {self.folder / STATE} is from before."
            )
        return loss

    def _forget_step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    @torch.no_grad()
    def validate(self) -> tuple[float, float]:
        """Return nats per token and bits per note over the validation windows."""
        self.model.eval()
        nats = tokens = notes = 0.0
        is_on = torch.tensor(VOCABULARY.kinds == Kind.ON)
        for inputs, targets, positions in self.validation:
            nats += float(self._nats(self.model, inputs, targets, positions))
            kept = targets[targets != IGNORED]
            tokens += kept.numel()
            notes += int(is_on[kept].sum())
        self.model.train()
        nats, tokens, notes = self.ranks.total(nats, tokens, notes)
        return nats / tokens, nats / max(notes, 1) / math.log(2)

    def validate_tasks(self) -> dict[str, float]:
        """Return, for each task that is trained, the bits per note of what it asks for; empty without tasks."""
        if self.task_scores is None:
            return {}
        self.model.eval()
        scores = self.task_scores.bits_per_note(lambda *batch: self._nats(self.model, *batch))
        self.model.train()
        return scores

    def _nats(self, model: Any, inputs: Tensor, targets: Tensor, positions: Tensor) -> Tensor:
        """Return the sum of the cost of all targets."""
        rows = torch.nonzero(
            targets.flatten() != IGNORED
        ).flatten()  # found where they are: a device would be waited for
        parts = inputs, positions, rows, targets.flatten()[rows]
        inputs, positions, rows, targets = (part.to(self.device, non_blocking=True) for part in parts)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.in_16_bits):
            cost: Tensor = model(inputs, positions, (rows, targets))
        return cost

    def _seed_dropout(self) -> None:
        """Make what is dropped a function of the step and the rank, so that a resumed run drops the same."""
        if self.recipe.model.dropout:
            step = self.recipe.seed * 1_000_003 + self.progress.step
            torch.manual_seed(step * self.ranks.world + self.ranks.rank)

    def _is_out_of_patience(self) -> bool:
        patience = self.recipe.schedule.patience
        return bool(patience) and self.progress.since_best >= patience

    # -- keeping -----------------------------------------------------------------------------------------------------

    def _validate_and_keep(self, loss: float | None, logbook: Any) -> None:
        began_s = self.now_s()
        with self._towards_the_start():
            self._judge(loss, logbook)
        took_s = self.now_s() - began_s + self._saving_s
        self.progress.validation_s = max(self.progress.validation_s, took_s)
        self.course.tick()

    @contextlib.contextmanager
    def _towards_the_start(self) -> Iterator[None]:
        """Let the model have, within the block, the weights that are validated and kept."""
        share = self.recipe.schedule.start_share
        come_to = {name: weights.detach().clone() for name, weights in self.model.named_parameters() if share}
        try:
            self._set({name: weights.lerp(self._start[name], share) for name, weights in come_to.items()})
            yield
        finally:
            self._set(come_to)

    @torch.no_grad()
    def _set(self, weights: dict[str, Tensor]) -> None:
        for name, parameter in self.model.named_parameters():
            if name in weights:
                parameter.copy_(weights[name])

    def _judge(self, loss: float | None, logbook: Any) -> None:
        nats, bits = self.judgement = self.validate()
        progress = self.progress
        progress.since_best += 1
        is_best = nats < progress.best_nats
        if is_best:
            progress.best_nats, progress.since_best = nats, 0
        if not self.ranks.is_first:
            return
        if is_best:
            save_checkpoint(self.folder / BEST, self.model, self.metadata(nats, bits))
        figures: dict[str, Any] = {"train_nats": loss, "nats": nats, "bits_per_note": bits}
        if self.task_scores:
            figures["task_bits_per_note"] = self.validate_tasks()
        elapsed_s = round(progress.elapsed_s, 1)
        line = {"step": progress.step, **figures, "elapsed_s": elapsed_s, "at": round(time.time())}
        with (self.folder / LOG).open("a") as log:
            log.write(json.dumps(line) + "\n")
        tqdm.write(f"step {progress.step}: {nats:.4f} nats a token, {bits:.2f} bits a note")
        logbook.add_scalar("validation/nats_per_token", nats, progress.step)
        logbook.add_scalar("validation/bits_per_note", bits, progress.step)

    def metadata(self, nats: float | None, bits: float | None) -> dict[str, Any]:
        """Return what a checkpoint says of its making: its data are also those of the weights it began with.

        None for the validation of a checkpoint that never had one.
        """
        used = sorted({**self.inherited, **{piece.dataset: piece.licence for piece in self.trained_on}}.items())
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "step": self.progress.step,
            "tokens_seen": self.progress.step * self.recipe.batches.tokens,
            "validation_nats_per_token": nats,
            "validation_bits_per_note": bits,
            "trained_on": [{"dataset": dataset, "licence": licence} for dataset, licence in used],
        }

    def _save(self) -> None:
        began_s = self.now_s()
        if self.ranks.is_first:
            self._keep()
        self._saved_s = self.now_s()
        self._saving_s = max(self._saving_s, self._saved_s - began_s)

    def _keep(self) -> None:
        """Write all that a save writes, on the first rank alone."""
        save_state(self.folder, self.recipe, self.progress, self.model, self.optimizers)
        self._keep_newest()

    def _keep_newest(self) -> None:
        """Write `last/`; its validation is the newest there was, of a few steps before as a rule."""
        with self._towards_the_start():
            save_checkpoint(self.folder / LAST, self.model, self.metadata(*(self.judgement or (None, None))))

    # -- saying ------------------------------------------------------------------------------------------------------

    def _show(self, bar: Any, loss: float, logbook: Any) -> None:
        best, left = self.progress.best_nats, self.course.remaining_minutes
        more = {} if math.isinf(best) else {"best": f"{best:.3f}"}
        more |= {} if left is None else {"left": f"{left:.1f} min"}
        bar.update(self.recipe.batches.tokens)
        bar.set_postfix(loss=f"{loss:.3f}", **more, refresh=False)
        logbook.add_scalar("train/nats_per_token", loss, self.progress.step)

    def _say(self, text: str) -> None:
        if self.ranks.is_first:
            tqdm.write(text)

    def _say_why_it_ended(self, *, is_told: bool) -> None:
        step = self.progress.step
        if is_told and not self.course.is_over:
            self._say(f"told to stop: saved at step {step}; the same command goes on from there")
        elif self._is_out_of_patience():
            self._say(f"no gain in {self.recipe.schedule.patience} validations: stopped at step {step}")

    def _bar(self) -> Any:
        tokens = self.recipe.batches.tokens
        return tqdm(
            total=None if self.recipe.schedule.steps is None else self.recipe.schedule.steps * tokens,
            initial=self.progress.step * tokens,
            unit="token",
            unit_scale=True,
            disable=not self.ranks.is_first,
        )


def _data_of(metadata: dict[str, Any]) -> dict[str, str]:
    """Return the data sets that a checkpoint was trained on, and the licence of each."""
    return {entry["dataset"]: entry["licence"] for entry in metadata.get("trained_on", [])}
