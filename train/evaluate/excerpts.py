"""Excerpts to measure tasks on: stretches of performances, drawn once and for all by a seed.

The same pieces, number, length and seed give the same excerpts, whatever is measured on them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from piano.errors import CorpusError, MidiFileError
from piano.midi.file import read_performance
from piano.notes import PEDAL, NoteMask, Performance
from piano.tasks.exercise import Exercise
from piano.tasks.pose import pose
from piano.tokens.vocabulary import TASKS
from train.corpus.cleaning import clean
from train.corpus.note_cache import NoteCache
from train.corpus.sources import midi_files
from train.dataset.mixture import true_right_hand

NOTES_PLAN, VELOCITY_PLAN = (16, 20.0), (96, 60.0)
"""How many excerpts of how many seconds, unless asked otherwise: velocities need no sampling and go fast."""

FEWEST_NOTES = 16
"""An excerpt with fewer notes says nothing and is drawn anew."""

_DRAWS = 20


@dataclass(frozen=True, slots=True)
class ExcerptPlan:
    """How many excerpts there are, and how many seconds long each is at most (None: the whole piece)."""

    count: int
    length_s: float | None
    seed: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a performance whose time begins with it; `right` are the right hand's notes, where that is known."""

    name: str
    performance: Performance
    right: NoteMask | None = None

    @property
    def file(self) -> str:
        """Return the file of its piece: the name up to the number of the excerpt."""
        return self.name.rpartition("#")[0]

    def pose(self, task: str, seed: int) -> Exercise:
        """Return a task's exercise on it, the same for the same seed; an excerpt's name is part of the seed."""
        rng = np.random.default_rng([seed, TASKS.index(task), *self.name.encode()])
        return pose(task, self.performance, rng, right=self.right)


def cut(performance: Performance, start_s: float, end_s: float, right: NoteMask | None, name: str) -> Excerpt:
    """Return the notes that begin within a stretch; a pedal that is down where it begins goes down there."""
    notes, pedals = performance.notes, performance.pedals
    inside = (notes["onset_s"] >= start_s) & (notes["onset_s"] < end_s)
    kept = notes[inside].copy()
    kept["onset_s"] -= start_s
    first, end = np.searchsorted(pedals["time_s"], [start_s, end_s])
    changes = pedals[first:end].copy()
    changes["time_s"] -= start_s
    if first and pedals["down"][first - 1]:
        changes = np.concatenate([np.array([(0.0, True)], PEDAL), changes])
    return Excerpt(name, Performance(kept, changes), None if right is None else right[inside])


def draw_excerpts(cache: NoteCache, pieces: Sequence[int], plan: ExcerptPlan) -> Iterator[Excerpt]:
    """Yield excerpts of pieces of a cache; a piece comes again only when all others have come."""
    for number, (piece, rng) in enumerate(_places(len(pieces), plan)):
        index = pieces[piece]
        performance = cache.performance(index)
        right = true_right_hand(cache.pieces[index], performance)
        yield _draw(performance, right, plan, rng, f"{cache.pieces[index].file}#{number}")


def excerpts_of_folder(folder: Path, plan: ExcerptPlan) -> Iterator[Excerpt]:
    """Yield excerpts of the MIDI files of a folder; damaged files and those with hardly a note are passed over."""
    performances = []
    for path in midi_files(folder):
        try:
            performance = clean(read_performance(path)).performance
        except MidiFileError:
            continue
        if performance.notes.size >= FEWEST_NOTES:
            performances.append((str(path.relative_to(folder)), performance))
    if not performances:
        raise CorpusError(f"{folder}: there are no MIDI files with at least {FEWEST_NOTES} notes in this folder")
    for number, (piece, rng) in enumerate(_places(len(performances), plan)):
        name, performance = performances[piece]
        yield _draw(performance, None, plan, rng, f"{name}#{number}")


def _places(pieces: int, plan: ExcerptPlan) -> Iterator[tuple[int, np.random.Generator]]:
    """Yield for each excerpt the number of its piece and the generator that places it in the piece."""
    rng = np.random.default_rng(plan.seed)
    order: list[int] = []
    for number in range(plan.count):
        if not order:
            order = rng.permutation(pieces).tolist()
        yield order.pop(), np.random.default_rng([plan.seed, number])


def _draw(
    performance: Performance, right: NoteMask | None, plan: ExcerptPlan, rng: np.random.Generator, name: str
) -> Excerpt:
    """Return an excerpt that begins with a note of the performance, each as likely."""
    onset_s = performance.notes["onset_s"]
    if plan.length_s is None:
        return cut(performance, float(onset_s[:1].sum()), np.inf, right, name)
    latest_s = max(float(onset_s[-1]) - plan.length_s, float(onset_s[0]))
    last = max(int(np.searchsorted(onset_s, latest_s, side="right")), 1)
    for _ in range(_DRAWS):
        start_s = float(onset_s[int(rng.integers(last))])
        excerpt = cut(performance, start_s, start_s + plan.length_s, right, name)
        if excerpt.performance.notes.size >= FEWEST_NOTES:
            break
    return excerpt
