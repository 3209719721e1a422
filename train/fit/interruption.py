"""Being told to stop: SIGINT and SIGTERM are noted, and the run ends after the step that it is in.

Handlers run in the main thread. The loader's worker processes ignore both, so that a Ctrl-C, which reaches all
processes of a terminal, leaves the step whole.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Whether this process was told to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: int | None = None

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note the signals within the block; a second one is obeyed at once, as before the block.

        Only the main thread can: elsewhere signals do what they did before.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        self._before = before
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.signal = number
        for each, handler in self._before.items():
            signal.signal(each, handler)


def leave_to_the_trainer(worker: int) -> None:
    """Ignore the signals in a worker process of the loader: the trainer ends it when it has saved."""
    del worker
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
