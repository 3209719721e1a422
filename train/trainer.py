"""The training loop: setup, fit, validate, and a state from which an interrupted run goes on as if it had not been."""

import contextlib
import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Subset
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from piano.errors import CheckpointError, CorpusError
from piano.vocabulary import VOCABULARY, Kind
from train.checkpoint import load_checkpoint, save_checkpoint
from train.corpus import NoteCache
from train.gpt2 import GPT2, GPT2Config
from train.optimizer import build_optimizers, learning_rate_at, set_learning_rate
from train.recipe import Augmentation, Recipe
from train.windows import IGNORED, WindowDataset, WindowPlan

STATE = "state.pt"
_FREE_TO_CHANGE = {"schedule", "compile", "name"}
_VALIDATION_SEED = 7_777_777


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those that train together; (0, 1) alone."""

    rank: int
    world: int

    @staticmethod
    def join() -> "Ranks":
        """Join the processes that torchrun started, over nccl on GPUs and gloo elsewhere; alone without torchrun."""
        if "RANK" not in os.environ:
            return Ranks(0, 1)
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        return Ranks(dist.get_rank(), dist.get_world_size())

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over all ranks."""
        if self.world > 1:
            dist.all_reduce(values)
            values = values / self.world
        return values


@dataclass(slots=True)
class Progress:
    """How far a run is: the next step, the best validation in nats per token, and validations since."""

    step: int = 0
    best_nats: float = math.inf
    since_best: int = 0


