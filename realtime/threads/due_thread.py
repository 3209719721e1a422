"""A thread that runs what is due at moments of its own, beside the output: the metronome, a replay.

What it runs is a `realtime.threads.clock.DueSource`, which on a clock that is moved by hand needs no thread at all. One
that fails gives up; the others go on.
"""

import threading
from typing import Protocol

from loguru import logger

from realtime.threads.clock import Clock, DueSource
from realtime.threads.own_thread import OwnThread

_JOIN_S = 5.0


class Resignable(DueSource, Protocol):
    """A due source that can give up."""

    def give_up(self) -> None:
        """End what it does, after an error: nothing is due any more, and what it holds down comes up."""
        ...


class DueThread:
    """Runs due sources. `wake` is for any thread that gave one of them something to do."""

    def __init__(self, clock: Clock, *sources: Resignable) -> None:
        self._clock, self._sources = clock, sources
        self._condition = threading.Condition()
        self._news = self._ended = False
        self._running: Resignable | None = None
        self._thread = OwnThread(self._run, "due")

    def start(self) -> None:
        """Start the thread."""
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
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        """Be the thread."""
        while not self._ended:
            try:
                self._turn()
            except Exception as error:  # the top of the thread: what failed gives up; the playing goes on
                failed = self._running
                logger.opt(exception=error).debug("a due source failed")
                logger.error("the {} stopped: {}; the playing goes on", type(failed).__name__.lower(), error)
                if failed is not None:
                    failed.give_up()

    def _turn(self) -> None:
        self._news = False
        now_ns = self._clock.now_ns()
        for source in self._sources:
            self._running = source
            source.run_due(now_ns)
        dues = [due_ns for source in self._sources if (due_ns := source.next_due_ns()) is not None]
        with self._condition:
            if not (self._news or self._ended):
                self._clock.wait(self._condition, min(dues, default=None))
