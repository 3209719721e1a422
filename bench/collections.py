"""The commands on files as they are called: pieces by one process, two, two workers of a cluster; and the start.

A start is a command from the shell to its end on one file with as little to do as there can be.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.pieces import random_performance
from piano.midi.file import MidiTrack, write_performance

PLACES = {"--jobs 1": ("--jobs", "1"), "--jobs 2": ("--jobs", "2"), "local:2": ("--cluster", "local:2")}

STARTS: dict[str, tuple[str, ...]] = {
    "fill": ("fill", "FILE", "--gap", "0.2-0.4", "--samples", "1"),
    "velocities": ("velocities", "FILE"),
    "clean": ("clean", "FILE", "--onset"),
    "perform": ("perform", "FILE", "--samples", "1"),
    "continue": ("continue", "FILE", "--notes", "1"),
    "new": ("new", "--notes", "1", "--out", "OUT/new.mid"),
}
"""What each command is called with to do least."""

_SEED = ("--seed", "1")


def by_place(variants: int, seconds: float, rounds: int) -> list[dict[str, Any]]:
    """Make so many pieces at each place, in turns; return the least seconds that each took."""
    taken: dict[str, list[float]] = {name: [] for name in PLACES}
    for number in range(rounds):
        for name in list(PLACES)[:: 1 if number % 2 else -1]:
            with tempfile.TemporaryDirectory(prefix="pianod-bench-") as scratch:
                words = ("new", "--variants", str(variants), "--seconds", f"{seconds:g}", "--out", f"{scratch}/a.mid")
                taken[name].append(_seconds(words + PLACES[name]))
    return [{"place": name, "pieces": variants, "s": min(times)} for name, times in taken.items()]


def starts(rounds: int) -> list[dict[str, Any]]:
    """Call each command on a few notes; return the least seconds that each took."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="pianod-bench-") as scratch:
        file = Path(scratch) / "in.mid"
        write_performance(file, [MidiTrack("piano", random_performance(8, seed=1))])
        for name, words in STARTS.items():
            said = [word.replace("FILE", str(file)).replace("OUT", scratch) for word in words]
            out = [] if name == "new" else ["--out", f"{scratch}/{name}.mid"]
            rows.append({"command": name, "s": min(_seconds([*said, *out, "--again"]) for _ in range(rounds))})
    return rows


def _seconds(words: Sequence[str]) -> float:
    began_s = time.perf_counter()
    subprocess.run([sys.executable, "-m", "realtime", *words, *_SEED], check=True, capture_output=True)
    return time.perf_counter() - began_s
