"""An endless session over a finite context: two sessions of the same model that take turns.

A performer sees one `Session` whose length is the stream's. Underneath, a window of the stream is in the cache. When
it is nearly full, the next window (the stream's head, a passage that is to be kept, then what is recent from an event
boundary on: half a window in all) is fed to the other session, a few tokens with each token that is played, and then
the two are exchanged. The passage is the phrase that is being answered: what comes of it is far longer than a window,
and without it the model would soon hear nothing but itself.

Which window serves a length is a function of the stream alone, not of the time: live and offline agree, and so do a
stream and the same stream with detours that were rolled back. With windows of W tokens, window k + 1 is chosen and
its preparation begins W/4 tokens before window k is full; it takes over when window k is full. A rollback across an
exchange finds the old window untouched for about W/4 tokens (less the head); further back, the window is fed anew
with the next feed.

It belongs to the thread that feeds it and starts none: live, a second thread would compete for the same cores, and
would make a step's delay depend on luck. That thread calls `advance` in its idle moments; what is not done by then is
done with the feeds, at most a chunk or two each. The chunks are the same either way, and so are the logits.
"""

from array import array
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from inference.landmarks import Landmarks, landmarks
from inference.onnx_session import Logits, Session
from piano.errors import PianodError
from piano.session import knows_cues

UNLIMITED = 2**31 - 1
"""The context of an endless session."""

SMALLEST_WINDOW = 16

CHUNK = 8
"""Tokens in one piece of preparation: the longest that a single step can be delayed by it."""


@runtime_checkable
class WorksAhead(Protocol):
    """A session that has use for an idle moment."""

    def advance(self) -> bool:
        """Prepare a piece of what will be needed; return whether there was one to prepare."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A part of the stream: its first `head` tokens, those of a passage, then from `start` on, until `full` of it."""

    head: int
    start: int
    full: int
    prepares: int
    """The length at which the next window is chosen."""
    passage: range = range(0)

    def offset(self, length: int) -> int:
        """Return how many tokens of the window lie within a length of the stream."""
        return self.head + len(self.passage) + length - self.start


