"""Training: tokens a second of our trainer and of a loop as nanoGPT's, at the same shape, step by step in turns; and
the share of a step for which our trainer waits for its loader.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from bench.machine import circumstances
from bench.peers.nano_loop import NanoLoop
from bench.pieces import random_performance
from piano.tokens.vocabulary import VOCABULARY
from train.corpus.note_cache import NoteCache, Piece, pack
from train.fit.batches import Batch, training_steps
from train.fit.ranks import Ranks
from train.fit.trainer import Trainer
from train.recipe import Recipe, load_recipe

STEPS, QUICK_STEPS = 12, 2
RECIPE = Path("configs/pocket.toml")


def measure(steps: int, recipe_path: Path = RECIPE, *, compiled: bool = False) -> dict[str, Any]:
    """Take steps of both in turns and return the figures; both step by AdamW."""
    about = circumstances()
    recipe = _even(load_recipe(recipe_path), compiled=compiled)
    cache = made_up_cache(12)
    tokens = recipe.batches.tokens
    with tempfile.TemporaryDirectory(prefix="pianod-bench-") as folder:
        trainer = Trainer(recipe, cache, Path(folder), Ranks(0, 1))
        trainer.setup()
        waits: list[float] = []
        batches = waiting(training_steps(recipe, cache, trainer.ranks, 0), waits)
        stream = np.random.default_rng(0).integers(0, VOCABULARY.size, 1_000_000).astype(np.uint16)
        peer = NanoLoop(recipe.model, stream, tokens, VOCABULARY.size, compiled=compiled)
        taken: dict[str, list[float]] = {"ours": [], "theirs": []}
        for number in tqdm(range(steps + 2), desc="steps", unit="step"):
            for turn in ("ours", "theirs") if number % 2 else ("theirs", "ours"):
                began_s = time.perf_counter()
                if turn == "ours":
                    trainer.step(next(batches))
                else:
                    peer.step()
                taken[turn].append(time.perf_counter() - began_s)
    return {
        "kind": "train",
        **about,
        "recipe": recipe.name,
        "compiled": compiled,
        **rates(taken["ours"], taken["theirs"], waits, tokens),
    }


def rates(ours: Sequence[float], theirs: Sequence[float], waits: Sequence[float], tokens: int) -> dict[str, float]:
    """Return tokens a second, medians, the first two steps left out, and the share of our time that goes in waiting."""
    mine, peers = statistics.median(ours[2:]), statistics.median(theirs[2:])
    return {
        "tokens_per_s": tokens / mine,
        "nano_tokens_per_s": tokens / peers,
        "over_nano": peers / mine,
        "loader_share": sum(waits[2:]) / sum(ours[2:]),
    }


def waiting(batches: Iterator[list[Batch]], waits: list[float]) -> Iterator[list[Batch]]:
    """Pass batches on, and keep how long each was waited for."""
    while True:
        began_s = time.perf_counter()
        batch = next(batches)
        waits.append(time.perf_counter() - began_s)
        yield batch


def made_up_cache(pieces: int) -> NoteCache:
    """Return a corpus of random music: what a step costs does not depend on what is played."""
    named = [Piece("bench", f"{number}.mid", "train" if number else "validation") for number in range(pieces)]
    return NoteCache.join(named, [pack(random_performance(1500, seed=number)) for number in range(pieces)])


def _even(recipe: Recipe, *, compiled: bool) -> Recipe:
    """Make windows and optimizer what nanoGPT's are: as long as the context, AdamW; and take any data set."""
    return recipe.model_copy(
        update={
            "compile": compiled,
            "corpus": type(recipe.corpus)(),
            "optimizer": recipe.optimizer.model_copy(update={"name": "adamw"}),
            "batches": recipe.batches.model_copy(update={"short_window": 0, "short_share": 0.0}),
            "schedule": recipe.schedule.model_copy(update={"validation_datasets": [], "validation_windows": 1}),
        }
    )
