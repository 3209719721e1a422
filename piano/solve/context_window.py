"""One endless stream over a finite context: which part of it stands in a row of the cache.

When the context would be exceeded, the stream's head and its recent half are fed anew, from a preview on where one
begins near there, else from between two events. Which part that is depends on the stream alone.
"""

from array import array

from piano.session import RowUpdate
from piano.solve.limits import ENDS_EVENT
from piano.solve.token_buffer import TokenBuffer
from piano.tokens.vocabulary import VOCABULARY

_ENDS_EVENT = ENDS_EVENT.tolist()


class ContextWindow:
    """Follows one stream. The head of so many tokens always stays."""

    def __init__(self, context: int, head: int) -> None:
        self._context, self._head = context, head
        self.start = head
        """Where the part begins that stands behind the head."""

    def move(self, tokens: "array[int]", fed: int, length: int, anchor: int) -> RowUpdate:
        """Return what to do with the row so that it holds the first `length` tokens of the stream; `fed` it has.

        Tokens before `anchor` will never be taken back. ValueError if what follows it is longer than the context.
        """
        if self._offset(length) <= self._context and (fed >= self.start or self.start == self._head):
            return RowUpdate(self._offset(fed), tokens[fed:length])
        if self._offset(length) > self._context:
            self.start = self._cut(tokens, length, anchor)
        if self._offset(length) > self._context:
            raise ValueError(f"a context of {self._context} tokens is too short for what must be fed at once")
        return RowUpdate(0, tokens[: self._head] + tokens[self.start : length])

    def move_to_end(self, stream: TokenBuffer) -> RowUpdate:
        """Return what to do with the row so that it holds the whole of a stream."""
        return self.move(stream.tokens, stream.fed, len(stream.tokens), stream.anchor)

    def make_room(self, tokens: "array[int]", length: int, anchor: int, more: int) -> bool:
        """Cut now where so many more tokens would not fit; say whether that was done: the row holds nothing then."""
        before = self.start
        if self._offset(length) + more > self._context:
            self.start = max(before, self._cut(tokens, length, anchor))
        return self.start != before

    def copy(self) -> "ContextWindow":
        """Return an independent one in the same state."""
        other = ContextWindow(self._context, self._head)
        other.start = self.start
        return other

    def _offset(self, length: int) -> int:
        return length if length < self._head else self._head + length - self.start

    def _cut(self, tokens: "array[int]", length: int, anchor: int) -> int:
        """Return where the part that stays begins: about half a context before the end, at the anchor at the latest."""
        room = self._context - self._head
        middle = max(self._head, min(length - room // 2, anchor))
        lowest, highest = max(self._head, length - room * 3 // 4), min(anchor, length - room // 4)
        previews = [place for place in range(lowest, highest + 1) if tokens[place] == VOCABULARY.preview]
        if previews:
            return min(previews, key=lambda place: abs(place - middle))
        is_inside = False
        for place in range(max(self._head, middle - self._context), anchor):
            token = tokens[place]
            is_inside = (is_inside or token == VOCABULARY.preview) and token != VOCABULARY.play
            if place + 1 >= middle and _ENDS_EVENT[token] and not is_inside:
                return place + 1
        return middle
