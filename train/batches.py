"""Which windows each step takes: a pure function of recipe, step and rank, so that a resumed run takes the same."""

import itertools
from collections.abc import Iterator

from torch import Tensor
from torch.utils.data import DataLoader, Subset

from piano.errors import ConfigError, CorpusError
from train.corpus import NoteCache
from train.mixture import Mixture
from train.ranks import Ranks
from train.recipe import Augmentation, Recipe
from train.rewritings import Rewriting
from train.task_scores import TaskScores
from train.windows import WindowDataset, WindowPlan

Batch = tuple[Tensor, Tensor, Tensor]
"""Tokens, targets and positions, each (windows, length)."""

_VALIDATION_SEED = 7_777_777
_VALIDATION_BATCH = 8


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
    recipe: Recipe, cache: NoteCache, ranks: Ranks, first: int, rewriting: Rewriting | None = None
) -> Iterator[list[Batch]]:
    """Yield this rank's parts of each step from step `first` on; the ranks take turns in the windows of a step."""
    pieces, mixture = used_pieces(recipe, cache, "train"), Mixture.of(recipe.tasks)
    windows_before = 0
    for length, start, end in stretches(recipe):
        per_step = recipe.batches.tokens // length
        of_a_rank = per_step // ranks.world
        begin = max(start, first)
        if begin < end:
            plan = WindowPlan(length, recipe.model.context, recipe.augmentation, recipe.seed, mixture, rewriting)
            data = _dataset(recipe, cache, pieces, plan, windows_before + (end - start) * per_step)
            indices = [
                windows_before + (step - start) * per_step + turn * ranks.world + ranks.rank
                for step in range(begin, end)
                for turn in range(of_a_rank)
            ]
            loader = DataLoader(
                Subset(data, indices),
                batch_size=of_a_rank // recipe.batches.accumulation,
                num_workers=recipe.batches.workers,
                pin_memory=ranks.device.type == "cuda",
            )
            parts = iter(loader)
            for _ in range(begin, end):
                yield [next(parts) for _ in range(recipe.batches.accumulation)]
        windows_before += (end - start) * per_step


def stretches(recipe: Recipe) -> list[tuple[int, int, int]]:
    """Return the runs of steps with windows of one length: (length, first step, step after the last)."""
    steps = recipe.schedule.steps
    changes = [step for step in range(1, steps) if recipe.window_at(step) != recipe.window_at(step - 1)]
    bounds = [0, *changes, steps]
    return [(recipe.window_at(start), start, end) for start, end in itertools.pairwise(bounds)]


def _dataset(recipe: Recipe, cache: NoteCache, pieces: list[int], plan: WindowPlan, count: int) -> WindowDataset:
    weights = [recipe.weight_of(cache.pieces[index].dataset) for index in pieces]
    return WindowDataset(cache, pieces, weights, plan, count)
