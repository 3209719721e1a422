"""Coverage-guided fuzzing of one target with atheris (libFuzzer): for developers, by hand.

    .venv/bin/python -m pip install '.[fuzz]'
    .venv/bin/python -m tests.fuzz.midi_file --seconds 60

A target is a module with `check(data)`, which raises where the program would break a promise, and `seeds()`. What
breaks one is written to tests/fuzz/findings/TARGET; mended, it stays there (small), and tests/fuzz/test_findings.py
replays it with every run of the tests. The corpus that grows goes to a folder of its own, out/fuzz/TARGET by default.
"""

import argparse
import gc
import hashlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType

Check = Callable[[bytes], None]

FINDINGS = Path(__file__).parent / "findings"
SLOWEST_S = 10
"""An input that takes longer is taken for a hang."""
MOST_MEMORY_MB = 1500
LONGEST = 4096


def fuzz(name: str, check: Check, seeds: Iterable[bytes], instrumented: tuple[str, ...]) -> None:
    """Fuzz for as long as the command line says; does not return. `instrumented`: the modules that guide the search."""
    import atheris

    parser = argparse.ArgumentParser(description=f"fuzz {name}")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, default=Path("out/fuzz") / name)
    options = parser.parse_args()
    options.corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (options.corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    found = FINDINGS / name
    found.mkdir(parents=True, exist_ok=True)
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and function.__module__ in instrumented:
            atheris.instrument_func(function)
    limits = [f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MOST_MEMORY_MB}", f"-max_len={LONGEST}"]
    arguments = [sys.argv[0], str(options.corpus), str(found), f"-max_total_time={options.seconds}", *limits]
    atheris.Setup([*arguments, f"-artifact_prefix={found}/", "-print_final_stats=1"], check)
    atheris.Fuzz()
