"""What is timed of an engine that takes tokens call by call and whose cache is cut back by its length."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence

from bench.contestant import some_tokens


class OneCallAStep(ABC):
    """Decoding and feeding, timed in milliseconds; what it costs to hold a past of a length is not."""

    _vocabulary: int

    def decode(self, past: int, steps: int) -> list[float]:
        self._hold(past)
        token, taken = 7, []
        for _ in range(steps):
            began_ns = time.perf_counter_ns()
            token = self._next(token)
            taken.append((time.perf_counter_ns() - began_ns) / 1e6)
        return taken

    def feed(self, past: int, count: int) -> float:
        self._hold(past)
        tokens = some_tokens(count, self._vocabulary)
        began_ns = time.perf_counter_ns()
        self._take(tokens)
        return (time.perf_counter_ns() - began_ns) / 1e6

    def _hold(self, past: int) -> None:
        """Keep what was fed of the past, and feed what lacks."""
        missing = some_tokens(past, self._vocabulary)[self._cut(past) :]
        if missing:
            self._take(missing)

    @abstractmethod
    def _cut(self, length: int) -> int:
        """Cut what was fed back to a length; return how long it is, which may be less."""

    @abstractmethod
    def _take(self, tokens: Sequence[int]) -> None:
        """Feed tokens."""

    @abstractmethod
    def _next(self, token: int) -> int:
        """Feed a token and return the likeliest to follow."""
