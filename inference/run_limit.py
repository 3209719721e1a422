"""How long one run of a graph may take where a stranger's model plays: what takes longer is ended between operators.

A trial does not see every token, and a graph may do what it did not do there. A run that does not return keeps the
engine's thread, and with it every other model that is chosen. The runner notes when a run begins and ends; a thread of
this object's looks a few times a second, and asks ONNX Runtime to end one that takes too long: it fails, and the
performer rests.
"""

import threading
import time
import weakref
from typing import Any

LONGEST_RUN_S = 20.0
"""A run takes milliseconds; on the busiest machines that we have seen, half a second."""
LOOK_EVERY_S = 0.25


class RunLimit:
    """The limit of one runner's runs, which come one after the other. Without `start` they are not ended."""

    def __init__(self, options: Any, longest_s: float = LONGEST_RUN_S) -> None:
        """Take the options with which ONNX Runtime runs: it ends what runs once their `terminate` is set."""
        self.options = options
        self.longest_s = longest_s
        self._lock = threading.Lock()
        self._began_s: float | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> None:
        """Take note that a run begins."""
        self._began_s = time.monotonic()

    def __exit__(self, *_: object) -> None:
        """Take note that it has ended; the next is not ended for it."""
        with self._lock:
            self._began_s = None
            if self.options.terminate:
                self.options.terminate = False

    def start(self) -> None:
        """Look from now on, for as long as this object is there."""
        if self._thread is None:
            self._thread = threading.Thread(target=_look, args=(weakref.ref(self),), name="run limit", daemon=True)
            self._thread.start()

    def look(self) -> None:
        """End a run that takes too long."""
        with self._lock:
            if self._began_s is not None and time.monotonic() - self._began_s > self.longest_s:
                self.options.terminate = True


def _look(reference: "weakref.ref[RunLimit]") -> None:
    """Be the thread, until the limit is gone."""
    pause = threading.Event()
    while (limit := reference()) is not None:
        limit.look()
        del limit
        pause.wait(LOOK_EVERY_S)
