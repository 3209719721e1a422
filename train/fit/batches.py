"""Which windows each step takes: a pure function of recipe, step and rank, so that a resumed run takes the same."""

import sys
from collections.abc import Callable, Iterator

from torch import Tensor
from torch.utils.data import DataLoader, Subset

from piano.errors import ConfigError, CorpusError
from train.corpus.note_cache import NoteCache
from train.dataset.mixture import Mixture
from train.dataset.rewritings import Rewriting
from train.dataset.windows import WindowDataset, WindowPlan
from train.fit.interruption import leave_to_the_trainer
from train.fit.ranks import Ranks
from train.fit.task_scores import TaskScores
from train.recipe import Augmentation, Recipe

Batch = tuple[Tensor, Tensor, Tensor]
"""Tokens, targets and positions, each (windows, length)."""

_VALIDATION_SEED = 7_777_777
_VALIDATION_BATCH = 8
_OPEN_END = sys.maxsize
"""The step after the last where only the clock knows the last."""


def used_pieces(recipe: Recipe, cache: NoteCache, split: str, datasets: list[str] | None = None) -> list[int]:
    """Return the pieces of a split that a recipe gives a weight; CorpusError if there are none."""
    pieces = [
        index
        for index in cache.select(split=split, datasets=datasets or None)
        if recipe.weight_of(cache.pieces[index].dataset) > 0
    ]
    if not pieces:
        known = ", ".join(sorted({piece.dataset for piece in cache.pieces})) or "nothing"
        raise CorpusError(
            f"the corpus has no pieces of split {split!r} in the datasets that the recipe {recipe.name} names; "
            f"it holds {known}"
        )
    return pieces


def check_shares(recipe: Recipe, ranks: Ranks) -> None:
    """Raise ConfigError unless a step is a whole number of windows for each rank."""
    for length in sorted(recipe.window_lengths()):
        share = length * recipe.batches.accumulation * ranks.world
        if recipe.batches.tokens % share:
            raise ConfigError(
                f"recipe {recipe.name}: {recipe.batches.tokens} tokens a step are not whole windows of {length} for "
                f"{ranks.world} processes: make batches.tokens a multiple of {share}"
            )


def validation_batches(recipe: Recipe, cache: NoteCache, ranks: Ranks) -> DataLoader[Batch]:
    """Return this rank's share of the validation windows: the same ones at every validation, not augmented."""
    schedule, context = recipe.schedule, recipe.model.context
    plan = WindowPlan(context, context, Augmentation(), _VALIDATION_SEED)
    pieces = used_pieces(recipe, cache, "validation", schedule.validation_datasets)
    data = _dataset(recipe, cache, pieces, plan, schedule.validation_windows)
    return DataLoader(Subset(data, range(ranks.rank, len(data), ranks.world)), batch_size=_VALIDATION_BATCH)


def task_scores(recipe: Recipe, cache: NoteCache) -> TaskScores | None:
    """Return the validation of each task that the recipe trains; None where it trains plain music alone."""
    if recipe.tasks.is_plain:
        return None
    schedule, context = recipe.schedule, recipe.model.context
    plan = WindowPlan(context, context, Augmentation(), _VALIDATION_SEED)
    pieces = used_pieces(recipe, cache, "validation", schedule.validation_datasets)
    data = _dataset(recipe, cache, pieces, plan, recipe.tasks.validation_windows)
    return TaskScores(data, list(recipe.tasks.shares()), recipe.tasks.validation_windows)


def training_steps(
    recipe: Recipe,
    cache: NoteCache,
    ranks: Ranks,
    first: int,
    rewriting: Rewriting | None = None,
    long_from: Callable[[], int | None] | None = None,
) -> Iterator[list[Batch]]:
    """Yield this rank's parts of each step from step `first` on; the ranks take turns in the windows of a step.

    Without end where the recipe goes by the clock. `long_from` is asked before each step for the step from which on
    windows are as long as the context, None while that is not known; unless given, the recipe knows.
    """
    pieces, mixture = used_pieces(recipe, cache, "train"), Mixture.of(recipe.tasks)
    ask = long_from or (lambda: recipe.long_from)
    step, end = first, recipe.schedule.steps or _OPEN_END
    while step < end:
        known = ask()
        length = recipe.window_at(step, known)
        until = end if known is None or step >= known else min(known, end)
        cues = recipe.tasks.cues and rewriting is None
        plan = WindowPlan(length, recipe.model.context, recipe.augmentation, recipe.seed, mixture, cues, rewriting)
        data = _dataset(recipe, cache, pieces, plan, sys.maxsize)
        per_step = recipe.batches.tokens // length
        begin = windows_before(recipe, step, known)
        # Window after window: those of one step come together, and the ranks take every so manyth of them.
        indices = range(begin + ranks.rank, min(begin + (until - step) * per_step, sys.maxsize), ranks.world)
        parts = iter(_loader(recipe, ranks, Subset(data, indices), per_step))
        while step < until and recipe.window_at(step, ask()) == length:
            yield [next(parts) for _ in range(recipe.batches.accumulation)]
            step += 1


def windows_before(recipe: Recipe, step: int, long_from: int | None) -> int:
    """Return how many windows all ranks have taken before a step."""
    turn = step if long_from is None else min(step, long_from)
    short = turn * (recipe.batches.tokens // recipe.window_at(0, long_from)) if turn else 0
    return short + (step - turn) * (recipe.batches.tokens // recipe.model.context)


def _loader(recipe: Recipe, ranks: Ranks, windows: Subset[Batch], per_step: int) -> DataLoader[Batch]:
    return DataLoader(
        windows,
        batch_size=per_step // ranks.world // recipe.batches.accumulation,
        num_workers=recipe.batches.workers,
        worker_init_fn=leave_to_the_trainer,
        pin_memory=ranks.device.type == "cuda",
    )


def _dataset(recipe: Recipe, cache: NoteCache, pieces: list[int], plan: WindowPlan, count: int) -> WindowDataset:
    weights = [recipe.weight_of(cache.pieces[index].dataset) for index in pieces]
    return WindowDataset(cache, pieces, weights, plan, count)
