"""The figures of tasks as a Markdown table, as JSON, and as a picture."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from piano.errors import PianodError
from piano.whole_file import write_report
from train.evaluate.task_metrics import DISTRIBUTIONS
from train.evaluate.task_results import MODEL, OVERALL_RATIO, ResultRow
from train.tables import markdown_table

JSON_NAME, TABLE_NAME, PICTURE_NAME = "tasks.json", "tasks.md", "tasks.png"

_HEADINGS = {
    "f1": "F1",
    "f1_velocity": "F1 with velocity",
    "velocity_mae": "velocity MAE",
    "deviation_ratio": "ratio of deviations",
    OVERALL_RATIO: "ratio over all",
    "onset_error_ms": "onset error ms",
    "density_ratio": "notes, of those asked",
    "repeats_excess": "repeated keys, more",
    "tempo_kept": "tempo kept",
    "together_ratio": "with what stands",
    **{f"{name}_intersection": f"{name.replace('_', '-')} ∩" for name in DISTRIBUTIONS},
    **{f"{name}_wasserstein": f"{name.replace('_', '-')} W" for name in DISTRIBUTIONS},
}
_VELOCITY_COLUMNS = ("velocity_mae", "deviation_ratio", OVERALL_RATIO, "f1_velocity")
_COLOURS = {MODEL: "#1f4e79", "copy": "#b8b8b8", "random": "#d9c7a3", "nearest": "#8fae7e"}
_MORE_COLOURS = ("#c48a8a", "#a78fc0", "#7fb3b8", "#e0b060")


@dataclass(frozen=True, slots=True)
class TaskReport:
    """All rows so far, and in words of the command what was measured (`source`); `took_s` by situation."""

    model: str
    source: dict[str, Any]
    rows: Sequence[ResultRow]
    took_s: dict[str, float]

    def situations(self) -> dict[str, list[ResultRow]]:
        """Return the rows by situation, the model's first."""
        found: dict[str, list[ResultRow]] = {}
        for row in self.rows:
            found.setdefault(row.situation, []).append(row)
        return {name: sorted(rows, key=lambda row: row.method != MODEL) for name, rows in found.items()}

    def markdown(self) -> str:
        """Return what was measured, and the tables: velocities, notes found, then everything."""
        situations = self.situations()
        tables = {
            "Velocities": _velocity_table(situations),
            "Notes found": _summary_table(situations),
            "All measures": _full_table(situations),
        }
        return "\n\n".join([self._caption(), *(f"### {name}\n\n{of}" for name, of in tables.items() if of)]) + "\n"

    def _caption(self) -> str:
        told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.source.items())
        return f"`{self.model}` on {told}; it took {sum(self.took_s.values()) / 60:.0f} minutes."

    def to_json(self) -> dict[str, Any]:
        """Return all that was measured."""
        situations = {
            name: {"took_s": round(self.took_s[name], 1), "methods": {row.method: row.to_json() for row in rows}}
            for name, rows in self.situations().items()
        }
        return {"model": self.model, **self.source, "situations": situations}

    def write(self, folder: Path) -> None:
        """Write table, JSON and picture to a folder, which is made."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_report(folder / JSON_NAME, json.dumps(self.to_json(), indent=1) + "\n")
            write_report(folder / TABLE_NAME, self.markdown())
            self.draw(folder / PICTURE_NAME)
        except OSError as fault:
            raise PianodError(f"{folder}: cannot be written ({fault.strerror}); choose another --out") from fault

    def draw(self, path: Path) -> None:
        """Write bars for each situation: F1 of notes, and the error of velocities."""
        from matplotlib.figure import Figure  # a table alone needs no picture

        groups = [("f1", "F1 of the asked notes, onset within 50 ms"), ("velocity_mae", "Mean error of velocities")]
        shown = [
            (metric, title, rows)
            for metric, title in groups
            if (rows := {name: rows for name, rows in self.situations().items() if _leading(rows[0]) == metric})
        ]
        heights = [0.6 + 0.17 * sum(len(of) + 1 for of in rows.values()) for _, _, rows in shown]
        figure = Figure(figsize=(9, sum(heights) + 0.8), layout="constrained")
        panels = figure.subplots(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
        for panel, (metric, title, rows) in zip(panels, shown, strict=True):
            _bars(panel, rows, metric, title)
        figure.savefig(path, dpi=110)


def _leading(row: ResultRow) -> str:
    return "f1" if "f1" in row.metrics else "velocity_mae"


def _bars(panel: Any, situations: dict[str, list[ResultRow]], metric: str, title: str) -> None:
    """Draw a group of bars for each situation, the first on top, with the error of the mean."""
    colours, place, ticks = dict(_COLOURS), 0.0, []
    for name, rows in situations.items():
        ticks.append((place + (len(rows) - 1) / 2, name))
        for row in rows:
            label = row.method.rstrip("0123456789. ")
            is_new = not any(bar.get_label() == label for bar in panel.containers)
            colour = colours.setdefault(label, _MORE_COLOURS[(len(colours) - len(_COLOURS)) % len(_MORE_COLOURS)])
            error, mean = row.error(metric), row.mean(metric)
            panel.barh(
                place, mean, 0.9, xerr=None if math.isnan(error) else error, color=colour, ecolor="#555555",
                error_kw={"elinewidth": 0.8}, label=label if is_new else None,
            )  # fmt: skip
            place += 1
        place += 1
    panel.set_yticks([tick for tick, _ in ticks], [name for _, name in ticks])
    panel.invert_yaxis()
    panel.set_title(title, loc="left", fontsize=10)
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)
    panel.margins(y=0.01)
    panel.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _velocity_table(situations: dict[str, list[ResultRow]]) -> str:
    rows = [
        (name, _method(row), *(_figure(row, column) for column in _VELOCITY_COLUMNS))
        for name, of in situations.items()
        if "f1" not in of[0].metrics
        for row in of
    ]
    return (
        markdown_table(("velocities", "", *(_HEADINGS[column] for column in _VELOCITY_COLUMNS)), rows) if rows else ""
    )


def _summary_table(situations: dict[str, list[ResultRow]]) -> str:
    """Return F1 by task, the model beside its baselines, and whether it is above each by more than chance."""
    shown = {name: rows for name, rows in situations.items() if "f1" in rows[0].metrics and rows[0].method == MODEL}
    if not shown:
        return ""
    methods = [row.method for row in next(iter(shown.values()))]
    rows = [
        (name, *(_with_error(row, "f1") for row in of), _verdict(of[0], of[1:]), _figure(of[0], "f1_velocity"))
        for name, of in shown.items()
    ]
    return markdown_table(("F1", *methods, "model above all", "model, with velocity"), rows)


def _full_table(situations: dict[str, list[ResultRow]]) -> str:
    columns = [name for name in _HEADINGS if any(name in rows[0].metrics for rows in situations.values())]
    rows = [
        (name, _method(row), *(_figure(row, column) if column in row.metrics else "" for column in columns))
        for name, of in situations.items()
        for row in of
    ]
    return markdown_table(("all measures", "", *(_HEADINGS[column] for column in columns)), rows)


def _verdict(model: ResultRow, others: Sequence[ResultRow]) -> str:
    """Say whether the model is above each baseline: by two standard errors of the difference, or only on average."""
    apart = [model.above(other, "f1") for other in others]
    if all(mean > 2 * error for mean, error in apart):
        return "yes"
    return "on average" if all(mean > 0 for mean, _ in apart) else "no"


def _method(row: ResultRow) -> str:
    return f"**{row.method}**" if row.method == MODEL else row.method


def _with_error(row: ResultRow, metric: str) -> str:
    return f"{_figure(row, metric)} ± {row.error(metric):.3f}"


def _figure(row: ResultRow, metric: str) -> str:
    value = row.mean(metric)
    if math.isnan(value):
        return "-"
    if metric.endswith("_ms") or metric in ("inter_onset_wasserstein", "duration_wasserstein"):
        return f"{value:.0f}"
    return f"{value:.2f}" if metric.endswith(("_mae", "_wasserstein")) else f"{value:.3f}"
