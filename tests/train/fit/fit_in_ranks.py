"""What each process does under torchrun in tests: train the recipe in a folder on the cache in it.

With a step as second argument it stands still before that step, once, and leaves the mark `stands`: to be killed there.
"""

import sys
import threading
from pathlib import Path

import torch

from train.corpus.note_cache import NoteCache
from train.fit.batches import Batch
from train.fit.ranks import Ranks
from train.fit.trainer import Trainer
from train.recipe import Recipe

folder = Path(sys.argv[1])
stands_at = int(sys.argv[2]) if len(sys.argv) > 2 else None
torch.set_num_threads(1)


class Standing(Trainer):
    """A trainer that stands still before a step."""

    def step(self, batches: list[Batch]) -> float:
        """Take a step, or none ever again."""
        if self.progress.step == stands_at:
            (folder / "stands").touch()
            threading.Event().wait()
        return super().step(batches)


ranks = Ranks.join()
recipe = Recipe.model_validate_json((folder / "recipe.json").read_text())
unpacked = folder / "notes.columns"
cache = NoteCache.load(unpacked if unpacked.is_dir() else folder / "notes.cache")
trainer = Standing(recipe, cache, folder / "two", ranks)
trainer.setup()
trainer.fit()
ranks.leave()
