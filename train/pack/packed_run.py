"""What `run.py` of a packed run does: it trains by the clock, and brings the checkpoint out in parts at every save.

What it brings out is at any moment the newest checkpoint, and at the end the one that validated best.
"""

import argparse
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from piano.errors import ConfigError, PianodError
from train.corpus.note_cache import CACHE_NAME, NoteCache
from train.fit.ranks import Ranks
from train.fit.run_state import LOG
from train.fit.trainer import BEST, LAST, Trainer
from train.model.checkpoint import load_checkpoint, save_checkpoint
from train.pack.parts import write_parts
from train.recipe import Recipe

CODE, SITE, RECIPE, INIT, PYTHON = "code", "site", "recipe.json", "init", "python.txt"

_FEWEST_MINUTES = 1 / 600
"""What is trained where starting took all the time: a step, so that the whole way is gone."""


class PackedTrainer(Trainer):
    """A trainer that also brings its checkpoints out."""

    brought: Path

    def _keep(self) -> None:
        super()._keep()
        self.bring(LAST)

    def bring(self, name: str) -> None:
        """Bring out a checkpoint of the run, in 16 bits and in parts, and the log."""
        making = self.folder / "making"
        model, metadata = load_checkpoint(self.folder / name)
        save_checkpoint(making / name, model, metadata, torch.float16)
        write_parts(making / name, self.brought, making)
        if (self.folder / LOG).is_file():
            shutil.copyfile(self.folder / LOG, self.brought / LOG)


def main(here: Path, began_s: float, arguments: Sequence[str] | None = None) -> int:
    """Train what is packed in a folder; `began_s` is when the program began, by the monotonic clock.

    Return the exit status; a fault of the world is 2.
    """
    args = _parser(here).parse_args(arguments)
    try:
        recipe = Recipe.model_validate_json((here / RECIPE).read_text())
        minutes = max(args.minutes - (time.monotonic() - began_s) / 60, _FEWEST_MINUTES)
        return train(here, recipe.by_the_clock(minutes), args.work, args.out)
    except PianodError as error:
        print(f"error: {error}", flush=True)
        return 2


def train(here: Path, recipe: Recipe, work: Path, out: Path) -> int:
    """Run a recipe in the folder `work` and bring its checkpoints to the folder `out`; return the exit status."""
    workers = min(recipe.batches.workers, max(0, (os.cpu_count() or 1) - 1))
    recipe = recipe.model_copy(update={"batches": recipe.batches.model_copy(update={"workers": workers})})
    try:
        work.mkdir(parents=True, exist_ok=True)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise ConfigError(f"{work} or {out}: cannot be made ({fault.strerror}); choose --work and --out") from fault
    torch.set_float32_matmul_precision("high")
    trainer = PackedTrainer(recipe, NoteCache.load(here / CACHE_NAME), work, Ranks(0, 1))
    trainer.brought = out
    trainer.setup(initial=here / INIT if (here / INIT).is_dir() else None)
    size = trainer.model.parameter_count() / 1e6
    print(f"{recipe.name}: {size:.1f} M parameters on {trainer.device}, {workers} loader processes, ", end="")
    print(f"{trainer.course.remaining_minutes:.1f} minutes by the clock", flush=True)
    progress = trainer.fit()
    if trainer.course.is_over and (work / BEST).is_dir():
        trainer.bring(BEST)
    print(f"step {progress.step}, {progress.step * recipe.batches.tokens / 1e6:.1f} M tokens; brought to {out}")
    stopped_by = trainer.interruption.signal
    return 0 if stopped_by is None else 128 + stopped_by


def _parser(here: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train what is packed here, by the clock.")
    parser.add_argument("--minutes", type=float, required=True, help="from now to the end, all told")
    given = os.environ.get("OUT")
    out = Path(given) if given else here / "out"
    parser.add_argument("--out", type=Path, default=out, help="where checkpoints go (default: $OUT, else out/ here)")
    parser.add_argument("--work", type=Path, default=here / "run", help="folder of the run, to go on with it")
    return parser
