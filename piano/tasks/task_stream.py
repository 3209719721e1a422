"""An exercise as a stream of tokens: the head, then window after window, each behind its preview.

    BOS task style*   [ PREVIEW (TIME* ON(given, pitch) [VEL])* PLAY ] events of a window   [ PREVIEW … ] …

Where windows meet, and how the clock of a preview belongs to that of its window:

- shared clock: windows are of equal length. TIME brings the stream to the end of a window exactly, so that preview
  and window both count from there. The preview looks `LOOK_AHEAD_S` past its window's end. Where onsets are noisy it
  also shows what lies a margin before the window and after it, and its clock begins that margin earlier.
- gaps: a window begins with each gap; the preview shows what is given in the gap (nothing) and a while after it.
- order: a preview announces a number of notes. When the last of them has been pressed, the next preview comes at
  once, in mid-time. Its clock begins with the note before its first (the very first preview's, with its first note),
  so that a score goes on without a seam.

What is forced by the layout itself (previews, and the wait up to the end of a window) is nobody's music: it is marked
as `Part.FORCED` and trained on by nobody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from piano.events import Role
from piano.tasks.exercise import Asked, Exercise, PreviewClock
from piano.tasks.previews import Announcement, SharedClock, announcements, order_of, whole_steps
from piano.tokens.encoding import TokenArray, encode
from piano.tokens.vocabulary import VOCABULARY, Kind


class Part(IntEnum):
    """What a token of a stream is to training."""

    FORCED = 0
    """The head, a preview, a wait that the layout demands, or a key of which only the velocity is asked: no loss."""
    KNOWN = 1
    """An event of the other role or a cue, forced when playing; trained on: the model is one of all together."""
    ASKED = 2
    """What the model has to find."""


@dataclass(frozen=True, slots=True)
class TaskStream:
    """The tokens of an exercise, and what each is: all (length,), of which `head` come before all else.

    `targets` is what the model has to say in place of each token: the token itself, but the true velocity where the
    stream shows what a keyboard read.
    """

    tokens: TokenArray
    targets: TokenArray
    parts: NDArray[np.uint8]
    head: int


@dataclass(frozen=True, slots=True)
class PreviewSize:
    """How much one preview announces: a length of time, or so many notes where notes are all that counts."""

    window_s: float = 4.0
    notes: int = 24


@dataclass(frozen=True, slots=True)
class _Block:
    """A window: its first event, the step of the stream's clock where it begins, and its preview (empty for none)."""

    first: int
    step: int
    preview: TokenArray


@dataclass(frozen=True, slots=True)
class _Line:
    """The events of a performance as tokens, and where each event is in them."""

    tokens: TokenArray
    targets: TokenArray
    at: NDArray[np.intp]  # (events,) where each event's own token stands
    end: NDArray[np.intp]  # (events,) where its tokens end
    step: NDArray[np.int64]  # (events,)
    is_on: NDArray[np.bool_]  # (events,)
    parts: NDArray[np.uint8]  # (tokens,)


def task_stream(
    exercise: Exercise,
    *,
    styles: Sequence[str] = (),
    size: PreviewSize | None = None,
    origin_s: float = 0.0,
    limit: int | None = None,
) -> TaskStream:
    """Return the stream of an exercise from `origin_s` on, with previews of a size (None: without).

    After `limit` tokens no further window is begun; what comes back may be longer, for the caller to cut.
    """
    shown = size if exercise.preview is not None else None
    names = [VOCABULARY.style(style) for style in styles]
    head = np.array([VOCABULARY.bos, VOCABULARY.task(exercise.task), *names], np.int32)
    line = _line(exercise, origin_s)
    blocks = _blocks(exercise, shown, line, origin_s) if shown else iter([_Block(0, 0, _NOTHING)])
    pieces = [_Piece(head, head, np.zeros(head.size, np.uint8))]
    length, clock = int(head.size), 0
    block: _Block | None = next(blocks)
    while block is not None and (limit is None or length < limit):
        following = next(blocks, None)
        end = following.first if following else line.at.size
        window = list(_window(line, block, end, clock))
        pieces += window
        length += sum(piece.tokens.size for piece in window)
        clock = int(line.step[end - 1]) if end > block.first else block.step
        block = following
    tokens, targets, parts = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return TaskStream(tokens, targets, parts, int(head.size))


