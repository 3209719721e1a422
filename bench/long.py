"""An hour of playing in fast time: does it grow, does it slow down?

The live engine on a clock that does not wait, endless answers of the embedded model; where one ends, the next begins.
Figures stand for each minute of music: the model's time a token, and the memory that the process holds.
"""

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench.machine import circumstances
from piano.notes import Performance
from realtime.continuation import NOTHING
from realtime.model import open_bundle, open_session
from realtime.offline import partner_settings
from realtime.offline_run import OfflineRun
from realtime.playback import messages_of
from realtime.session import Logits, Session
from realtime.settings import Settings

MINUTES, QUICK_MINUTES = 60, 2
_LOOKS = 240
"""How often within a minute it is seen to it that an answer is being played."""


@dataclass(slots=True)
class TimedSession:
    """A session that keeps how long each feed of one token took."""

    session: Session
    times_ms: list[float] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Return how many tokens have been fed and not taken back."""
        return self.session.length

    @property
    def context(self) -> int:
        """Return the largest length."""
        return self.session.context

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Feed, and keep the time."""
        began_ns = time.perf_counter_ns()
        logits = self.session.feed(tokens)
        if len(tokens) == 1:
            self.times_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
        return logits

    def rollback(self, length: int) -> None:
        """Forget all but the first tokens."""
        self.session.rollback(length)

    def reset(self) -> None:
        """Forget everything."""
        self.session.reset()


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of music."""

    tokens: int
    ms_per_token: float
    """In the median: what else the machine does moves the mean."""
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
        timed.times_ms.clear()
        for look in range(1, _LOOKS + 1):
            run.run_until(int((number + look / _LOOKS) * minute_s * 1e9))
            if not run.is_playing:
                run.hand_over()
        median = statistics.median(timed.times_ms) if timed.times_ms else 0.0
        lines.append(Minute(len(timed.times_ms), median, memory_mb()))
    run.finish()
    notes = run.partner.take.sent
    return {"kind": "long", **about, "messages": len(notes), "minutes": lines, **drift(lines)}


def drift(lines: Sequence[Minute]) -> dict[str, float]:
    """Return how the last quarter of the time compares with the second, when all buffers have their size."""
    quarter = max(1, len(lines) // 4)
    early, late = lines[quarter : 2 * quarter] or lines[:1], lines[-quarter:]
    slowed = statistics.median(line.ms_per_token for line in late) / statistics.median(
        line.ms_per_token for line in early
    )
    grown_mb = statistics.median(line.memory_mb for line in late) - statistics.median(line.memory_mb for line in early)
    return {"late_over_early": slowed, "grown_mb": grown_mb}


def memory_mb() -> float:
    """Return how much memory this process holds now, in megabytes."""
    statm = Path("/proc/self/statm")
    if statm.is_file():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
