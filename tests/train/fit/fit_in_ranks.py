"""What each process of `test_trainer.py` does under torchrun: train the recipe in a folder on the cache in it."""

import sys
from pathlib import Path

import torch

from train.corpus.note_cache import NoteCache
from train.fit.ranks import Ranks
from train.fit.trainer import Trainer
from train.recipe import Recipe

folder = Path(sys.argv[1])
torch.set_num_threads(1)
ranks = Ranks.join()
recipe = Recipe.model_validate_json((folder / "recipe.json").read_text())
trainer = Trainer(recipe, NoteCache.load(folder / "notes.cache"), folder / "two", ranks)
trainer.setup()
trainer.fit()
ranks.leave()
