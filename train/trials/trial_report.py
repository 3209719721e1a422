"""What trials came to: a Markdown table of differences to the base, and the line that sizes lie on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from train.tables import markdown_table
from train.trials.trial_plan import BASE
from train.trials.trial_result import Result


@dataclass(frozen=True, slots=True)
class TrialRow:
    """All seeds of one variation: the mean in bits per note, and how far apart the seeds are.

    `spread` is the largest less the smallest, `deviation` the standard deviation; both 0.0 of a single seed.
    """

    name: str
    group: str
    seeds: int
    bits: float
    spread: float
    deviation: float
    tokens: int
    parameters: int
    flops: float
    seconds: float


def rows_of(results: Sequence[Result]) -> list[TrialRow]:
    """Return a row for each variation, in order of appearance; tokens, sizes and times are means over its seeds."""
    rows = []
    for name in dict.fromkeys(result.name for result in results):
        found = [result for result in results if result.name == name]
        bits = [result.bits_per_note for result in found]
        rows.append(
            TrialRow(
                name=name,
                group=found[0].group,
                seeds=len(found),
                bits=float(np.mean(bits)),
                spread=max(bits) - min(bits),
                deviation=float(np.std(bits, ddof=1)) if len(bits) > 1 else 0.0,
                tokens=found[0].tokens,
                parameters=found[0].parameters,
                flops=found[0].flops,
                seconds=float(np.mean([result.seconds for result in found])),
            )
        )
    return rows


def noise(results: Sequence[Result]) -> float:
    """Return the standard deviation between seeds that a variation typically has; nan where none has two.

    It is the median over all variations, each brought to the median of its distribution (Wilson & Hilferty 1931), so
    that one which is unstable does not speak for all.
    """
    variances = []
    for name in dict.fromkeys(result.name for result in results):
        bits = [result.bits_per_note for result in results if result.name == name]
        if (freedom := len(bits) - 1) > 0:
            variances.append(float(np.var(bits, ddof=1)) / (1 - 2 / (9 * freedom)) ** 3)
    return math.sqrt(float(np.median(variances))) if variances else math.nan


def trials_table(results: Sequence[Result]) -> str:
    """Return the trials as Markdown: each row's difference to the base with its standard error over seeds.

    Rows of one choice stand together. With few seeds a row says little of its own noise, so the standard error
    is made of the typical noise of all rows, or of the row's own where that is larger, and of the base's.
    """
    rows, deviation = rows_of(results), noise(results)
    base = next((row for row in rows if row.name == BASE), None)
    head = ("choice", "trial", "bits per note", "spread", "to the base", "seeds", "parameters", "tokens", "GFLOP")
    lines = []
    groups = list(dict.fromkeys(row.group for row in rows))
    for row in sorted(rows, key=lambda row: groups.index(row.group)):
        spread = f"{row.spread:.2f}" if row.seeds > 1 else ""
        figures = (f"{row.bits:.2f}", spread, _difference(row, base, deviation), f"{row.seeds}")
        lines.append((row.group, row.name, *figures, *_cost(row), f"{row.seconds:.0f}"))
    return markdown_table((*head, "processor s"), lines)


def _cost(of: "TrialRow | Prediction") -> tuple[str, str, str]:
    """Return the parameters, the tokens and the GFLOP."""
    return f"{of.parameters:,.0f}", f"{of.tokens:,.0f}", f"{of.flops / 1e9:,.0f}"


def _difference(row: TrialRow, base: TrialRow | None, deviation: float) -> str:
    if base is None or row.name == BASE:
        return ""
    own, of_base = (max(deviation, each.deviation) for each in (row, base))
    error = math.sqrt(own**2 / row.seeds + of_base**2 / base.seeds)
    return f"{row.bits - base.bits:+.2f} ± {error:.2f}"


CHECK = "check"
"""The group of a size that is not in the line: what the line predicts is held against it."""


class Line(NamedTuple):
    """bits = factor * flops ** exponent, and the largest relative distance of a size from it."""

    factor: float
    exponent: float
    residual: float

    def at(self, flops: float) -> float:
        """Return the bits per note that the line gives a training of so many floating-point operations."""
        return float(self.factor * flops**self.exponent)


class Prediction(NamedTuple):
    """The next size, as far from the largest as that is from the one before, and what the line gives it."""

    parameters: float
    tokens: float
    flops: float
    bits: float


def line_of(rows: Sequence[TrialRow]) -> Line:
    """Return the line of least squares through the sizes, in the logarithms of compute and bits; two at least.

    Sizes of the group `check` are left out.
    """
    rows = [row for row in rows if row.group != CHECK]
    if len({row.flops for row in rows}) < 2:
        raise ValueError(f"a line takes two sizes at least, not {len(rows)} of one compute")
    compute, bits = (np.log([getattr(row, name) for row in rows]) for name in ("flops", "bits"))
    exponent, intercept = np.polyfit(compute, bits, 1)
    residual = np.abs(np.exp(bits - intercept - exponent * compute) - 1).max()
    return Line(float(np.exp(intercept)), float(exponent), float(residual))


def next_size(rows: Sequence[TrialRow]) -> Prediction:
    """Return what the line of the sizes gives the next one."""
    line = line_of(rows)
    before, last = sorted((row for row in rows if row.group != CHECK), key=lambda row: row.flops)[-2:]
    parameters, tokens, flops = (
        getattr(last, name) ** 2 / getattr(before, name) for name in ("parameters", "tokens", "flops")
    )
    return Prediction(parameters, tokens, flops, line.at(flops))


def scaling_table(results: Sequence[Result]) -> str:
    """Return the sizes as Markdown, and below them their line and what it predicts for the next size.

    A size that the line is checked against stands behind those that it is made of.
    """
    rows = sorted(rows_of(results), key=lambda row: row.group == CHECK)
    line, following = line_of(rows), next_size(rows)
    sizes = [
        (
            f"{row.name} (check)" if row.group == CHECK else row.name,
            *_cost(row),
            f"{row.bits:.2f}",
            f"{line.at(row.flops):.2f}",
            f"{row.seeds}",
        )
        for row in rows
    ]
    sizes.append(("next", *_cost(following), "", f"{following.bits:.2f}", ""))
    head = ("size", "parameters", "tokens", "GFLOP", "bits per note", "on the line", "seeds")
    lines = [
        markdown_table(head, sizes),
        "",
        f"bits per note = {line.factor:.4g} * FLOP^{line.exponent:.4f}; no size is further than "
        f"{100 * line.residual:.1f} % from it. Ten times the compute take {100 * (1 - 10**line.exponent):.1f} % off.",
    ]
    return "\n".join(lines)


def draw_scaling(path: Path, results: Sequence[Result]) -> None:
    """Draw every trial over its compute, the line, and the next size on it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = rows_of(results)
    line, following = line_of(rows), next_size(rows)
    figure = Figure(figsize=(7, 4.2), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    ends = np.geomspace(min(row.flops for row in rows), following.flops, 50)
    axes.plot(ends, [line.at(flops) for flops in ends], color="#1f6fb4", linewidth=1, label="least squares")
    for row in rows:
        bits = [result.bits_per_note for result in results if result.name == row.name]
        filled = "none" if row.group == CHECK else "full"
        axes.plot([row.flops] * len(bits), bits, "o", color="#d9541e", fillstyle=filled)
        axes.annotate(f"{row.parameters / 1e6:.2f} M", (row.flops, row.bits), xytext=(8, 6), textcoords="offset points")
    axes.plot([], [], "o", color="#d9541e", label="trials, one for each seed")
    if any(row.group == CHECK for row in rows):
        axes.plot([], [], "o", color="#d9541e", fillstyle="none", label="the check: not in the line")
    axes.plot([following.flops], [following.bits], "o", color="#1f6fb4", fillstyle="none", label="next size, predicted")
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = following.bits * 0.97, max(result.bits_per_note for result in results) * 1.03
    ticks = [tick for tick in range(1, 100) if low <= tick <= high]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(low, high)
    axes.set_xlabel("floating-point operations of training")
    axes.set_ylabel("bits per note, validation")
    axes.legend()
    figure.savefig(path)
