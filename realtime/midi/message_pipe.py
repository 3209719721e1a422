"""MIDI messages through a pipe between two processes: each whole, with the moment at which it arrived.

A frame is the moment (8 bytes, nanoseconds of the monotonic clock, which all processes share), the length (4 bytes)
and the message. Neither end waits for the other, save for the rest of a message that is longer than a pipe takes.
"""

import os
import select
import struct
from collections import deque

_HEADER = struct.Struct("<qI")
_READ_SIZE = 65_536
_REST_WITHIN_S = 1.0
LONGEST = 65_536
"""No message is longer: what says it is has been damaged."""

Arrival = tuple[int, bytes]
"""The moment at which a message arrived, in nanoseconds, and the message."""


class PipeEndError(Exception):
    """The other end is closed, or no longer takes what is sent."""


class MessageWriter:
    """The end of a pipe that messages go into. For one thread."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    def write(self, at_ns: int, data: bytes) -> bool:
        """Send one message; False, and nothing is sent, if the pipe is full. PipeEndError once nobody reads."""
        rest = memoryview(_HEADER.pack(at_ns, len(data)) + data)
        try:
            rest = rest[os.write(self._descriptor, rest) :]
            while rest:  # a message longer than the pipe takes at once; a shorter one goes whole or not at all
                if not select.select((), (self._descriptor,), (), _REST_WITHIN_S)[1]:
                    raise PipeEndError("half a message is stuck in the pipe")
                rest = rest[os.write(self._descriptor, rest) :]
        except BlockingIOError:
            return False
        except OSError as error:
            raise PipeEndError("nobody reads any more") from error
        return True

    def wait(self, timeout_s: float) -> None:
        """Wait until there is room, but not longer than a timeout."""
        select.select((), (self._descriptor,), (), timeout_s)

    def check(self) -> None:
        """Raise PipeEndError if nobody reads any more."""
        poll = select.poll()
        poll.register(self._descriptor, 0)
        if poll.poll(0):
            raise PipeEndError("nobody reads any more")

    def close(self) -> None:
        """Close this end: the other one sees it after all that was sent."""
        os.close(self._descriptor)


class MessageReader:
    """The end of a pipe that messages come out of. For one thread."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._buffer = b""
        self._waiting: deque[Arrival] = deque()

    def wait(self, timeout_s: float | None) -> None:
        """Wait until something is there or the other end is closed, but not longer than a timeout."""
        if not self._waiting:
            select.select((self._descriptor,), (), (), timeout_s)

    def read(self) -> Arrival | None:
        """Return the next message, or None if there is none now; PipeEndError after the last one."""
        if not self._waiting:
            self._fill()
        return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        """Close this end."""
        os.close(self._descriptor)

    def _fill(self) -> None:
        try:
            got = os.read(self._descriptor, _READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            raise PipeEndError("the pipe is broken") from error
        if not got:
            raise PipeEndError("the other end is closed")
        buffer, start = self._buffer + got, 0
        while len(buffer) - start >= _HEADER.size:
            at_ns, length = _HEADER.unpack_from(buffer, start)
            if length > LONGEST:
                raise PipeEndError(f"a message of {length} bytes was announced: the pipe is damaged")
            end = start + _HEADER.size + length
            if len(buffer) < end:
                break
            self._waiting.append((at_ns, buffer[start + _HEADER.size : end]))
            start = end
        self._buffer = buffer[start:]
