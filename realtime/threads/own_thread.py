"""A thread that one object owns."""

import threading
from collections.abc import Callable


class OwnThread:
    """A thread that is started once and waited for, by its owner; the process does not wait for it at its end."""

    def __init__(self, run: Callable[[], None], name: str) -> None:
        self._run, self._name = run, name
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start it; ValueError the second time."""
        if self._thread is not None:
            raise ValueError(f"the thread {self._name!r} starts once")
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for its end, unless this is called on itself; return whether it has ended, or never began."""
        if self._thread is None:
            return True
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()
