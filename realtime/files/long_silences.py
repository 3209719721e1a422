"""Long stretches in which nothing begins or ends, shortened while a file is worked on and put back afterwards.

What is drawn beside a file, or played of it, takes work for each second, and seconds cost a file nothing: an hour can
stand between two notes. So the work grows with what stands in the file, not with the time between.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.notes import Performance

LONGEST_S = 30.0
"""A stretch without an event that is longer, in seconds, counts as one of this length."""

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ShortenedTime:
    """A clock that leaves out the midst of each long stretch: from `cuts_s` on `left_out_s` each, (cuts,)."""

    cuts_s: Times
    left_out_s: Times

    @classmethod
    def of(cls, performance: Performance) -> "ShortenedTime":
        """Return the clock on which no stretch of a performance without an event is longer than LONGEST_S."""
        notes = performance.notes
        moments = (np.zeros(1), notes["onset_s"], notes["onset_s"] + notes["duration_s"], performance.pedals["time_s"])
        at_s = np.unique(np.concatenate(moments))
        apart = np.diff(at_s)
        is_long = apart > LONGEST_S
        return cls(at_s[:-1][is_long] + LONGEST_S / 2, apart[is_long] - LONGEST_S)

    def shorten(self, times_s: Times) -> Times:
        """Return when moments of the file are on this clock, in seconds."""
        if not self.cuts_s.size:
            return times_s
        so_far = np.cumsum(self.left_out_s)
        edges_s = np.stack([self.cuts_s, self.cuts_s + self.left_out_s], axis=1).ravel()
        left_out_s = np.stack([so_far - self.left_out_s, so_far], axis=1).ravel()
        return times_s - np.interp(times_s, edges_s, left_out_s)

    def lengthen(self, times_s: Times) -> Times:
        """Return when moments of this clock are in the file, in seconds: the inverse of `shorten`."""
        so_far = np.concatenate([np.zeros(1), np.cumsum(self.left_out_s)])
        later_s: Times = so_far[np.searchsorted(self.cuts_s - so_far[:-1], times_s)]
        return times_s + later_s

    def shortened(self, performance: Performance) -> Performance:
        """Return a performance on this clock."""
        if not self.cuts_s.size:
            return performance
        notes, pedals = performance.notes.copy(), performance.pedals.copy()
        notes["onset_s"] = self.shorten(performance.notes["onset_s"])
        ends_s = performance.notes["onset_s"] + performance.notes["duration_s"]
        notes["duration_s"] = self.shorten(ends_s) - notes["onset_s"]
        pedals["time_s"] = self.shorten(pedals["time_s"])
        return Performance(notes, pedals)

    def lengthened(self, performance: Performance) -> Performance:
        """Return what was made on this clock in the time of the file; lengths stay."""
        if not self.cuts_s.size:
            return performance
        notes, pedals = performance.notes.copy(), performance.pedals.copy()
        notes["onset_s"], pedals["time_s"] = self.lengthen(notes["onset_s"]), self.lengthen(pedals["time_s"])
        return Performance(notes, pedals)
