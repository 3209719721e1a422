"""How fast memory can be read: the time below which no token can be decoded that needs the bytes read once."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.contestant import Matter

REPEATS = 30

READERS: tuple[Callable[[NDArray[np.int64]], Any], ...] = (
    lambda block: block.max(),
    lambda block: np.dot(block.view(np.float32), block.view(np.float32)),
)
"""Ways in which numpy reads an array once and writes nothing; the fastest counts."""


class Reader:
    """Reads memory with as many threads as the others decode with; a contestant that can only be asked to read."""

    def __init__(self, matter: Matter) -> None:
        self._pool = ThreadPoolExecutor(matter.threads)
        self._threads = matter.threads
        self._held = np.zeros(0, np.int64)

    def read(self, size: int) -> float:
        """Return the milliseconds that one read of as many bytes takes, in the median, the way that is fastest.

        The bytes lie where the last read left them, as weights and cache do from token to token.
        """
        if self._held.nbytes != size // 8 * 8:
            self._held = np.ones(size // 8, np.int64)
        parts = np.array_split(self._held, self._threads)
        return min(self._median_ms(reader, parts) for reader in READERS)

    def prefill(self, tokens: Sequence[int]) -> None:
        """Do nothing: there is no model."""

    def _median_ms(self, reader: Callable[[NDArray[np.int64]], Any], parts: list[NDArray[np.int64]]) -> float:
        taken = []
        for _ in range(REPEATS):
            began_ns = time.perf_counter_ns()
            if self._threads == 1:
                reader(parts[0])
            else:
                list(self._pool.map(reader, parts))
            taken.append((time.perf_counter_ns() - began_ns) / 1e6)
        return float(np.median(taken))
