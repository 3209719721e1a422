"""What a preview shows, and on which clock: the one place that both the training stream and the player take it from.

All steps are of the stream's clock, counted from its origin. See `piano.tasks.task_stream` for where previews stand.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from piano.events import HIGHEST_PITCH, LOWEST_PITCH, Role
from piano.notes import NoteArray
from piano.tasks.exercise import Preview
from piano.tokens.encoding import TokenArray
from piano.tokens.vocabulary import KEYS, LONGEST_TIME_STEPS, STEP_NS, STEP_S, VELOCITIES_PER_BIN, VOCABULARY

LOOK_AHEAD_S = 1.0
"""How far a preview on the shared clock shows beyond the end of its window."""

AFTER_GAP_S = 3.0
"""How much a preview shows of what follows a gap."""


class Announcement(NamedTuple):
    """A preview on the clock of order: how many notes come before it, and its tokens."""

    before: int
    tokens: TokenArray


class SharedClock:
    """Previews whose notes stand at the steps at which they will be played, or near them."""

    def __init__(self, preview: Preview, origin_s: float = 0.0) -> None:
        self._preview = preview
        self._shown = steps_of(preview.notes, origin_s)
        self._margin = whole_steps(preview.margin_s)
        self._beyond = self._margin or whole_steps(LOOK_AHEAD_S)

    @property
    def latest(self) -> int:
        """Return the last step at which something can be that is shown; -1 if nothing is."""
        return int(self._shown.max()) + self._margin if self._shown.size else -1

    def windows(self, length: int) -> int:
        """Return how many windows of a length, from step 0 on, show something; at least 1."""
        return max(1, self.latest // length + 1)

    def windows_to_show_all(self, length: int) -> int:
        """Return how many windows of a length it takes until each note was in one preview at least; at least 1."""
        return max(1, (self.latest - self._margin - self._beyond) // length + 1)

    def window(self, start: int, length: int) -> TokenArray:
        """Return the preview of a window that begins at a step; its clock begins a margin earlier."""
        begin = start - self._margin
        return self._between(begin, start + length + self._beyond)

    def gap(self, start: int, end: int) -> TokenArray:
        """Return the preview of a gap from one step to another."""
        return self._between(start, end + whole_steps(AFTER_GAP_S))

    def _between(self, begin: int, end: int) -> TokenArray:
        these = np.flatnonzero((self._shown >= begin) & (self._shown < end))
        return _preview_tokens(self._preview, these, self._shown[these] - begin)


def order_of(played: NoteArray, origin_s: float = 0.0) -> NDArray[np.intp]:
    """Return the indices of the notes that have a token, in the order in which they are pressed."""
    step = steps_of(played, origin_s)
    heard = np.flatnonzero((step >= 0) & (played["pitch"] >= LOWEST_PITCH) & (played["pitch"] <= HIGHEST_PITCH))
    return heard[np.lexsort((played["pitch"][heard], step[heard]))]


def announcements(preview: Preview, order: NDArray[np.intp], count: int) -> Iterator[Announcement]:
    """Yield previews of so many notes each; the n-th note that is shown is the n-th that is pressed.

    The clock begins with the note before the first that is shown, the very first preview's with its first note.
    """
    shown = np.sort(steps_of(preview.notes)[order])
    yield Announcement(0, _preview_tokens(preview, order[:count], shown[:count] - shown[:1]))
    for start in range(count, order.size, count):
        these = slice(start, start + count)
        yield Announcement(start, _preview_tokens(preview, order[these], shown[these] - shown[start - 1]))


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


def steps_of(notes: NoteArray, origin_s: float = 0.0) -> NDArray[np.int64]:
    """Return the step of each onset, rounded as the encoder does."""
    onset_ns = np.rint((notes["onset_s"] - origin_s) * 1e9).astype(np.int64)
    return np.asarray((onset_ns + STEP_NS // 2) // STEP_NS, np.int64)


def whole_steps(seconds: float) -> int:
    """Return the number of steps nearest to a length of time."""
    return round(seconds / STEP_S)
