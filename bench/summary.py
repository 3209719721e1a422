"""Few numbers that stand for many: percentiles, and lines as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from piano.whole_file import write_report


@dataclass(frozen=True, slots=True)
class Spread:
    """Where measured times lie, in milliseconds."""

    count: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


def spread_of(times_ms: Sequence[float]) -> Spread:
    """Summarise times; all 0 where there are none."""
    if not len(times_ms):
        return Spread(0, 0.0, 0.0, 0.0, 0.0)
    p50, p99, p999 = (float(value) for value in np.percentile(times_ms, (50, 99, 99.9), method="higher"))
    return Spread(len(times_ms), p50, p99, p999, float(max(times_ms)))


def write_json(path: Path | None, figures: Mapping[str, Any]) -> None:
    """Write figures, dataclasses among them, to a file, where one is named: whole, as it is read while it grows."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_report(path, json.dumps(figures, indent=1, default=asdict) + "\n")
