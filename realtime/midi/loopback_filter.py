"""Echoes: what we sent and now hear again, because the output is wired back to the input.

The output thread tells what it sends, just before it does; the input thread asks of each message whether it is that.
What is recognised once is not recognised again. A key of our own is known by its pitch and velocity on any channel;
what was passed on from the player only on the channel it went out on, since a keyboard may send one key on two. A
release is an echo only if its key was; of a pedal or a controller this is believed only after a key has shown that
there is a loop. A key that the player has just struck, let go and strikes again is none, though it looks like what was
passed on: it counts as one only while there is a loop.
"""

from collections import deque
from collections.abc import Sequence

from realtime.midi.message import MessageKind, channel_of, kind_of, on_channel

WITHIN_NS = 60_000_000
"""An echo comes back within this."""

STRUCK_WITHIN_NS = 2 * WITHIN_NS
"""A key that the player struck within this may be struck again."""

LOOP_NS = 5_000_000_000
"""So long after the echo of a key there is a loop."""

REMEMBERED = 1024
"""Messages that may go out between two that come in."""

_NO_MUSIC = (MessageKind.SYSEX, MessageKind.SYSTEM_COMMON, MessageKind.REAL_TIME, MessageKind.MALFORMED)
_ANY_CHANNEL = -1

_Sight = tuple[int, bytes]
"""The channel it went out on, or any, and the message without its channel."""


class LoopbackFilter:
    """Recognise what comes back. Each method is for one thread."""

    def __init__(self) -> None:
        self._sent: deque[tuple[int, _Sight]] = deque(maxlen=REMEMBERED)  # from the one thread to the other
        self._expected: dict[_Sight, deque[int]] = {}
        self._ringing: set[tuple[int, int]] = set()  # channel and pitch of the keys whose echo was heard
        self._loop_until_ns = -1
        self._struck_ns: dict[tuple[int, int], int] = {}  # when the player struck a key last
        self._down: set[tuple[int, int]] = set()  # the keys that the player holds

    def send(self, at_ns: int, data: bytes, *, own: bool) -> None:
        """Take note of what goes out now; for the output thread, never waits."""
        if kind_of(data) not in _NO_MUSIC:
            self._sent.append((at_ns, (_ANY_CHANNEL if own else channel_of(data), _bare(data))))

    def is_echo(self, at_ns: int, data: bytes) -> bool:
        """Say whether a message that came in is one that went out; for the input thread."""
        kind = kind_of(data)
        if kind in _NO_MUSIC:
            return False
        self._forget(at_ns)
        if kind not in (MessageKind.NOTE_ON, MessageKind.NOTE_OFF):
            return at_ns <= self._loop_until_ns and self._take(data)
        key = channel_of(data), data[1]
        if kind is MessageKind.NOTE_OFF:
            if key not in self._ringing or not self._take(data):
                self._down.discard(key)
                return False
            self._ringing.discard(key)
            return True
        if self._may_be_struck_again(at_ns, key):
            is_echo = self._take(data, channels=(_ANY_CHANNEL,))
        else:
            is_echo = self._take(data)
        if is_echo:
            self._ringing.add(key)
            self._loop_until_ns = at_ns + LOOP_NS
        else:
            self._struck_ns[key] = at_ns
            self._down.add(key)
        return is_echo

    def _may_be_struck_again(self, at_ns: int, key: tuple[int, int]) -> bool:
        """Say whether a strike may well be the player's: the key was let go just before, and there is no loop."""
        struck_ns = self._struck_ns.get(key)
        is_recent = struck_ns is not None and at_ns - struck_ns <= STRUCK_WITHIN_NS
        return is_recent and key not in self._down and at_ns > self._loop_until_ns

    def _forget(self, at_ns: int) -> None:
        """Take in what went out, and forget what would have come back by now."""
        while self._sent:
            sent_ns, sight = self._sent.popleft()
            self._expected.setdefault(sight, deque()).append(sent_ns)
        for sight, moments in list(self._expected.items()):
            while moments and at_ns - moments[0] > WITHIN_NS:
                moments.popleft()
            if not moments:
                del self._expected[sight]

    def _take(self, data: bytes, channels: Sequence[int] | None = None) -> bool:
        """Use up one message that went out like this one, if there is any, on any channel or this one's."""
        for channel in (_ANY_CHANNEL, channel_of(data)) if channels is None else channels:
            moments = self._expected.get((channel, _bare(data)))
            if moments:
                moments.popleft()
                return True
        return False


def _bare(data: bytes) -> bytes:
    """Return a message without its channel; a release without how it was released, which may change on the way."""
    if kind_of(data) is MessageKind.NOTE_OFF:
        return bytes((0x80, data[1]))
    return on_channel(data, 0)
