"""What the daemon and its guardian say over their socket, the daemon's end: one line of JSON a question and an answer.

An answer that comes late, to a question that nobody waits for any more, is let go.
"""

import contextlib
import json
import os
import select
import socket
import time
from typing import Any

from piano.errors import PortError


class BusyError(PortError):
    """The guardian lives, and has not answered in time."""


class TalkEndError(Exception):
    """The other end is gone."""


class GuardianTalk:
    """The questions that were asked and the answers that came. Not safe for threads: the caller holds a lock."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._asked = 0
        self._unread = b""
        self._descriptors: list[int] = []

    def ask(self, question: dict[str, Any], within_s: float) -> tuple[dict[str, Any], int | None]:
        """Return the answer to a question, and the descriptor that came with it; see `answer`."""
        self._asked += 1
        with contextlib.suppress(OSError):  # it is gone: there will be no answer either
            self._control.sendall(json.dumps(question | {"id": self._asked}).encode() + b"\n")
        return self.answer(within_s, self._asked)

    def answer(self, within_s: float, asked: int | None = None) -> tuple[dict[str, Any], int | None]:
        """Wait for the answer to a question, or for what is said unasked.

        BusyError where none comes in time, TalkEndError where none will come.
        """
        deadline_s = time.monotonic() + within_s
        while True:
            for line in self._lines(deadline_s):
                answer = json.loads(line)
                if asked is None or answer.get("id") == asked:
                    descriptors, self._descriptors = self._descriptors, []
                    kept = descriptors.pop() if descriptors and answer.get("has_descriptor") else None
                    _close(descriptors)
                    return answer, kept
            _close(self._descriptors)
            self._descriptors = []

    def close(self) -> None:
        """Say no more: the guardian then ends."""
        self._control.close()
        _close(self._descriptors)
        self._descriptors = []

    def _lines(self, deadline_s: float) -> list[bytes]:
        """Return the whole lines that have come; at least one."""
        while b"\n" not in self._unread:
            if not select.select((self._control,), (), (), max(deadline_s - time.monotonic(), 0.0))[0]:
                raise BusyError("the guardian of the MIDI ports has not answered in time")
            got = b""
            with contextlib.suppress(OSError):
                got, fresh, _, _ = socket.recv_fds(self._control, 65_536, 1)
                self._descriptors += fresh
            if not got:
                raise TalkEndError
            self._unread += got
        *lines, self._unread = self._unread.split(b"\n")
        return lines


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
