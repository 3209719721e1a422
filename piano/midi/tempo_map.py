"""Time in a MIDI file: ticks to seconds by a map of tempi, or by a fixed tick (SMPTE)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEFAULT_TEMPO_US = 500_000
"""Microseconds of a quarter note before the first tempo: 120 quarter notes a minute."""


@dataclass(frozen=True, slots=True)
class TempoMap:
    """Ticks to seconds, piecewise linear: from `tick[i]` on, which falls on `start_s[i]`, a tick lasts `tick_s[i]`."""

    tick: NDArray[np.int64]
    start_s: NDArray[np.float64]
    tick_s: NDArray[np.float64]

    @classmethod
    def fixed(cls, tick_s: float) -> "TempoMap":
        """Return a map in which every tick lasts equally long."""
        return cls(np.zeros(1, np.int64), np.zeros(1), np.full(1, tick_s))

    @classmethod
    def of_tempos(cls, tick: NDArray[np.int64], tempo_us: NDArray[np.int64], *, ticks_per_quarter: int) -> "TempoMap":
        """Return the map of tempi (microseconds of a quarter note, any order; the last of equal ticks counts)."""
        if (tempo_us <= 0).any():
            raise ValueError(f"a tempo of {tempo_us.min()} microseconds a quarter note is not above 0")
        order = np.argsort(tick, kind="stable")
        tick = np.concatenate([np.zeros(1, np.int64), tick[order]])
        tick_s = np.concatenate([np.full(1, DEFAULT_TEMPO_US), tempo_us[order]]) / (1e6 * ticks_per_quarter)
        start_s = np.concatenate([np.zeros(1), np.cumsum(np.diff(tick) * tick_s[:-1])])
        return cls(tick, start_s, tick_s)

    def seconds(self, ticks: NDArray[Any]) -> NDArray[np.float64]:
        """Return ticks, none below 0, as seconds."""
        segment = np.searchsorted(self.tick, ticks, side="right") - 1
        return np.asarray(self.start_s[segment] + (ticks - self.tick[segment]) * self.tick_s[segment], np.float64)

    def ticks(self, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the ticks nearest to moments, none below 0: the inverse of `seconds`."""
        segment = np.searchsorted(self.start_s, seconds, side="right") - 1
        return self.tick[segment] + np.rint((seconds - self.start_s[segment]) / self.tick_s[segment]).astype(np.int64)
