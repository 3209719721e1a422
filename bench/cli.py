"""The measurements by name, each with its progress, its table on the terminal, and its figures as JSON.

Without a name: a token by pianod, by its peers, and by the memory floor.
`report` makes docs/performance.md of JSON files.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from loguru import logger

from bench.contestant import CannotError
from bench.jack import NoJackError
from bench.summary import write_json

Measure = Callable[[argparse.Namespace], dict[str, Any]]


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    top = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    names = top.add_subparsers(dest="name", metavar="MEASUREMENT")
    _common(top)
    _decode_arguments(top)
    for name, (says, _) in MEASUREMENTS.items():
        command = names.add_parser(name, help=says, description=says)
        _common(command)
        if name == "decode":
            _decode_arguments(command)
    names.choices["keys"].add_argument(
        "--no-guardian", action="store_true", help="the ports in the daemon's own process"
    )
    names.choices["train"].add_argument("--compile", action="store_true", help="compile both models")
    names.choices["prepare"].add_argument("--folder", type=Path, help="MIDI files to prepare (default: made-up ones)")
    report = names.add_parser("report", help="make docs/performance.md of JSON files: bin/bench report FILES > PAGE")
    report.add_argument("files", nargs="+", type=Path)
    report.add_argument("--picture", type=Path, default=Path("docs/performance.png"), help="default: %(default)s")
    return top


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--quick", action="store_true", help="a small run: done within two minutes")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file, as they come")


def _decode_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--threads", type=int, default=1, help="for everyone alike (default: 1)")
    command.add_argument(
        "--checkpoint", type=Path, default=Path("models/pocket"), help="the weights (default: %(default)s)"
    )
    command.add_argument(
        "--compiled", action="store_true", help="with the peers that must be compiled first, which takes minutes"
    )


def _decode(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.contestants import CONTESTANTS
    from bench.decode import QUICK, Plan, measure

    plan = QUICK if asked.quick else Plan()
    entries = [entry for entry in CONTESTANTS if asked.compiled or not entry.compiled]
    return measure(
        asked.checkpoint,
        replace(plan, threads=asked.threads),
        entries,
        so_far=lambda figures: write_json(asked.json, plain(figures)),
    )


def _keys(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.keys import KEYS, QUICK_KEYS, measure

    return measure(QUICK_KEYS if asked.quick else KEYS, guarded=not asked.no_guardian)


def _lateness(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.lateness import QUICK_SECONDS, SECONDS, measure

    return measure(QUICK_SECONDS if asked.quick else SECONDS)


def _long(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.long import MINUTES, QUICK_MINUTES, measure

    return measure(QUICK_MINUTES if asked.quick else MINUTES)


def _offline(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.offline import measure

    return measure(10.0, 2, 40, is_quick=True) if asked.quick else measure(60.0, 6, 400)


def _train(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.train import QUICK_STEPS, STEPS, measure

    return measure(QUICK_STEPS if asked.quick else STEPS, compiled=asked.compile)


def _prepare(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.prepare import FILES, QUICK_FILES, measure

    return measure(QUICK_FILES if asked.quick else FILES, asked.folder)


def _profile(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.profile import STEPS, measure

    return measure(STEPS // 10 if asked.quick else STEPS)


def _scale(asked: argparse.Namespace) -> dict[str, Any]:
    from bench import scale

    if asked.quick:
        return scale.measure(scale.QUICK_COUNTS, scale.QUICK_OVERHEAD_FILES, scale.QUICK_GRAPH_FILES)
    return scale.measure(scale.COUNTS, scale.OVERHEAD_FILES, scale.GRAPH_FILES)


def _trading(asked: argparse.Namespace) -> dict[str, Any]:
    from bench.trading import PLANS, QUICK_PLANS, measure

    return measure(QUICK_PLANS if asked.quick else PLANS)


MEASUREMENTS: dict[str, tuple[str, Measure]] = {
    "decode": ("a token, a prompt, start-up and memory: pianod, its peers, the memory floor (the default)", _decode),
    "profile": ("where a token's time goes, operator by operator", _profile),
    "keys": ("key in to note out in velocity mode, over real JACK ports", _keys),
    "lateness": ("how late scheduled notes go out while the model runs without rest", _lateness),
    "long": ("an hour of playing in fast time: memory and latency", _long),
    "offline": ("notes a second for files and in batches, against the naive loop", _offline),
    "train": ("tokens a second of the trainer, against a loop as nanoGPT's", _train),
    "prepare": ("files a second of preparing a corpus, against MidiTok's pipeline", _prepare),
    "trading": ("how near to their downbeats traded bars begin and end, over real JACK ports", _trading),
    "scale": ("how cost grows: 100 to 10,000 small files, and the task graph of a million", _scale),
}


def main(arguments: list[str] | None = None) -> int:
    """Run a measurement; return the exit code."""
    asked = parser().parse_args(arguments)
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    if asked.name == "report":
        from bench.report import page

        print(page(asked.files, asked.picture), end="")
        return 0
    from bench.tables import describe

    try:
        figures = MEASUREMENTS[asked.name or "decode"][1](asked)
    except (NoJackError, CannotError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    figures = plain(figures)
    print("\n".join(describe(figures)))
    write_json(asked.json, figures)
    return 0


def plain(figures: dict[str, Any]) -> dict[str, Any]:
    """Return figures as they come back from JSON."""
    import json

    return dict(json.loads(json.dumps(figures, default=asdict)))


if __name__ == "__main__":
    sys.exit(main())
