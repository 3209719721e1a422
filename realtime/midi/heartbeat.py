"""The heartbeat: a message of ours through the MIDI system and back, which a dead server no longer brings.

Nothing else tells that a JACK server has died; see `realtime.midi.rtmidi_ports`.
"""

import time
from typing import Any

PATIENCE_NS = 1_000_000_000
"""A heartbeat that takes longer to come back means that the system is dead, or so busy that nothing is sent to it."""

_HEARTBEAT = [0xFE]


class Heartbeat:
    """A message to ourselves through the MIDI system, again and again."""

    def __init__(self, source: Any, sink: Any) -> None:
        self._source = source
        self._sink = sink
        self._asked_ns: int | None = None

    def silent_ns(self) -> int:
        """Take what came back and ask again; return how long the answer has been waited for. Never waits."""
        now_ns = time.monotonic_ns()
        while self._sink.get_message() is not None:
            self._asked_ns = None
        if self._asked_ns is None:
            self._source.send_message(_HEARTBEAT)
            self._asked_ns = now_ns
        return now_ns - self._asked_ns

    def wait(self) -> bool:
        """Wait for an answer to the last question; False if none comes within PATIENCE_NS."""
        while self._sink.get_message() is not None:
            self._asked_ns = None
        if self._asked_ns is None:
            self._source.send_message(_HEARTBEAT)
            self._asked_ns = time.monotonic_ns()
        asked_ns = time.monotonic_ns()
        while True:
            is_overdue = time.monotonic_ns() - asked_ns > PATIENCE_NS  # before the look: we may be what is slow
            if self._sink.get_message() is not None:
                self._asked_ns = None
                return True
            if is_overdue:
                return False
            time.sleep(0.001)
