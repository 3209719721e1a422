"""The mixture of tasks that a model is trained on: which task the next window is, and its stream."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.midi.hand_names import hand_tracks
from piano.notes import NoteMask, Performance
from piano.tasks.pose import pose
from piano.tasks.task_stream import Part, PreviewSize, TaskStream, task_stream
from piano.tokens.vocabulary import VOCABULARY
from train.corpus.note_cache import Piece
from train.recipe import Tasks

PREVIEW_S = (2.0, 6.0)
"""The shortest and the longest window that a preview announces, in seconds."""

PREVIEW_NOTES = (8, 48)
"""The fewest and the most notes that a preview announces where it counts notes."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What a window is to be: a task, and how much its previews announce (None: it has none)."""

    task: str
    size: PreviewSize | None


@dataclass(frozen=True, slots=True)
class PieceCut:
    """A part of a piece to be made into a stream: time counts from `origin_s`; `is_last`: the piece ends in it."""

    piece: Piece
    performance: Performance
    origin_s: float
    is_last: bool
    styles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Tasks and how often each comes, as sums of shares from the first on; and how often one has previews."""

    tasks: tuple[str, ...]
    cumulative: NDArray[np.float64]
    preview_share: float

    @staticmethod
    def of(section: Tasks) -> "Mixture | None":
        """Return the mixture of a recipe; None for plain music alone, which draws nothing."""
        if section.is_plain:
            return None
        shares = section.shares()
        return Mixture(tuple(shares), np.cumsum(list(shares.values())), section.preview_share)

    def draw(self, rng: np.random.Generator) -> Draw:
        """Draw a task and the size of its previews."""
        index = min(int(np.searchsorted(self.cumulative, rng.random(), side="right")), len(self.tasks) - 1)
        size = PreviewSize(float(rng.uniform(*PREVIEW_S)), int(rng.integers(PREVIEW_NOTES[0], PREVIEW_NOTES[1] + 1)))
        return Draw(self.tasks[index], size if rng.random() < self.preview_share else None)


def stream_of(part: PieceCut, draw: Draw, rng: np.random.Generator, limit: int) -> TaskStream:
    """Return the stream of a task on a part of a piece, at least up to `limit` tokens where there are so many.

    A task that finds nothing to ask, or nothing to give, in this part becomes plain music.
    """
    right = true_right_hand(part.piece, part.performance)
    exercise = pose(draw.task, part.performance, rng, right=right)
    is_of_two = exercise.preview is None or draw.size is None or bool(exercise.preview.notes.size)
    if not (exercise.asked_notes and is_of_two):
        exercise = pose("continue", part.performance, rng)
    stream = task_stream(exercise, styles=part.styles, size=draw.size, origin_s=part.origin_s, limit=limit)
    if not part.is_last or stream.tokens.size >= limit:
        return stream
    tokens, answers = (np.append(column, np.int32(VOCABULARY.end)) for column in (stream.tokens, stream.targets))
    return TaskStream(tokens, answers, np.append(stream.parts, np.uint8(Part.KNOWN)), stream.head)


def true_right_hand(piece: Piece, performance: Performance) -> NoteMask | None:
    """Return which notes the right hand plays, if the names of the piece's tracks tell it of each note; else None."""
    if not piece.tracks:
        return None
    right, left = (list(hand_tracks(piece.tracks, hand)) for hand in ("right", "left"))
    track = performance.notes["track"]
    if not right or not np.isin(track, right + left).all():
        return None
    return np.asarray(np.isin(track, right), np.bool_)
