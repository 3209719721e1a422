"""Contestants that answer at once, or fall: for the measurement's own bookkeeping."""

import os
import signal
from collections.abc import Sequence

from bench.contestant import BenchModel, CannotError


class Stub:
    """Takes a millisecond for anything, and cannot be fed several tokens."""

    def __init__(self, matter: BenchModel) -> None:
        self.threads = matter.threads

    def prefill(self, tokens: Sequence[int]) -> None:
        """Read nothing."""

    def decode(self, past: int, steps: int) -> list[float]:  # noqa: ARG002 - the protocol's
        """Return a millisecond for each."""
        return [1.0] * steps

    def feed(self, past: int, count: int) -> float:
        """Refuse."""
        raise CannotError(f"not {count} after {past}")


class Falling(Stub):
    """Starts, and ends by an illegal instruction when it is to decode, as code does that was built elsewhere."""

    def decode(self, past: int, steps: int) -> list[float]:  # noqa: ARG002 - the protocol's
        """Fall."""
        os.kill(os.getpid(), signal.SIGILL)
        return []
