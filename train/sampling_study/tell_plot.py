"""The picture of a two-sample test: how well each way is told from real music, and by which statistics the last is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from train.sampling_study.findings import REAL, Found, order_of_telling

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 4
_PANELS = 12
_REAL_COLOUR, _MADE_COLOUR = "#1f6fb4", "#d9541e"


def draw_told(path: Path, found: Mapping[str, Sequence[Found]]) -> None:
    """Draw, for continuations and new pieces, all ways by their AUC and what tells most of the last of them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = 1 + _PANELS // _COLUMNS
    figure = Figure(figsize=(13, 2.4 * rows * len(found)), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    parts = figure.subfigures(len(found), 1, squeeze=False)[:, 0]
    for part, (title, lines) in zip(parts, found.items(), strict=True):
        part.suptitle(f"{title}: {lines[-1].name}", fontweight="bold")
        grid = part.add_gridspec(rows, _COLUMNS)
        _draw_areas(part.add_subplot(grid[0, :]), lines)
        for place, column in enumerate(order_of_telling(lines[-1].told)[:_PANELS]):
            axes = part.add_subplot(grid[1 + place // _COLUMNS, place % _COLUMNS])
            _draw_statistic(axes, lines[-1], column)
    figure.savefig(path)


def _draw_areas(axes: "Axes", lines: Sequence[Found]) -> None:
    names = [each.name for each in lines]
    colours = [_REAL_COLOUR if name == REAL else _MADE_COLOUR for name in names]
    areas, errors = [each.told.auc for each in lines], [each.told.error for each in lines]
    axes.barh(names, areas, xerr=errors, color=colours, alpha=0.6)
    axes.axvline(0.5, color="black", linewidth=1)
    axes.set_xlim(0.3, 1.0)
    axes.invert_yaxis()
    axes.set_title("told from real music: area under the ROC curve (0.5: by chance)", fontsize="medium")


def _draw_statistic(axes: "Axes", found: Found, column: int) -> None:
    real, made = found.real.values[:, column], found.made.values[:, column]
    bins = _bins(np.concatenate([real, made]))
    for values, colour, label in ((real, _REAL_COLOUR, "real"), (made, _MADE_COLOUR, found.name)):
        share = np.full(values.size, 1 / max(values.size, 1))
        axes.hist(
            np.clip(values, bins[0], bins[-1]), bins.tolist(), weights=share, color=colour, alpha=0.5, label=label
        )
        axes.axvline(float(np.median(values)), color=colour, linewidth=1.5)
    axes.set_title(f"{found.statistics[column]} ({found.told.single[column]:.2f})", fontsize="small")
    axes.tick_params(labelsize="x-small")
    axes.legend(fontsize="x-small")


def _bins(values: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = np.percentile(values, [1, 99])
    return np.linspace(low, high if high > low else low + 1.0, 25)
