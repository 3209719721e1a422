"""Short MIDI messages with their moments, kept in twelve bytes each: hours of playing in a few megabytes.

One thread appends, which never waits; any number read. Beyond `MOST_KEPT` messages the oldest are let go: the journal
on disk has them.
"""

import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import overload

_ENTRY = struct.Struct("<qB3s")
_LENGTH, _MARK = 0x03, 0x80
_PER_CHUNK = 65_536
_MOST_CHUNKS = 64

MOST_KEPT = _PER_CHUNK * (_MOST_CHUNKS - 1)
"""Messages that are kept at least: 5.7 hours at 200 a second, in 50 MB."""

LoggedMessage = tuple[int, bytes]
"""A moment in nanoseconds, and the message."""


class MessageLog(Sequence[LoggedMessage]):
    """Messages of one to three bytes in the order in which they were written down; each may carry a mark.

    Places count from the first message that was ever appended, also where that is no longer kept.
    """

    def __init__(self) -> None:
        # By number. A bytearray grows by one call, so that a reader sees whole entries; nobody ever holds a view of it.
        self._chunks: dict[int, bytearray] = {0: bytearray()}
        self._writing = 0

    def append(self, at_ns: int, data: bytes, *, mark: bool = False) -> None:
        """Write down one message; a longer one (system exclusive) is left out. For one thread, never waits."""
        if not 1 <= len(data) <= 3:
            return
        if len(self._chunks[self._writing]) == _PER_CHUNK * _ENTRY.size:
            self._chunks[self._writing + 1] = bytearray()
            self._writing += 1
            self._chunks.pop(self._writing - _MOST_CHUNKS, None)
        self._chunks[self._writing] += _ENTRY.pack(at_ns, len(data) | (_MARK if mark else 0), data)

    def __len__(self) -> int:
        """Return the place of what is appended next."""
        number = self._writing
        return number * _PER_CHUNK + len(self._chunks[number]) // _ENTRY.size

    @property
    def first(self) -> int:
        """Return the first place that is kept."""
        return max(self._writing + 1 - _MOST_CHUNKS, 0) * _PER_CHUNK

    def between(self, first: int, last: int) -> Iterator[tuple[int, bytes, bool]]:
        """Yield moment, message and mark of what is kept from one place up to another that was reached."""
        for number in range(first // _PER_CHUNK, -(-last // _PER_CHUNK)):
            start = number * _PER_CHUNK
            low, high = max(first - start, 0) * _ENTRY.size, min(last - start, _PER_CHUNK) * _ENTRY.size
            for at_ns, kind, data in _ENTRY.iter_unpack(bytes(self._chunks.get(number, b"")[low:high])):
                yield at_ns, data[: kind & _LENGTH], bool(kind & _MARK)

    def place_at(self, at_ns: int) -> int:
        """Return the place of the first message that is kept and not before a moment; they stand in order of time."""
        return bisect_left(range(len(self)), at_ns, self.first, key=lambda place: self[place][0])

    @overload
    def __getitem__(self, index: int) -> LoggedMessage: ...

    @overload
    def __getitem__(self, index: slice) -> list[LoggedMessage]: ...

    def __getitem__(self, index: int | slice) -> LoggedMessage | list[LoggedMessage]:
        """Return the message at a place that is kept, or those of a slice that are."""
        if isinstance(index, slice):
            places = range(*index.indices(len(self)))
            if places.step == 1:
                return [(at_ns, data) for at_ns, data, _ in self.between(places.start, places.stop)]
            return [self[place] for place in places]
        place = index + len(self) if index < 0 else index
        if not self.first <= place < len(self):
            raise IndexError(f"there is no message at {index}; there are those from {self.first} to {len(self) - 1}")
        at_ns, data, _ = next(self.between(place, place + 1))
        return at_ns, data

    def __iter__(self) -> Iterator[LoggedMessage]:
        """Yield all that is kept."""
        return ((at_ns, data) for at_ns, data, _ in self.between(0, len(self)))

    def __eq__(self, other: object) -> bool:
        """Compare what is kept with another sequence of messages."""
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]
