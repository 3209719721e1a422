"""How fast memory can be read: the time below which no token can be decoded that needs the bytes read once.

Read twice: an array as large as what a token needs, which lies where the last read left it, as weights and cache do
from token to token; and an array too large for any cache, which comes from the memory itself.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.contestant import BenchModel

REPEATS = 30
LARGEST_BYTES = 4 * 2**30
"""How much is read at most for one figure, so that a large array is read less often."""

TIMES_THE_CACHE, LEAST_BYTES = 4, 256 * 2**20
"""How large an array has to be for the memory's own figure: so many times the last cache, and not smaller than this."""

READERS: tuple[Callable[[NDArray[np.int64]], Any], ...] = (
    lambda block: block.max(),
    lambda block: np.dot(block.view(np.float32), block.view(np.float32)),
)
"""Ways in which numpy reads an array once and writes nothing; the fastest counts."""


class MemoryReader:
    """Reads memory with as many threads as the others decode with; a contestant that can only be asked to read."""

    def __init__(self, matter: BenchModel) -> None:
        self._pool = ThreadPoolExecutor(matter.threads)
        self._threads = matter.threads
        self._held = np.zeros(0, np.int64)

    def read(self, size: int) -> float:
        """Return the milliseconds that one read of as many bytes takes, in the median, the way that is fastest."""
        if self._held.nbytes != size // 8 * 8:
            self._held = np.ones(size // 8, np.int64)
        parts = np.array_split(self._held, self._threads)
        return min(self._median_ms(reader, parts) for reader in READERS)

    def prefill(self, tokens: Sequence[int]) -> None:
        """Do nothing: there is no model."""

    def _median_ms(self, reader: Callable[[NDArray[np.int64]], Any], parts: list[NDArray[np.int64]]) -> float:
        taken = []
        size = sum(part.nbytes for part in parts) or 1
        for _ in range(max(3, min(REPEATS, LARGEST_BYTES // size))):
            began_ns = time.perf_counter_ns()
            if self._threads == 1:
                reader(parts[0])
            else:
                list(self._pool.map(reader, parts))
            taken.append((time.perf_counter_ns() - began_ns) / 1e6)
        return float(np.median(taken))


def larger_than_caches(folder: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> int:
    """Return a size in bytes that no cache of this machine holds; Linux tells how large the caches are."""
    units = {"K": 2**10, "M": 2**20}
    sizes = [path.read_text().strip() for path in folder.glob("index*/size")]
    largest = max((int(size[:-1]) * units[size[-1]] for size in sizes if size[-1:] in units), default=0)
    return max(TIMES_THE_CACHE * largest, LEAST_BYTES)
