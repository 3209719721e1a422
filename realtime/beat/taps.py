"""A tempo that is tapped: the straight line through the last taps. Plain state without a thread."""

from collections import deque

FEWEST = 3
"""So many taps tell a tempo."""

_REMEMBERED = 8
_LONGEST_NS = 3_000_000_000
"""After a gap as long as this another series begins: 20 beats a minute."""

_SHORTEST_NS = 180_000_000
_UNEVEN = 0.35
"""A gap that differs by more than this share from the last ones begins another series."""


class Taps:
    """Takes taps and tells where the beats lie; the first tap of a series is beat 0."""

    def __init__(self) -> None:
        self._taps: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)  # which beat, when
        self.series = 0
        """How many series were begun."""

    def tap(self, at_ns: int) -> tuple[int, float] | None:
        """Take a tap; return when beat 0 was and the length of a beat, both in ns, once that is known."""
        if self._taps and at_ns - self._taps[-1][1] < _SHORTEST_NS:  # it bounced
            return self._line()
        if self._is_another(at_ns):
            self._taps.clear()
        if not self._taps:
            self.series += 1
        self._taps.append((self._taps[-1][0] + 1 if self._taps else 0, at_ns))
        return self._line()

    def _is_another(self, at_ns: int) -> bool:
        if not self._taps:
            return False
        gap_ns = at_ns - self._taps[-1][1]
        if len(self._taps) < 2:
            return gap_ns > _LONGEST_NS
        usual_ns = (self._taps[-1][1] - self._taps[0][1]) / (len(self._taps) - 1)
        return gap_ns > _LONGEST_NS or abs(gap_ns / usual_ns - 1) > _UNEVEN

    def _line(self) -> tuple[int, float] | None:
        count = len(self._taps)
        if count < FEWEST:
            return None
        first = self._taps[0][1]
        middle = sum(beat for beat, _ in self._taps) / count
        mean = sum(at_ns - first for _, at_ns in self._taps) / count
        slope = sum((beat - middle) * (at_ns - first) for beat, at_ns in self._taps)
        slope /= sum((beat - middle) ** 2 for beat, _ in self._taps)
        return round(first + mean - middle * slope), slope
