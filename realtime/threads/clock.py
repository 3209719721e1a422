"""The clocks: one that runs by itself, and one that is moved by hand.

All live times are integer nanoseconds of one clock. Code that is handed a `Clock` runs unchanged on either: live on
`MonotonicClock`, offline and in tests on `ManualClock`, which never waits and gives the same result every time.
"""

import threading
import time
from typing import Protocol

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """What tells the time and lets a thread wait on it."""

    def now_ns(self) -> int:
        """Return the present moment in nanoseconds; it never runs backwards."""
        ...

    def wait(self, condition: threading.Condition, deadline_ns: int | None) -> None:
        """Wait until the condition is notified or the deadline is reached; None is no deadline.

        The caller holds the condition. May return early: the caller looks again at what it waits for.
        """
        ...


class DueSource(Protocol):
    """Something that has to be run at moments of its own: a scheduler, a scripted player."""

    def next_due_ns(self) -> int | None:
        """Return the moment at which it next wants to run, or None if it has nothing to do."""
        ...

    def run_due(self, now_ns: int) -> None:
        """Do all that is due by now."""
        ...


class MonotonicClock:
    """The clock of the machine since some fixed moment; blind to changes of the wall clock."""

    def now_ns(self) -> int:
        """Return the present moment."""
        return time.monotonic_ns()

    def wait(self, condition: threading.Condition, deadline_ns: int | None) -> None:
        """Sleep until notified or until the deadline."""
        if deadline_ns is None:
            condition.wait()
            return
        remaining_ns = deadline_ns - time.monotonic_ns()
        if remaining_ns > 0:
            condition.wait(min(remaining_ns / NS_PER_S, threading.TIMEOUT_MAX))


class ManualClock:
    """A clock that stands still until it is moved; for one thread.

    Due sources that are attached run in the order of their moments, each with the clock standing at its own moment
    (in order of attachment where two share one), however far the clock is moved at once. A wait moves the clock:
    to the next thing that is due, or else to the deadline.
    """

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._sources: list[DueSource] = []

    def now_ns(self) -> int:
        """Return where the clock stands."""
        return self._now_ns

    def attach(self, source: DueSource) -> None:
        """Run the source from now on whenever the clock reaches its moment."""
        self._sources.append(source)

    def advance_to(self, target_ns: int) -> None:
        """Move the clock forward, running all that falls due on the way."""
        if target_ns < self._now_ns:
            raise ValueError(f"time never runs backwards: from {self._now_ns} ns to {target_ns} ns was asked for")
        while self._run_next(target_ns):
            pass
        self._now_ns = max(self._now_ns, target_ns)

    def wait(self, condition: threading.Condition, deadline_ns: int | None) -> None:  # noqa: ARG002 - the protocol's
        """Run the next thing that is due by the deadline, or else move to the deadline."""
        if self._run_next(deadline_ns):
            return
        if deadline_ns is None:
            raise RuntimeError("waiting for ever on a manual clock: nothing attached to it has anything left to do")
        self._now_ns = max(self._now_ns, deadline_ns)

    def _run_next(self, limit_ns: int | None) -> bool:
        """Run the one source that is due first, if it is due by the limit; say whether there was one."""
        first: DueSource | None = None
        first_ns = 0
        for source in self._sources:
            due_ns = source.next_due_ns()
            if due_ns is not None and (first is None or due_ns < first_ns):
                first, first_ns = source, due_ns
        if first is None or (limit_ns is not None and first_ns > limit_ns):
            return False
        self._now_ns = max(self._now_ns, first_ns)
        first.run_due(self._now_ns)
        return True
