"""`python -m train fit [RECIPE]`: train a model, or go on with a run that was interrupted."""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

from piano.errors import PianodError
from train.corpus.corpus_report import REPORT_NAME
from train.corpus.note_cache import CACHE_NAME, COLUMNS_INDEX, NoteCache
from train.corpus.prepare import prepare
from train.corpus.sources import CorpusSource, folder_sources
from train.fit.ranks import Ranks
from train.fit.run_state import LOG, RunProgress
from train.fit.trainer import BEST, LAST, Trainer
from train.recipe import Recipe, load_recipe

OWN_RECIPE = Path(__file__).parents[2] / "configs" / "own.toml"
"""The recipe that fine-tunes on a few recordings."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", type=Path, nargs="?", help="a TOML file; with --init: configs/own.toml")
    parser.add_argument(
        "--corpus", type=Path, required=True, help="a note cache, unpacked or not, or a folder of MIDI files"
    )
    parser.add_argument("--out", type=Path, help="folder of the run; taken up where it was left (default: runs/RECIPE)")
    parser.add_argument("--minutes", type=float, help="train so long by the clock, in place of the recipe's steps")
    parser.add_argument("--init", type=Path, help="a checkpoint whose weights to start from (fine-tuning)")


def run(args: argparse.Namespace) -> int:
    if args.recipe is None and args.init is None:
        raise PianodError("name a recipe, such as configs/pocket.toml; only with --init is there one to fall back on")
    recipe = load_recipe(args.recipe or OWN_RECIPE)
    if args.minutes is not None:
        recipe = recipe.by_the_clock(args.minutes)
    folder: Path = args.out or Path("runs") / recipe.name
    cache = _corpus(args.corpus, folder)
    ranks = Ranks.join()
    try:
        trainer = Trainer(recipe, cache, folder, ranks)
        trainer.setup(initial=args.init)
        if ranks.is_first:
            size = trainer.model.parameter_count() / 1e6
            bits = 16 if trainer.in_16_bits else 32
            print(f"{recipe.name}: {size:.1f} M parameters on {ranks.device}, in {bits} bits", flush=True)
            print(length(recipe, trainer.course.remaining_minutes), flush=True)
        progress = trainer.fit()
    finally:
        ranks.leave()
    if ranks.is_first:
        print(outcome(folder, progress))
    return 0 if trainer.interruption.signal is None else 128 + trainer.interruption.signal


def length(recipe: Recipe, remaining_minutes: float | None) -> str:
    """Return how long a run is to go on, in words."""
    steps = recipe.schedule.steps
    said = f"{steps} steps" if remaining_minutes is None else f"{remaining_minutes:.1f} minutes by the clock"
    return f"at most {said}; it stops when it gains no more" if recipe.schedule.patience else said


def outcome(folder: Path, progress: RunProgress) -> str:
    """Return what a run came to: the best validation and, if its log has it, that of the weights it began with."""
    if math.isinf(progress.best_nats):
        return f"{folder / LAST}: the newest checkpoint, after {progress.step} steps; none was validated yet"
    said = f"{folder / BEST}: {progress.best_nats:.4f} nats a token on validation"
    log = folder / LOG
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    if not lines or lines[0]["step"]:
        return said
    best, first = min(lines, key=lambda line: float(line["nats"])), lines[0]
    if best is first:
        return f"{said}, as it began: what it learned did not carry over to the recordings kept aside; more may help"
    return f"{said}; {best['bits_per_note']:.2f} bits a note, {first['bits_per_note']:.2f} before"


def _corpus(path: Path, folder: Path) -> NoteCache:
    """Return the note cache at a path, or in the folder there, or made, once, of the MIDI files in it.

    The folder of the run is made here, and keeps what is made.
    """
    is_midi = path.is_dir() and not any((path / name).is_file() for name in (CACHE_NAME, COLUMNS_INDEX))
    cache = None if is_midi else NoteCache.load(path)
    sources = folder_sources(path) if is_midi else []
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise PianodError(f"{folder}: cannot be made ({fault.strerror}); choose another --out") from fault
    if cache is not None:
        return cache
    made = folder / CACHE_NAME
    if made.is_file():
        _say_what_is_new(sources, folder)
    else:
        print(prepare(sources, folder).table(), flush=True)
    found = NoteCache.load(made)
    kept = [found.pieces[number].file for number in found.select(split="validation")]
    if not kept or not found.select(split="train"):
        made.unlink()
        raise PianodError(
            f"{path}: too few recordings that can be read: two are the least, one to learn from and one to keep aside"
        )
    print(f"kept aside, to see when to stop: {', '.join(kept[:3])}{' …' if len(kept) > 3 else ''}", flush=True)
    return found


def _say_what_is_new(sources: Sequence[CorpusSource], folder: Path) -> None:
    """Say which files came after the note cache in the folder of the run was made: the run goes on without them."""
    try:
        known = {entry["file"] for entry in json.loads((folder / REPORT_NAME).read_text(encoding="utf-8"))["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return
    if new := [source.piece.file for source in sources if source.piece.file not in known]:
        print(f"{folder}: goes on without {len(new)} new recording(s), such as {new[0]}; for them, give another --out")
