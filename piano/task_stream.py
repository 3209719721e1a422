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

import numpy as np
from numpy.typing import NDArray

from piano.encoding import TokenArray, encode
from piano.events import Role
from piano.exercise import Asked, Clock, Exercise, Preview
from piano.notes import HIGHEST_PITCH, LOWEST_PITCH, NoteArray
from piano.vocabulary import KEYS, LONGEST_TIME_STEPS, STEP_NS, STEP_S, VELOCITIES_PER_BIN, VOCABULARY, Kind

LOOK_AHEAD_S = 1.0
"""How far a preview on the shared clock shows beyond the end of its window."""

AFTER_GAP_S = 3.0
"""How much a preview shows of what follows a gap."""

LIVE_TASK_OF = {"velocity": "continue", "denoise_velocity": "continue", "clean_velocity": "continue"}
"""The task under which one plays without a preview: for velocities that of plain music, see `piano.repair_tasks`."""


class Part(IntEnum):
    """What a token of a stream is to training."""

    FORCED = 0
    """The head, a preview, or a wait that the layout demands: no loss."""
    KNOWN = 1
    """An event that is forced when playing; trained on, since the model is one of all roles together."""
    ASKED = 2
    """What the model has to find."""


@dataclass(frozen=True, slots=True)
class TaskStream:
    """The tokens of an exercise, and what each is: both (length,), of which `head` come before all else."""

    tokens: TokenArray
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

    After `limit` tokens no further window is begun; what comes back may be longer, for the caller to cut. An exercise
    whose task cannot be told from plain music without its preview goes under the task of plain music then.
    """
    shown = size if exercise.preview is not None else None
    task = exercise.task if shown else LIVE_TASK_OF.get(exercise.task, exercise.task)
    head = np.array([VOCABULARY.bos, VOCABULARY.task(task), *(VOCABULARY.style(style) for style in styles)], np.int32)
    line = _line(exercise, origin_s)
    blocks = _blocks(exercise, shown, line, origin_s) if shown else iter([_Block(0, 0, _NOTHING)])
    tokens, parts = [head], [np.zeros(head.size, np.uint8)]
    length, clock = int(head.size), 0
    block: _Block | None = next(blocks)
    while block is not None and (limit is None or length < limit):
        following = next(blocks, None)
        end = following.first if following else line.at.size
        for piece, kind in _window(line, block, end, clock):
            tokens.append(piece)
            parts.append(kind)
            length += piece.size
        clock = int(line.step[end - 1]) if end > block.first else block.step
        block = following
    return TaskStream(np.concatenate(tokens), np.concatenate(parts), int(head.size))


def without_previews(tokens: TokenArray) -> TokenArray:
    """Return a stream without its previews: the head and the events alone, as the grammar and `decode` take them."""
    inside = np.cumsum(tokens == VOCABULARY.preview) > np.cumsum(tokens == VOCABULARY.play)
    kept: TokenArray = tokens[~inside & (tokens != VOCABULARY.play)]
    return kept


_NOTHING = np.zeros(0, np.int32)
_Piece = tuple[TokenArray, NDArray[np.uint8]]


def _window(line: _Line, block: _Block, end: int, clock: int) -> Iterator[_Piece]:
    """Yield the pieces of one window: the wait for it, its preview, and its events up to event `end`."""
    wait = np.array(VOCABULARY.wait(block.step - clock), np.int32)
    forced = np.concatenate([wait, block.preview])
    yield forced, np.zeros(forced.size, np.uint8)
    if end > block.first:
        at = int(line.at[block.first])
        first_wait = np.array(VOCABULARY.wait(int(line.step[block.first]) - block.step), np.int32)
        yield first_wait, np.full(first_wait.size, line.parts[at])
        these = slice(at, int(line.end[end - 1]))
        yield line.tokens[these], line.parts[these]


def _line(exercise: Exercise, origin_s: float) -> _Line:
    tokens = encode(exercise.performance, roles=exercise.roles, pedal_roles=exercise.pedal_roles, origin_s=origin_s)
    kinds = VOCABULARY.kinds[tokens]
    is_time, is_velocity = kinds == Kind.TIME, kinds == Kind.VELOCITY
    at = np.flatnonzero(~is_time & ~is_velocity)
    is_on = kinds[at] == Kind.ON
    steps = np.cumsum(np.where(is_time, VOCABULARY.values[tokens], 0))
    if exercise.asked is Asked.VELOCITIES:
        parts = np.where(is_velocity, np.uint8(Part.ASKED), np.uint8(Part.KNOWN))
    else:
        end = at + 1 + is_on
        of_event = np.searchsorted(end, np.arange(tokens.size), side="right")
        own = VOCABULARY.roles[tokens[at]] == Role.OWN
        parts = np.where(own[of_event] if at.size else is_time, np.uint8(Part.ASKED), np.uint8(Part.KNOWN))
    return _Line(tokens, at, at + 1 + is_on, steps[at], is_on, parts)


def _blocks(exercise: Exercise, size: PreviewSize, line: _Line, origin_s: float) -> Iterator[_Block]:
    preview = exercise.preview
    if preview is None:
        raise ValueError(f"there is no preview in an exercise of {exercise.task!r}")
    if preview.clock is Clock.ORDER:
        return _blocks_in_order(preview, size.notes, line, origin_s, exercise.performance.notes)
    shown = _shown_steps(preview.notes, origin_s)
    if exercise.task == "gap":
        return _blocks_at_gaps(exercise, shown, line, origin_s)
    return _blocks_in_time(preview, shown, _steps(size.window_s), line)


def _blocks_in_time(preview: Preview, shown: NDArray[np.int64], window: int, line: _Line) -> Iterator[_Block]:
    margin = _steps(preview.margin_s)
    beyond = margin + _steps(LOOK_AHEAD_S) * (margin == 0)
    last = int(line.step[-1]) if line.step.size else 0
    for start in range(0, last + 1, window):
        begin = start - margin
        these = np.flatnonzero((shown >= begin) & (shown < start + window + beyond))
        tokens = _preview_tokens(preview, these, shown[these] - begin)
        yield _Block(int(np.searchsorted(line.step, start)), start, tokens)


def _blocks_at_gaps(exercise: Exercise, shown: NDArray[np.int64], line: _Line, origin_s: float) -> Iterator[_Block]:
    """Yield a window from each gap to the next; one before the first gap has no preview."""
    preview = exercise.preview
    spans = [(_steps(gap.start_s - origin_s), _steps(gap.end_s - origin_s)) for gap in exercise.gaps]
    heard = [(max(start, 0), end) for start, end in spans if end > 0]
    if preview is None or not heard or heard[0][0] > 0:
        yield _Block(0, 0, _NOTHING)
    for start, end in heard:
        first = int(np.searchsorted(line.step, start))
        if preview is None or first == line.at.size:
            return
        these = np.flatnonzero((shown >= start) & (shown < end + _steps(AFTER_GAP_S)))
        yield _Block(first, start, _preview_tokens(preview, these, shown[these] - start))


def _blocks_in_order(preview: Preview, count: int, line: _Line, origin_s: float, played: NoteArray) -> Iterator[_Block]:
    """Yield windows of so many notes each; the n-th note that is shown is the n-th that is pressed."""
    step = _shown_steps(played, origin_s)
    heard = np.flatnonzero((step >= 0) & (played["pitch"] >= LOWEST_PITCH) & (played["pitch"] <= HIGHEST_PITCH))
    heard = heard[np.lexsort((played["pitch"][heard], step[heard]))]
    shown = np.sort(_shown_steps(preview.notes, 0.0)[heard])
    presses = np.flatnonzero(line.is_on)
    yield _Block(0, 0, _preview_tokens(preview, heard[:count], shown[:count] - shown[:1]))
    for start in range(count, heard.size, count):
        before = int(presses[start - 1])
        these = slice(start, start + count)
        tokens = _preview_tokens(preview, heard[these], shown[these] - shown[start - 1])
        yield _Block(before + 1, int(line.step[before]), tokens)


def _preview_tokens(preview: Preview, these: NDArray[np.intp], steps: NDArray[np.int64]) -> TokenArray:
    """Return the tokens of a preview of some of its notes, at steps in order, counted from its beginning."""
    notes = preview.notes[these]
    on_piano = (notes["pitch"] >= LOWEST_PITCH) & (notes["pitch"] <= HIGHEST_PITCH)
    notes, steps = notes[on_piano], steps[on_piano]
    seconds, rest = np.divmod(np.diff(steps, prepend=0), LONGEST_TIME_STEPS)
    has_velocity = int(preview.shows_velocity)
    end = np.cumsum(seconds + (rest > 0) + 1 + has_velocity)
    total = int(end[-1]) if end.size else 0
    tokens = np.full(total + 2, VOCABULARY.time(LONGEST_TIME_STEPS), np.int32)
    tokens[0], tokens[-1] = VOCABULARY.preview, VOCABULARY.play
    at = end - has_velocity
    tokens[at] = VOCABULARY.first_on + Role.GIVEN * KEYS + notes["pitch"].astype(np.int64) - LOWEST_PITCH
    if has_velocity:
        tokens[end] = VOCABULARY.first_velocity + notes["velocity"].astype(np.int64) // VELOCITIES_PER_BIN
    tokens[at[rest > 0] - 1] = VOCABULARY.first_time + rest[rest > 0] - 1
    return tokens


def _shown_steps(notes: NoteArray, origin_s: float) -> NDArray[np.int64]:
    """Return the step of each onset, rounded as the encoder does."""
    onset_ns = np.rint((notes["onset_s"] - origin_s) * 1e9).astype(np.int64)
    return np.asarray((onset_ns + STEP_NS // 2) // STEP_NS, np.int64)


def _steps(seconds: float) -> int:
    return round(seconds / STEP_S)