class RollingContext:
    """A session without an end, over two sessions of equal context which nobody else may feed."""

    def __init__(
        self,
        first: Session,
        second: Session,
        *,
        window: int | None = None,
        marks: Landmarks | None = None,
        chunk: int = CHUNK,
        spreads: bool = True,
        helper: Executor | None = None,
    ) -> None:
        """Take two sessions; `window` is the number of tokens used of their context, all of it if not given.

        For whoever has nobody waiting for a single token: without `spreads` a window is prepared by a `helper`, which
        has a core of its own, or else when it takes over, and not at all where none does. The chunks are the same.
        """
        largest = min(first.context, second.context)
        self._size = largest if window is None else window
        if not SMALLEST_WINDOW <= self._size <= largest:
            raise ValueError(f"a window has {SMALLEST_WINDOW} to {largest} tokens, not {self._size}")
        if chunk < 1:
            raise ValueError(f"a chunk has at least 1 token, not {chunk}")
        self._marks = marks or landmarks()
        self._chunk, self._spreads, self._helper = chunk, spreads, helper
        self._helped: Future[None] | None = None
        """What the helper does to the spare session, which nobody else may touch meanwhile."""
        self._promised = 0
        """How long the spare session will be then."""
        self._active, self._spare = first, second
        self.reset()

    @property
    def knows_cues(self) -> bool:
        """Return whether the model has learned what cues mean."""
        return knows_cues(self._active)

    @property
    def length(self) -> int:
        """Return the length of the stream."""
        return len(self._tokens)

    @property
    def context(self) -> int:
        """Return the largest length: without a limit that a performance could meet."""
        return UNLIMITED

    @property
    def fill(self) -> float:
        """Return how full the window that plays is, 0 to 1; from any thread."""
        return self._fill

    @property
    def exchanges(self) -> int:
        """Return how many windows have been left behind."""
        return self._index

    def reset(self) -> None:
        self._await_help()
        self._tokens = array("i")
        self._pinned = 0
        self._passages: list[range] = []
        self._windows = [_Window(0, 0, self._size, self._size - self._size // 4)]
        self._index = 0
        self._active.reset()
        self._spare_holds: int | None = None
        self._fill = 0.0

    def pin(self, length: int) -> None:
        """Count the first `length` tokens as the head, a quarter of a window at most, until the stream begins anew."""
        self._pinned = length

    def keep(self, start: int, end: int) -> None:
        """Keep a passage in every window that is chosen after length `end`: its last quarter of a window at most."""
        if not 0 <= start <= end <= self.length:
            raise ValueError(f"of a stream of {self.length} tokens no passage lies from {start} to {end}")
        while self._passages and self._passages[-1].stop >= end:
            self._passages.pop()
        self._passages.append(range(start, end))

    def rollback(self, length: int) -> None:
        """Forget all but the first `length` tokens of the stream."""
        if not 0 <= length <= self.length:
            raise ValueError(f"a stream of {self.length} tokens rolls back to 0 to {self.length}, not {length}")
        while self._passages and self._passages[-1].stop > length:
            self._passages.pop()
        del self._tokens[length:]
        while len(self._windows) > 1 and self._windows[-2].prepares > length:
            self._windows.pop()
        index = self._window_of(length)
        if index != self._index:
            self._await_help()
            if self._spare_holds == index:
                self._active, self._spare, self._spare_holds = self._spare, self._active, self._index
            else:
                self._active.reset()
                self._spare_holds = None
            self._index = index
        self._trim(length)

    def feed(self, tokens: Sequence[int]) -> Logits:
        if len(tokens) == 0:
            raise ValueError("feed takes at least 1 token, not 0")
        size = self._marks.in_head.size
        lowest, highest = min(tokens), max(tokens)
        if lowest < 0 or highest >= size:
            raise ValueError(f"a token is 0 to {size - 1}, not {lowest if lowest < 0 else highest}")
        before = self.length
        self._tokens.extend(int(token) for token in tokens)
        try:
            logits = self._catch_up()
        except (ValueError, PianodError):
            self.rollback(before)
            raise
        self._fill = self._windows[self._index].offset(self.length) / self._size
        return logits

    def advance(self) -> bool:
        """Prepare one chunk of the next window in an idle moment; return whether there was one to prepare."""
        window = self._windows[self._index]
        if not self._spreads or not window.prepares <= self.length < window.full:
            return False
        available = self._windows[self._index + 1].offset(self.length)
        return self._prepare_one(available - available % self._chunk)

    def _catch_up(self) -> Logits:
        """Feed what the active session lacks of the stream, through exchanges where there are any."""
        end = self.length
        self._plan(end)
        serving = self._window_of(end)
        if serving > self._index + 1:  # the windows between would be fed for nothing
            self._await_help()
            self._index, self._spare_holds = serving, None
            self._active.reset()
        while True:
            window = self._windows[self._index]
            until = min(end, window.full)
            missing = self._content(window, self._active.length, window.offset(until))
            logits = self._active.feed(missing) if missing else None
            self._prepare(until)
            if until == end:
                if logits is None:
                    raise RuntimeError("the active session is ahead of the stream")
                return logits
            self._active, self._spare, self._spare_holds = self._spare, self._active, self._index
            self._index += 1

    def _plan(self, length: int) -> None:
        """Choose each window that is chosen at this length or before."""
        while length >= self._windows[-1].prepares:
            old = self._windows[-1]
            head = self._head()
            passage = self._passage(head, old)
            start = self._cut(old.full - self._size // 2 + len(passage), old.prepares)
            full = start + self._size - head - len(passage)
            self._windows.append(_Window(head, start, full, full - self._size // 4, passage))

    def _head(self) -> int:
        """Return the length of the stream's head, a quarter of the window at most."""
        longest = self._size // 4
        leading = (index for index, token in enumerate(self._tokens[:longest]) if not self._marks.in_head[token])
        return min(max(next(leading, longest), self._pinned), longest)

    def _passage(self, head: int, old: _Window) -> range:
        """Return what is to be kept and would be lost with a window: of the last that was asked for by then."""
        asked = next((passage for passage in reversed(self._passages) if passage.stop < old.prepares), range(0))
        longest = self._size // 4
        first, end = max(asked.start, asked.stop - longest, head), min(asked.stop, old.full - self._size // 2)
        if first > max(asked.start, head):
            first = self._cut(first, end)
        return range(first, end) if first < end else range(0)

    def _cut(self, earliest: int, latest: int) -> int:
        """Return the first boundary of events from `earliest` to `latest`, outside a preview; `earliest` if none."""
        marks = self._marks
        begin = max(0, earliest - self._size)
        tokens = np.array(self._tokens[begin:latest], np.intp)
        places = np.arange(tokens.size)
        opened = np.maximum.accumulate(np.where(marks.opens_preview[tokens], places, -1))
        closed = np.maximum.accumulate(np.where(marks.closes_preview[tokens], places, -1))
        cuts = np.flatnonzero(marks.ends_event[tokens] & (opened <= closed) & (places + begin + 1 >= earliest))
        return begin + int(cuts[0]) + 1 if cuts.size else earliest

    def _window_of(self, length: int) -> int:
        index = len(self._windows) - 1
        while index and length <= self._windows[index - 1].full:
            index -= 1
        return index

    def _content(self, window: _Window, first: int, end: int) -> Sequence[int]:
        """Return a window's tokens from one offset to another."""
        parts = range(window.head), window.passage, range(window.start, self.length)
        content = array("i")
        for part in parts:
            content += self._tokens[part.start + min(first, len(part)) : part.start + min(end, len(part))]
            first, end = max(first - len(part), 0), max(end - len(part), 0)
        return content

    def _prepare(self, length: int) -> None:
        """Bring the next window as far as it must be at this length: all of it where the old one is full."""
        window = self._windows[self._index]
        if length < window.prepares:
            return
        following = self._windows[self._index + 1]
        if not self._spreads and length < window.full:
            self._ask_for_help(following.offset(length) // self._chunk * self._chunk)
            return
        self._await_help()
        if length >= window.full:
            required = following.offset(window.full)
        else:
            share = (length - window.prepares) / (window.full - window.prepares)
            required = int(following.offset(window.full) * share) // self._chunk * self._chunk
        while self._prepare_one(required):
            pass

    def _ask_for_help(self, required: int) -> None:
        """Have the helper, where there is one and it is free, feed the spare session up to an offset."""
        if self._helper is None or (self._helped is not None and not self._helped.done()):
            return
        self._await_help()
        self._take_spare()
        done, spare, chunk = self._spare.length, self._spare, self._chunk
        if done < required:
            content = self._content(self._windows[self._index + 1], done, required)
            self._promised = required
            self._helped = self._helper.submit(_feed_in_chunks, spare, content, chunk)

    def _await_help(self) -> None:
        """Wait until the spare session is nobody else's; raise what went wrong there."""
        helped, self._helped = self._helped, None
        if helped is not None:
            helped.result()

    def _take_spare(self) -> None:
        if self._spare_holds != self._index + 1:
            self._spare.reset()
            self._spare_holds = self._index + 1

    def _prepare_one(self, required: int) -> bool:
        """Feed the spare session one chunk towards the required offset; return whether it lacked one."""
        self._take_spare()
        done = self._spare.length
        if done >= required:
            return False
        chunk = self._content(self._windows[self._index + 1], done, min(done + self._chunk, required))
        self._spare.feed(chunk)
        return True

    def _trim(self, length: int) -> None:
        """Take back what the sessions hold beyond a length; the spare one in whole chunks, so that those stay alike."""
        window = self._windows[self._index]
        self._active.rollback(min(self._active.length, window.offset(length)))
        if self._spare_holds != self._index + 1:
            return
        if self._helped is not None:
            stays = self._spare_holds < len(self._windows)
            if stays and self._windows[self._spare_holds].offset(length) >= self._promised:
                return  # what the helper does stays
            self._await_help()
        if self._spare_holds >= len(self._windows):
            self._spare_holds = None
        else:
            kept = max(0, min(self._spare.length, self._windows[self._spare_holds].offset(length)))
            self._spare.rollback(kept - kept % self._chunk if length < window.full else kept)


def _feed_in_chunks(session: Session, tokens: Sequence[int], chunk: int) -> None:
    for start in range(0, len(tokens), chunk):
        session.feed(tokens[start : start + chunk])
