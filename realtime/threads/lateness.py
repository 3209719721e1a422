"""How late messages went out: a histogram of fixed size, written by one thread, summarised by any."""

from collections.abc import Sequence
from dataclasses import dataclass

_STEPS_PER_OCTAVE = 16
_OCTAVES = 32
_NS_PER_UNIT = 1_000


@dataclass(frozen=True, slots=True)
class LatenessSummary:
    """How late messages were; percentiles are upper bounds, at most 6.25 % or a microsecond too high."""

    count: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    p999_ms: float = 0.0
    max_ms: float = 0.0
    last_ms: float = 0.0
    """Of the latest message."""


class LatenessHistogram:
    """Counts by lateness on a scale that is linear within each doubling, from a microsecond to more than an hour."""

    def __init__(self) -> None:
        self._counts = [0] * (_STEPS_PER_OCTAVE * (_OCTAVES + 1))
        self._max_ns = 0
        self._last_ns = 0

    def add(self, late_ns: int) -> None:
        """Count one message; a message that is early counts as on time."""
        late_ns = max(late_ns, 0)
        self._counts[min(_bucket(late_ns // _NS_PER_UNIT), len(self._counts) - 1)] += 1
        self._max_ns = max(self._max_ns, late_ns)
        self._last_ns = late_ns

    def summary(self) -> LatenessSummary:
        """Return the figures so far; from any thread."""
        counts, max_ns = tuple(self._counts), self._max_ns
        return LatenessSummary(
            count=sum(counts),
            p50_ms=min(_percentile_ns(counts, 0.5), max_ns) / 1e6,
            p99_ms=min(_percentile_ns(counts, 0.99), max_ns) / 1e6,
            p999_ms=min(_percentile_ns(counts, 0.999), max_ns) / 1e6,
            max_ms=max_ns / 1e6,
            last_ms=self._last_ns / 1e6,
        )


def _bucket(units: int) -> int:
    """Return the bucket of a whole number of units."""
    octave = max(units.bit_length() - _STEPS_PER_OCTAVE.bit_length(), 0)
    return octave * _STEPS_PER_OCTAVE + (units >> octave)


def _upper_ns(bucket: int) -> int:
    """Return the first value above a bucket; the inverse of `_bucket`, in nanoseconds."""
    octave = max(bucket // _STEPS_PER_OCTAVE - 1, 0)
    return ((bucket - octave * _STEPS_PER_OCTAVE + 1) << octave) * _NS_PER_UNIT


def _percentile_ns(counts: Sequence[int], fraction: float) -> int:
    """Return the upper edge of the bucket that holds the given fraction of the messages; 0 if there are none."""
    target = fraction * sum(counts)
    seen = 0
    for bucket, count in enumerate(counts):
        seen += count
        if count and seen >= target:
            return _upper_ns(bucket)
    return 0