class Trainer:
    """One run of one recipe in one folder.

    The folder gets `best/` (a checkpoint), `last/` (the newest), `state.pt` (all that resuming needs), `log.jsonl` and
    TensorBoard's event files.
    """

    def __init__(self, recipe: Recipe, cache: NoteCache, folder: Path, ranks: Ranks) -> None:
        self.recipe, self.cache, self.folder, self.ranks = recipe, cache, folder, ranks
        device = f"cuda:{int(os.environ.get('LOCAL_RANK', 0))}" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(device)
        self.progress = Progress()
        torch.manual_seed(recipe.seed)
        shape = recipe.model
        config = GPT2Config(VOCABULARY.size, shape.context, shape.layers, shape.heads, shape.width, shape.dropout)
        self.model = GPT2(config).to(self.device)
        self.optimizers = build_optimizers(self.model, recipe.optimizer)
        self.validation = self._validation_loader()

    def setup(self, *, initial: Path | None = None) -> None:
        """Take up an interrupted run in the folder, else start from `initial`'s weights, else from random ones."""
        if (self.folder / STATE).is_file():
            self._resume()
        elif initial is not None:
            model, _ = load_checkpoint(initial)
            if model.config != self.model.config:
                raise CheckpointError(f"{initial}: is of shape {model.config}, the recipe asks for {self.model.config}")
            self.model.load_state_dict(model.state_dict())
        forward: Any = torch.compile(self.model) if self.recipe.compile else self.model
        self.forward = DistributedDataParallel(forward) if self.ranks.world > 1 else forward

    def fit(self) -> Progress:
        """Train to the end of the schedule or until patience runs out; return how it went."""
        schedule = self.recipe.schedule
        logbook = SummaryWriter(self.folder) if self.ranks.rank == 0 else None
        bar = tqdm(
            total=schedule.steps * self.recipe.batches.tokens,
            initial=self.progress.step * self.recipe.batches.tokens,
            unit="token",
            unit_scale=True,
            disable=self.ranks.rank != 0,
        )
        for batches in self._steps():
            loss = self._step(batches)
            self.progress.step += 1
            bar.update(self.recipe.batches.tokens)
            bar.set_postfix(loss=f"{loss:.3f}", best=f"{self.progress.best_nats:.3f}", refresh=False)
            if logbook:
                logbook.add_scalar("train/nats_per_token", loss, self.progress.step)
            is_last = self.progress.step == schedule.steps
            if self.progress.step % schedule.validate_every == 0 or is_last:
                self._validate_and_keep(loss, logbook)
            if self.progress.step % schedule.save_every == 0 or is_last:
                self._save()
            if schedule.patience and self.progress.since_best >= schedule.patience:
                tqdm.write(f"no gain in {schedule.patience} validations: stopped at step {self.progress.step}")
                self._save()
                break
        bar.close()
        if logbook:
            logbook.close()
        return self.progress

    @torch.no_grad()
    def validate(self) -> tuple[float, float]:
        """Return nats per token and bits per note over the validation windows."""
        self.model.eval()
        nats = tokens = notes = 0.0
        for inputs, targets, positions in self.validation:
            loss = self._loss(self.model, inputs, targets, positions, reduction="sum")
            kept = targets[targets != IGNORED]
            nats += float(loss)
            tokens += kept.numel()
            notes += int((torch.tensor(VOCABULARY.kinds)[kept] == Kind.ON).sum())
        self.model.train()
        total = self.ranks.mean(torch.tensor([nats, tokens, notes], dtype=torch.float64))
        return float(total[0] / total[1]), float(total[0] / total[2] / math.log(2))

    def _step(self, batches: list[tuple[Tensor, Tensor, Tensor]]) -> float:
        """Take one step of the optimizer over the parts of a batch; return the loss in nats per token."""
        set_learning_rate(self.optimizers, learning_rate_at(self.progress.step, self.recipe))
        total = torch.zeros((), device=self.device)
        for number, batch in enumerate(batches):
            is_last = number == len(batches) - 1
            quiet = self.forward.no_sync() if self.ranks.world > 1 and not is_last else contextlib.nullcontext()
            with quiet:
                loss = self._loss(self.forward, *batch) / len(batches)
                loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.optimizer.clip_norm)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return float(self.ranks.mean(total))

    def _loss(self, model: Any, inputs: Tensor, targets: Tensor, positions: Tensor, reduction: str = "mean") -> Tensor:
        inputs, targets, positions = (part.to(self.device, non_blocking=True) for part in (inputs, targets, positions))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            logits = model(inputs, positions)
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction=reduction)

    # -- data --------------------------------------------------------------------------------------------------------

    def _dataset(self, split: str, plan: WindowPlan, count: int, datasets: list[str] | None = None) -> WindowDataset:
        pieces = [
            index
            for index in self.cache.select(split=split, datasets=datasets or None)
            if self.recipe.weight_of(self.cache.pieces[index].dataset) > 0
        ]
        if not pieces:
            raise CorpusError(f"the corpus has no pieces of split {split!r} in the datasets that {self.recipe.name} names")
        weights = [self.recipe.weight_of(self.cache.pieces[index].dataset) for index in pieces]
        return WindowDataset(self.cache, pieces, weights, plan, count)

    def _validation_loader(self) -> DataLoader[tuple[Tensor, Tensor, Tensor]]:
        schedule, context = self.recipe.schedule, self.recipe.model.context
        plan = WindowPlan(context, context, Augmentation(), _VALIDATION_SEED)
        data = self._dataset("validation", plan, schedule.validation_windows, schedule.validation_datasets)
        own = Subset(data, range(self.ranks.rank, len(data), self.ranks.world))
        return DataLoader(own, batch_size=8)

    def _steps(self) -> Iterator[list[tuple[Tensor, Tensor, Tensor]]]:
        """Yield, for each step still to do, its parts: (tokens, targets, positions) of shape (windows, length)."""
        recipe, first = self.recipe, self.progress.step
        windows_before = 0
        for length, start, end in _stretches(recipe):
            per_part = recipe.batches.tokens // (length * recipe.batches.accumulation * self.ranks.world)
            per_step = per_part * recipe.batches.accumulation * self.ranks.world
            plan = WindowPlan(length, recipe.model.context, recipe.augmentation, recipe.seed)
            begin = max(start, first)
            if begin < end:
                data = self._dataset("train", plan, windows_before + (end - start) * per_step)
                indices = [
                    windows_before + (step - start) * per_step + part * self.ranks.world + self.ranks.rank
                    for step in range(begin, end)
                    for part in range(per_step // self.ranks.world)
                ]
                loader = DataLoader(
                    Subset(data, indices),
                    batch_size=per_part,
                    num_workers=recipe.batches.workers,
                    pin_memory=self.device.type == "cuda",
                )
                parts = iter(loader)
                for _ in range(begin, end):
                    yield [next(parts) for _ in range(recipe.batches.accumulation)]
            windows_before += (end - start) * per_step

    # -- keeping -----------------------------------------------------------------------------------------------------

    def _validate_and_keep(self, loss: float, logbook: SummaryWriter | None) -> None:
        nats, bits = self.validate()
        progress = self.progress
        progress.since_best += 1
        is_best = nats < progress.best_nats
        if is_best:
            progress.best_nats, progress.since_best = nats, 0
        if self.ranks.rank:
            return
        if is_best:
            save_checkpoint(self.folder / "best", self.model, self.metadata(nats, bits))
        line = {"step": progress.step, "train_nats": loss, "nats": nats, "bits_per_note": bits, "at": round(time.time())}
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        tqdm.write(f"step {progress.step}: {nats:.4f} nats a token, {bits:.2f} bits a note")
        if logbook:
            cast("Any", logbook).add_scalar("validation/nats_per_token", nats, progress.step)
            cast("Any", logbook).add_scalar("validation/bits_per_note", bits, progress.step)

    def metadata(self, nats: float, bits: float) -> dict[str, Any]:
        """Return what a checkpoint says of its making."""
        used = sorted({piece.dataset: piece.licence for piece in self._used_pieces()}.items())
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "step": self.progress.step,
            "tokens_seen": self.progress.step * self.recipe.batches.tokens,
            "validation_nats_per_token": nats,
            "validation_bits_per_note": bits,
            "trained_on": [{"dataset": dataset, "licence": licence} for dataset, licence in used],
        }

    def _used_pieces(self) -> list[Any]:
        pieces = [self.cache.pieces[index] for index in self.cache.select(split="train")]
        return [piece for piece in pieces if self.recipe.weight_of(piece.dataset) > 0]

    def _save(self) -> None:
        if self.ranks.rank:
            return
        state = {
            "recipe": self.recipe.model_dump_json(),
            "step": self.progress.step,
            "best_nats": self.progress.best_nats,
            "since_best": self.progress.since_best,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        temporary = self.folder / f".{STATE}"
        torch.save(state, temporary)
        os.replace(temporary, self.folder / STATE)

    def _resume(self) -> None:
        path = self.folder / STATE
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
        except Exception as fault:
            raise CheckpointError(f"{path}: damaged; delete it to start anew, or use --init with best/ ({fault})") from fault
        before, now = json.loads(state["recipe"]), self.recipe.model_dump(mode="json")
        changed = [key for key in now if key not in _FREE_TO_CHANGE and before.get(key) != now[key]]
        if changed:
            raise CheckpointError(
                f"{path}: was made by a recipe with another {', '.join(changed)}; use another --out to start anew"
            )
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.progress = Progress(state["step"], state["best_nats"], state["since_best"])


def _stretches(recipe: Recipe) -> list[tuple[int, int, int]]:
    """Return the runs of steps with windows of one length: (length, first step, step after the last)."""
    steps = recipe.schedule.steps
    changes = [step for step in range(1, steps) if recipe.window_at(step) != recipe.window_at(step - 1)]
    bounds = [0, *changes, steps]
    return [(recipe.window_at(start), start, end) for start, end in zip(bounds, bounds[1:], strict=False)]
