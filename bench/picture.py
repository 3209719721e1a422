"""The picture of one decode measurement: milliseconds a token over the past length, on a logarithmic scale."""

from pathlib import Path
from typing import Any

from bench.contestants import FLOOR, MEMORY_FLOOR, OURS


def draw_performance(figures: dict[str, Any], path: Path) -> None:
    """Draw everyone's line, ours in front, and write a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines = figures["decode"]
    pasts = [line["past"] for line in lines]
    names = [name for name in dict.fromkeys(name for line in lines for name in line["all_ms"]) if name != OURS]
    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    for name in names:
        axes.plot(pasts, [line["all_ms"].get(name) for line in lines], "o-", linewidth=1, label=name)
    axes.plot(pasts, [line["ms"] for line in lines], "o-", color="black", linewidth=3, label=OURS)
    axes.plot(pasts, [line["floor_ms"] for line in lines], "--", color="grey", label=FLOOR)
    memory = [line["memory_floor_ms"] for line in lines]
    axes.plot(pasts, memory, ":", color="grey", label=MEMORY_FLOOR)
    axes.set_yscale("log")
    axes.set_xticks(pasts, [str(past) for past in pasts])
    axes.set_xlabel("tokens heard and played so far")
    axes.set_ylabel("milliseconds a token")
    axes.grid(visible=True, axis="y", alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(path, dpi=120, bbox_inches="tight")
    pyplot.close(figure)
