"""Training windows: cut from the corpus, augmented and turned into tokens on the fly.

Window `index` is a pure function of the recipe, the seed and the index: workers, ranks and a resumed run agree on
it without talking to each other.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from piano.notes import HIGHEST_PITCH, LOWEST_PITCH, Performance
from piano.tasks.task_stream import Part, TaskStream
from piano.tokens.vocabulary import VOCABULARY
from train.corpus.note_cache import NoteCache, Piece
from train.dataset.mixture import Draw, Mixture, PieceCut, stream_of
from train.dataset.rewritings import Rewriting
from train.dataset.styles import composer_style, density_style, source_style
from train.recipe import Augmentation

IGNORED = -100
"""The target that carries no loss, PyTorch's default."""

STYLE_KEPT = 0.5
"""The share of windows in which a style that is known is shown."""

OPENING_SHARE = 0.05
"""The share of windows that begin where the piece begins."""

_FEWEST_TOKENS_A_NOTE = 3
_LONGEST_REACH_NOTES = 64
_PLAIN = Draw("continue", None)


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """What all windows of a data set have in common; lengths in tokens."""

    length: int
    context: int
    augmentation: Augmentation
    seed: int
    mixture: Mixture | None = None
    """Which tasks the windows are; None: plain music, all of them."""
    rewriting: Rewriting | None = None
    """Another layout of the tokens, of plain music alone; None: the vocabulary's."""


class WindowDataset(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Windows drawn from the given pieces of a cache, each piece as often as its notes times its weight.

    An item is (tokens, targets, positions), each int64 of shape (length,). Windows shorter than the context lie at
    a random place in it, so that every position is trained.
    """

    def __init__(self, cache: NoteCache, pieces: list[int], weights: list[float], plan: WindowPlan, count: int) -> None:
        self.cache, self.pieces, self.plan, self.count = cache, pieces, plan, count
        share = cache.note_counts[pieces] * np.array(weights, np.float64)
        self.cumulative = np.cumsum(share / share.sum())

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        rng = np.random.default_rng([self.plan.seed, index])
        stream = self.stream(self.piece_at(rng.random()), rng)
        length = self.plan.length
        size = min(stream.tokens.size - 1, length)
        following, parts = stream.answers[1 : size + 1], stream.parts[1 : size + 1]
        tokens = np.full(length, VOCABULARY.pad, np.int64)
        targets = np.full(length, IGNORED, np.int64)
        tokens[:size] = stream.tokens[:size]
        targets[:size] = np.where(parts == Part.FORCED, IGNORED, following)
        offset = int(rng.integers(0, self.plan.context - length + 1))
        return torch.from_numpy(tokens), torch.from_numpy(targets), torch.arange(offset, offset + length)

    def piece_at(self, share: float) -> int:
        """Return the piece that lies at a share, 0 to 1, of all pieces laid end to end."""
        return self.pieces[min(int(np.searchsorted(self.cumulative, share)), len(self.pieces) - 1)]

    def stream(self, number: int, rng: np.random.Generator, draw: Draw | None = None) -> TaskStream:
        """Return one random window of a piece as a stream, which may be longer than the window.

        It is of the given task, else of one drawn from the plan's mixture.
        """
        whole = self.cache.performance(number)
        start = self._start(whole.notes.size, rng)
        wanted = self.plan.length // _FEWEST_TOKENS_A_NOTE + 2 * _LONGEST_REACH_NOTES
        cut, origin_s, is_last = _cut(whole, start, wanted)
        cut, stretch = augment(cut, self.plan.augmentation, rng)
        if self.plan.rewriting:
            cut = self.plan.rewriting.performance(cut, origin_s * stretch)
        piece = self.cache.pieces[number]
        part = PieceCut(piece, cut, origin_s * stretch, is_last, _styles(piece, cut, start == 0, rng))
        if draw is None:
            draw = self.plan.mixture.draw(rng) if self.plan.mixture else _PLAIN
        stream = stream_of(part, draw, rng, self.plan.length + 1)
        return _rewritten(stream, self.plan.rewriting) if self.plan.rewriting else stream

    def _start(self, notes: int, rng: np.random.Generator) -> int:
        last = max(0, notes - self.plan.length // 5)
        return 0 if rng.random() < OPENING_SHARE else int(rng.integers(0, last + 1))


def _rewritten(stream: TaskStream, rewriting: Rewriting) -> TaskStream:
    """Return a stream of plain music in another layout."""
    tokens = np.concatenate([stream.tokens[: stream.head], rewriting.write(stream.tokens[stream.head :])])
    parts = np.full(tokens.size, Part.ASKED, np.uint8)
    parts[: stream.head] = Part.FORCED
    return TaskStream(tokens, tokens, parts, stream.head)


def _cut(whole: Performance, start: int, wanted: int) -> tuple[Performance, float, bool]:
    """Return the part from note `start` on, where its time begins, and whether the piece ends in it."""
    notes = whole.notes
    origin_s = float(notes["onset_s"][start]) if start else 0.0
    first, end = max(0, start - _LONGEST_REACH_NOTES), min(notes.size, start + wanted)
    is_last = end == notes.size
    horizon_s = np.inf if is_last else float(notes["onset_s"][end])
    pedal_s = whole.pedals["time_s"]
    pedals = whole.pedals[(pedal_s >= origin_s) & (pedal_s < horizon_s)]
    return Performance(notes[first:end], pedals), origin_s, is_last


def augment(part: Performance, how: Augmentation, rng: np.random.Generator) -> tuple[Performance, float]:
    """Return the part transposed, stretched in time and louder or softer at random, and the stretch.

    A transposition never moves a key off the piano.
    """
    notes, pedals = part.notes.copy(), part.pedals.copy()
    low = max(-how.transpose_semitones, LOWEST_PITCH - int(notes["pitch"].min(initial=HIGHEST_PITCH)))
    high = min(how.transpose_semitones, HIGHEST_PITCH - int(notes["pitch"].max(initial=LOWEST_PITCH)))
    notes["pitch"] += np.int64(rng.integers(min(low, 0), max(high, 0) + 1)).astype(np.uint8)
    stretch = float(np.exp(rng.uniform(-how.tempo, how.tempo)))
    for column in ("onset_s", "duration_s"):
        notes[column] *= stretch
    pedals["time_s"] *= stretch
    gain = np.exp(rng.uniform(-how.dynamics, how.dynamics))
    notes["velocity"] = np.clip(np.rint(notes["velocity"] * gain), 1, 127).astype(np.uint8)
    return Performance(notes, pedals), stretch


def _styles(piece: Piece, part: Performance, is_opening: bool, rng: np.random.Generator) -> tuple[str, ...]:
    """Return what is known of a part in words of the vocabulary, each left out at random."""
    onsets = part.notes["onset_s"]
    styles = (
        composer_style(piece.composer),
        source_style(piece.dataset),
        density_style(onsets.size, float(onsets[-1] - onsets[0])) if onsets.size else None,
        "opening" if is_opening else None,
    )
    return tuple(style for style in styles if style is not None and rng.random() < STYLE_KEPT)
