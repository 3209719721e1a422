"""An hour of playing in fast time: does it grow, does it slow down?

The live engine on a clock that does not wait, endless answers of the embedded model; where one ends, the next begins.
Figures stand for each minute of music: the model's time a token, and the memory that the process holds.

Like is compared with like. A token costs by what lies before it, and one that is fed while the next window is prepared
costs more; so only those count that come while the window is from half to three quarters full, which each window is
once and which is before the next one is begun. Of their times the lowest tenth is compared, since whatever else runs on
the machine only ever adds to a time; the median stands beside it.
"""

import os
import statistics
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from bench.machine import circumstances
from inference.onnx_session import Logits
from inference.rolling_context import RollingContext
from inference.session_wrapper import SessionWrapper
from piano.notes import Performance
from realtime.engine.find_bundle import open_bundle
from realtime.engine.offline_run import OfflineRun
from realtime.engine.open_model import open_session
from realtime.files.continuation import NOTHING
from realtime.files.draw_pieces import partner_settings
from realtime.midi.performance_messages import messages_of
from realtime.settings import Settings

MINUTES, QUICK_MINUTES = 60, 2
_LOOKS = 240
"""How often within a minute it is seen to it that an answer is being played."""

LIKE = (0.5, 0.75)
"""How full the window is at the tokens that are compared, from and below: from 3/4 on the next one is prepared."""


class TimedSession(SessionWrapper):
    """A session that counts the feeds of one token, and keeps how long those took that are compared."""

    def __init__(self, session: RollingContext) -> None:
        super().__init__(session)
        self.session = session
        self.tokens = 0
        self.times_ms = array("d")

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Feed, and keep the time."""
        began_ns = time.perf_counter_ns()
        logits = self.session.feed(tokens)
        taken_ns = time.perf_counter_ns() - began_ns
        if len(tokens) == 1:
            self.tokens += 1
            if LIKE[0] <= self.session.fill < LIKE[1]:
                self.times_ms.append(taken_ns / 1e6)
        return logits

    def begin_minute(self) -> None:
        """Count from 0 again."""
        self.tokens = 0
        del self.times_ms[:]


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of music."""

    tokens: int
    ms_per_token: float
    """The lowest tenth of those that are compared; 0 where there are none."""
    median_ms: float
    memory_mb: float


def measure(minutes: int, primer: Performance = NOTHING, *, minute_s: float = 60.0) -> dict[str, Any]:
    """Play for so many minutes of music and return the figures."""
    about = circumstances()
    settings = Settings(panel=False, takes=None)
    session, _ = open_session(open_bundle(settings), settings)
    timed = TimedSession(session)
    run = OfflineRun(timed, partner_settings(settings, seed=1, is_new=not primer.notes.size))
    run.play(messages_of(primer))
    run.hand_over()
    lines = []
    for number in tqdm(range(minutes), desc="music", unit="min"):
        timed.begin_minute()
        for look in range(1, _LOOKS + 1):
            run.run_until(int((number + look / _LOOKS) * minute_s * 1e9))
            if not run.is_playing:
                run.hand_over()
        low, median = np.quantile(timed.times_ms, (0.1, 0.5)).tolist() if timed.times_ms else (0.0, 0.0)
        lines.append(Minute(timed.tokens, low, median, memory_mb()))
    run.finish()
    notes = run.partner.take.sent
    return {"kind": "long", **about, "messages": len(notes), "minutes": lines, **drift(lines)}


def drift(lines: Sequence[Minute]) -> dict[str, float]:
    """Return how the last quarter of the time compares with the second, when all buffers have their size."""
    quarter = max(1, len(lines) // 4)
    early, late = lines[quarter : 2 * quarter] or lines[:1], lines[-quarter:]
    late_ms, early_ms = (_typical([line.ms_per_token for line in part]) for part in (late, early))
    slowed = late_ms / early_ms if late_ms and early_ms else 1.0
    grown_mb = statistics.median(line.memory_mb for line in late) - statistics.median(line.memory_mb for line in early)
    return {"late_over_early": slowed, "grown_mb": grown_mb}


def _typical(times_ms: Sequence[float]) -> float:
    """Return the median of the minutes in which something was measured; 0 where there are none."""
    return statistics.median([time_ms for time_ms in times_ms if time_ms] or [0.0])


def memory_mb() -> float:
    """Return how much memory this process holds now, in megabytes."""
    statm = Path("/proc/self/statm")
    if statm.is_file():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
