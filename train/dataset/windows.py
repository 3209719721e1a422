"""Training windows: cut from the corpus, augmented and turned into tokens on the fly.

Window `index` is a pure function of the recipe, the seed and the index: workers, ranks and a resumed run agree on
it without talking to each other.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from piano.cue_arrays import transposed
from piano.events import HIGHEST_PITCH, LOWEST_PITCH
from piano.notes import Performance
from piano.tasks.task_stream import Part, TaskStream
from piano.tokens.vocabulary import VOCABULARY
from train.corpus.note_cache import NoteCache, Piece
from train.dataset.mixture import Draw, Mixture, PieceCut, stream_of
from train.dataset.rewritings import Rewriting
from train.dataset.shown_cues import shown_cues
from train.dataset.styles import CLIPS, composer_style, density_style, mood_style, source_style
from train.recipe import Augmentation

IGNORED = -100
"""The target that carries no loss, PyTorch's default."""

STYLE_KEPT = 0.5
"""The share of windows in which a style that is known is shown."""

OPENING_SHARE = 0.05
"""The share of windows that begin where the piece begins."""

ENDING_SHARE = 0.04
"""The share of windows that reach to the end of the piece, so that it is learned how music ends."""

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
    cues: bool = False
    """Whether windows show cues (`train.dataset.shown_cues`): beats, chords, the ending."""
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
        following, parts = stream.targets[1 : size + 1], stream.parts[1 : size + 1]
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
        piece = self.cache.pieces[number]
        cut, origin_s, is_last = _cut(whole, start, wanted)
        is_last &= piece.dataset not in CLIPS
        if self.plan.cues:
            horizon_s = float(cut.notes["onset_s"][-1]) if cut.notes.size else origin_s
            told = shown_cues(self.cache.cues(number), origin_s, horizon_s, cut.end_s if is_last else None, rng)
            cut = replace(cut, cues=told)
        cut, stretch = augment(cut, self.plan.augmentation, rng)
        if self.plan.rewriting:
            cut = self.plan.rewriting.performance(cut, origin_s * stretch)
        part = PieceCut(piece, cut, origin_s * stretch, is_last, _styles(piece, cut, start == 0, rng))
        if draw is None:
            draw = self.plan.mixture.draw(rng) if self.plan.mixture else _PLAIN
        stream = stream_of(part, draw, rng, self.plan.length + 1)
        return _rewritten(stream, self.plan.rewriting) if self.plan.rewriting else stream

    def _start(self, notes: int, rng: np.random.Generator) -> int:
        last = max(0, notes - self.plan.length // 5)
        place = rng.random()
        if place < OPENING_SHARE:
            return 0
        start = int(rng.integers(0, last + 1))
        return max(0, notes - self.plan.length // 6) if self.plan.cues and place > 1 - ENDING_SHARE else start


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
    semitones = int(rng.integers(min(low, 0), max(high, 0) + 1))
    notes["pitch"] += np.int64(semitones).astype(np.uint8)
    stretch = float(np.exp(rng.uniform(-how.tempo, how.tempo)))
    for column in ("onset_s", "duration_s"):
        notes[column] *= stretch
    pedals["time_s"] *= stretch
    cues = part.cues.copy()
    cues["time_s"] *= stretch
    cues["code"] = transposed(cues["code"], semitones)
    gain = np.exp(rng.uniform(-how.dynamics, how.dynamics))
    notes["velocity"] = np.clip(np.rint(notes["velocity"] * gain), 1, 127).astype(np.uint8)
    return Performance(notes, pedals, cues), stretch


def _styles(piece: Piece, part: Performance, is_opening: bool, rng: np.random.Generator) -> tuple[str, ...]:
    """Return what is known of a part in words of the vocabulary, each left out at random."""
    onsets = part.notes["onset_s"]
    styles = (
        composer_style(piece.composer),
        source_style(piece.dataset),
        density_style(onsets.size, float(onsets[-1] - onsets[0])) if onsets.size else None,
        mood_style(piece.dataset, piece.file),
        "opening" if is_opening and piece.dataset not in CLIPS else None,
    )
    return tuple(style for style in styles if style is not None and rng.random() < STYLE_KEPT)
