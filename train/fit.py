"""`python -m train fit RECIPE`: train a model, or go on with a run that was interrupted."""

import argparse
from pathlib import Path

import torch.distributed as dist

from train.corpus import NoteCache
from train.recipe import load_recipe
from train.trainer import Ranks, Trainer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("recipe", type=Path, help="a TOML file, see configs/")
    parser.add_argument("--corpus", type=Path, required=True, help="the note cache that `prepare` wrote")
    parser.add_argument("--out", type=Path, help="the folder of the run; taken up where it was left (default runs/RECIPE)")
    parser.add_argument("--init", type=Path, help="a checkpoint whose weights to start from (fine-tuning)")


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    recipe = load_recipe(args.recipe)
    cache = NoteCache.load(args.corpus)
    folder: Path = args.out or Path("runs") / recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    ranks = Ranks.join()
    try:
        trainer = Trainer(recipe, cache, folder, ranks)
        trainer.setup(initial=args.init)
        if ranks.rank == 0:
            print(f"{recipe.name}: {trainer.model.parameter_count() / 1e6:.1f} M parameters on {trainer.device}", flush=True)
        progress = trainer.fit()
    finally:
        if ranks.world > 1:
            dist.destroy_process_group()
    if ranks.rank == 0:
        print(f"{folder / 'best'}: {progress.best_nats:.4f} nats a token on validation")
    return 0
