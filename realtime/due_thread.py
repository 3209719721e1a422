"""A thread that runs what is due at moments of its own, beside the output: the metronome, a replay.

What it runs is a `realtime.clock.DueSource`, which on a clock that is moved by hand needs no thread at all.
"""

import threading

from loguru import logger

from realtime.clock import Clock, DueSource

_JOIN_S = 5.0


class DueThread:
    """Runs due sources. `wake` is for any thread that gave one of them something to do."""

    def __init__(self, clock: Clock, *sources: DueSource) -> None:
        self._clock, self._sources = clock, sources
        self._condition = threading.Condition()
        self._news = self._ended = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="due", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Have it look again at what is due."""
        with self._condition:
            self._news = True
            self._condition.notify()

    def stop(self) -> None:
        """End the thread."""
        with self._condition:
            self._ended = True
            self._condition.notify()
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        """Be the thread."""
        try:
            while not self._ended:
                self._turn()
        except Exception as error:  # the top of the thread: tell, and stop; the playing goes on
            logger.opt(exception=error).error("the metronome and the replay stopped: {}", error)

    def _turn(self) -> None:
        self._news = False
        now_ns = self._clock.now_ns()
        for source in self._sources:
            source.run_due(now_ns)
        dues = [due_ns for source in self._sources if (due_ns := source.next_due_ns()) is not None]
        with self._condition:
            if not (self._news or self._ended):
                self._clock.wait(self._condition, min(dues, default=None))
