"""The commands on files as they are called: pieces by one process, two, two workers of a cluster; and the start.

A start is a command from the shell to its end on one file with as little to do as there can be: more than from the
shell to the first byte of work, for which `BUDGET_S` is allowed.
"""

import os
import resource
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

BUDGET_S = 1.0
"""What a start may take, in seconds."""

_SEED = ("--seed", "1")


def by_place(variants: int, seconds: float, rounds: int) -> list[dict[str, Any]]:
    """Make so many pieces at each place, in turns; return the least seconds that each took."""
    taken: dict[str, list[float]] = {name: [] for name in PLACES}
    for number in range(rounds):
        for name in list(PLACES)[:: 1 if number % 2 else -1]:
            with tempfile.TemporaryDirectory(prefix="pianod-bench-") as scratch:
                words = ("new", "--variants", str(variants), "--seconds", f"{seconds:g}", "--out", f"{scratch}/a.mid")
                taken[name].append(_taken(words + PLACES[name], scratch)[0])
    return [{"place": name, "pieces": variants, "s": min(times)} for name, times in taken.items()]


def starts(rounds: int) -> list[dict[str, Any]]:
    """Call each command on a few notes; return the least seconds that each took, by the clock and of the processor."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="pianod-bench-") as scratch:
        file = Path(scratch) / "in.mid"
        write_performance(file, [MidiTrack("piano", random_performance(8, seed=1))])
        for name, words in STARTS.items():
            said = [word.replace("FILE", str(file)).replace("OUT", scratch) for word in words]
            out = [] if name == "new" else ["--out", f"{scratch}/{name}.mid"]
            _taken([*said, *out, "--again"], scratch)  # its modules are compiled then, as once installed
            taken = [_taken([*said, *out, "--again"], scratch) for _ in range(rounds)]
            clock_s, processor_s = (min(times) for times in zip(*taken, strict=True))
            rows.append({"command": name, "s": clock_s, "processor_s": processor_s, "budget_s": BUDGET_S})
    return rows


def _taken(words: Sequence[str], scratch: str) -> tuple[float, float]:
    """Call pianod; return the seconds that it took, by the clock and of the processor."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = f"{scratch}/compiled"
    command = [sys.executable, "-m", "realtime", *words, *_SEED]
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    taken_s, after = time.perf_counter() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
