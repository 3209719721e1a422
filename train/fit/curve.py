"""`python -m train curve`: how the bits per note of one or more runs went down, in a picture.

Runs that went on from each other stand behind each other; each is a folder that `fit` wrote.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from piano.errors import PianodError
from train.fit.run_state import LOG


@dataclass(frozen=True, slots=True)
class Measured:
    """A validation: how many tokens had been seen in the run, and bits a note of plain music, and of some tasks."""

    tokens: float
    bits: float
    tasks: dict[str, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders of runs, in their order")
    parser.add_argument("--plot", type=Path, required=True, metavar="FILE", help="the PNG file to draw")
    parser.add_argument(
        "--tasks",
        type=str,
        default="left_hand,duet,gap",
        metavar="NAMES",
        help="tasks to draw too; default: %(default)s",
    )


def run(args: argparse.Namespace) -> int:
    """Draw the picture; return the exit status."""
    curves = [read_curve(folder) for folder in args.runs]
    try:
        _draw(
            args.plot, [folder.name for folder in args.runs], curves, [name for name in args.tasks.split(",") if name]
        )
    except (OSError, ValueError) as error:  # matplotlib raises the latter for the ending of a format it does not know
        raise PianodError(f"{args.plot}: cannot be written ({error}); choose another place, as curve.png") from error
    for folder, curve in zip(args.runs, curves, strict=True):
        print(
            f"{folder}: {curve[0].bits:.2f} to {curve[-1].bits:.2f} bits a note, {curve[-1].tokens / 1e6:.1f} M tokens"
        )
    return 0


def read_curve(folder: Path) -> list[Measured]:
    """Return the validations of a run in their order; PianodError if it has none that can be read."""
    try:
        recipe = json.loads((folder / "best" / "config.json").read_text())["pianod"]["recipe"]
        tokens = int(recipe["batches"]["tokens"])
        lines = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
        found = [
            Measured(tokens * line["step"], float(line["bits_per_note"]), dict(line.get("task_bits_per_note", {})))
            for line in lines
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PianodError(
            f"{folder}: no run that `train fit` wrote, or one without a validation ({error!r})"
        ) from error
    if not found:
        raise PianodError(
            f"{folder / LOG}: there was no validation yet; wait for the first, or set schedule.validations"
        )
    return found


def _draw(path: Path, names: Sequence[str], curves: Sequence[Sequence[Measured]], tasks: Sequence[str]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    before = 0.0
    for name, curve in zip(names, curves, strict=True):
        places = [(before + point.tokens) / 1e6 for point in curve]
        line = axes.plot(places, [point.bits for point in curve], "o-", label=name)[0]
        for number, task in enumerate(tasks):
            told = [
                (place, point.tasks[task]) for place, point in zip(places, curve, strict=True) if task in point.tasks
            ]
            if told:
                x, y = zip(*told, strict=True)
                axes.plot(x, y, linestyle=(0, (1 + number, 2)), color=line.get_color(), alpha=0.6)
                axes.annotate(task, told[-1], fontsize=8, alpha=0.7)
        before += curve[-1].tokens
    axes.set_xlabel("tokens, in millions")
    axes.set_ylabel("bits a note, on validation windows")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)
