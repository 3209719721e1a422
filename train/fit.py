"""`python -m train fit RECIPE`: train a model, or go on with a run that was interrupted."""

import argparse
from pathlib import Path

from piano.errors import PianodError
from train.corpus import NoteCache
from train.ranks import Ranks
from train.recipe import load_recipe
from train.trainer import BEST, Trainer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("recipe", type=Path, help="a TOML file, see configs/")
    parser.add_argument("--corpus", type=Path, required=True, help="the note cache that `prepare` wrote")
    parser.add_argument("--out", type=Path, help="folder of the run; taken up where it was left (default: runs/RECIPE)")
    parser.add_argument("--init", type=Path, help="a checkpoint whose weights to start from (fine-tuning)")


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    recipe = load_recipe(args.recipe)
    cache = NoteCache.load(args.corpus)
    folder: Path = args.out or Path("runs") / recipe.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise PianodError(f"{folder}: cannot be made ({fault.strerror}); choose another --out") from fault
    ranks = Ranks.join()
    try:
        trainer = Trainer(recipe, cache, folder, ranks)
        trainer.setup(initial=args.init)
        if ranks.is_first:
            size = trainer.model.parameter_count() / 1e6
            print(f"{recipe.name}: {size:.1f} M parameters on {ranks.device}", flush=True)
        progress = trainer.fit()
    finally:
        ranks.leave()
    if ranks.is_first:
        print(f"{folder / BEST}: {progress.best_nats:.4f} nats a token on validation")
    return 0