_NOTHING = np.zeros(0, np.int32)


class _Piece(NamedTuple):
    """A part of a `TaskStream`."""

    tokens: TokenArray
    targets: TokenArray
    parts: NDArray[np.uint8]


def _window(line: _Line, block: _Block, end: int, clock: int) -> Iterator[_Piece]:
    """Yield the pieces of one window: the wait for it, its preview, and its events up to event `end`."""
    wait = np.array(VOCABULARY.wait(block.step - clock), np.int32)
    forced = np.concatenate([wait, block.preview])
    yield _Piece(forced, forced, np.zeros(forced.size, np.uint8))
    if end > block.first:
        at = int(line.at[block.first])
        first_wait = np.array(VOCABULARY.wait(int(line.step[block.first]) - block.step), np.int32)
        yield _Piece(first_wait, first_wait, np.full(first_wait.size, line.parts[at]))
        these = slice(at, int(line.end[end - 1]))
        yield _Piece(line.tokens[these], line.targets[these], line.parts[these])


def _line(exercise: Exercise, origin_s: float) -> _Line:
    tokens, targets = (
        encode(performance, roles=exercise.roles, pedal_roles=exercise.pedal_roles, origin_s=origin_s)
        for performance in (exercise.as_heard, exercise.performance)
    )
    kinds = VOCABULARY.kinds[tokens]
    is_time, is_velocity = kinds == Kind.TIME, kinds == Kind.VELOCITY
    at = np.flatnonzero(~is_time & ~is_velocity)
    is_on = kinds[at] == Kind.ON
    steps = np.cumsum(np.where(is_time, VOCABULARY.values[tokens], 0))
    if exercise.asked is Asked.VELOCITIES:
        parts = np.where(is_velocity, np.uint8(Part.ASKED), np.uint8(Part.FORCED))
    else:
        end = at + 1 + is_on
        of_event = np.searchsorted(end, np.arange(tokens.size), side="right")
        own = (VOCABULARY.roles[tokens[at]] == Role.OWN) & (kinds[at] != Kind.CUE)
        parts = np.where(own[of_event] if at.size else is_time, np.uint8(Part.ASKED), np.uint8(Part.KNOWN))
    return _Line(tokens, targets, at, at + 1 + is_on, steps[at], is_on, parts)


def _blocks(exercise: Exercise, size: PreviewSize, line: _Line, origin_s: float) -> Iterator[_Block]:
    preview = exercise.preview
    if preview is None:
        raise ValueError(f"there is no preview in an exercise of {exercise.task!r}")
    if preview.clock is PreviewClock.ORDER:
        order = order_of(exercise.performance.notes, origin_s)
        return _blocks_in_order(announcements(preview, order, size.notes), line)
    clock = SharedClock(preview, origin_s)
    if exercise.task == "gap":
        return _blocks_at_gaps(exercise, clock, line, origin_s)
    return _blocks_in_time(clock, whole_steps(size.window_s), line)


def _blocks_in_time(clock: SharedClock, window: int, line: _Line) -> Iterator[_Block]:
    last = int(line.step[-1]) if line.step.size else 0
    for start in range(0, last + 1, window):
        yield _Block(int(np.searchsorted(line.step, start)), start, clock.window(start, window))


def _blocks_at_gaps(exercise: Exercise, clock: SharedClock, line: _Line, origin_s: float) -> Iterator[_Block]:
    """Yield a window from each gap to the next; one before the first gap has no preview."""
    spans = [(whole_steps(gap.start_s - origin_s), whole_steps(gap.end_s - origin_s)) for gap in exercise.gaps]
    heard = [(max(start, 0), end) for start, end in spans if end > 0]
    if not heard or heard[0][0] > 0:
        yield _Block(0, 0, _NOTHING)
    for start, end in heard:
        first = int(np.searchsorted(line.step, start))
        if first == line.at.size:
            return
        yield _Block(first, start, clock.gap(start, end))


def _blocks_in_order(shown: Iterator[Announcement], line: _Line) -> Iterator[_Block]:
    presses = np.flatnonzero(line.is_on)
    for before, tokens in shown:
        last = int(presses[before - 1]) if before else -1
        yield _Block(last + 1, int(line.step[last]) if before else 0, tokens)
