"""What was measured: for each situation and each method the scores of every excerpt, and what they come to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import sem

from piano.notes import NoteArray
from train.evaluate.task_metrics import METRICS, Scores, Values, deviation_ratio, score, score_velocities

MODEL = "model"
OVERALL_RATIO = "overall_deviation_ratio"
"""The ratio of deviations over the notes of all excerpts together; `deviation_ratio` is within an excerpt."""

_OVER_NOTES = ("velocity_mae",)


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A method in a situation; `scores` by excerpt, `notes` how many each asked for."""

    situation: str
    method: str
    scores: tuple[Scores, ...]
    notes: tuple[int, ...]
    overall_ratio: float

    @staticmethod
    def of(
        situation: str,
        method: str,
        asked: Sequence[NoteArray],
        answered: Sequence[NoteArray],
        *,
        velocities: bool = False,
        stands: Sequence[NoteArray] | None = None,
    ) -> "ResultRow":
        """Measure the answer to each excerpt, beside what `stands` in it; where only velocities are asked, note for
        note."""
        beside: Sequence[NoteArray | None] = stands or [None] * len(asked)
        triples = zip(asked, answered, beside, strict=True)
        scores = tuple(
            score_velocities(one, other["velocity"]) if velocities else score(one, other, given)
            for one, other, given in triples
        )
        played, found = (np.concatenate(side)["velocity"].astype(np.float64) for side in (asked, answered))
        return ResultRow(
            situation, method, scores, tuple(notes.size for notes in asked), deviation_ratio(played, found)
        )

    @property
    def metrics(self) -> tuple[str, ...]:
        """Return what was measured, in order."""
        return tuple(name for name in METRICS if name in self.scores[0])

    def mean(self, metric: str) -> float:
        """Return a measure over all excerpts that have it: an error of velocities by notes, all else by excerpts."""
        if metric == OVERALL_RATIO:
            return self.overall_ratio
        values, weights = self._values(metric)
        return float(np.average(values, weights=weights)) if values.size else math.nan

    def error(self, metric: str) -> float:
        """Return the standard error of the mean over excerpts."""
        values, _ = self._values(metric)
        return float(sem(values)) if values.size > 1 else math.nan

    def above(self, other: "ResultRow", metric: str) -> tuple[float, float]:
        """Return by how much this is above another in the same excerpts, on average, and the standard error of that."""
        apart = np.array([one[metric] - two[metric] for one, two in zip(self.scores, other.scores, strict=True)])
        return float(apart.mean()), float(sem(apart)) if apart.size > 1 else math.nan

    def to_json(self) -> dict[str, Any]:
        """Return means and their errors by name, and F1 or the velocities' error of each excerpt; NaN as None."""
        key = "f1" if "f1" in self.scores[0] else "velocity_mae"
        figures = {name: {"mean": self.mean(name), "error": self.error(name)} for name in self.metrics}
        return {
            "notes": sum(self.notes),
            "excerpts": len(self.notes),
            OVERALL_RATIO: _finite(self.overall_ratio),
            "metrics": {name: {what: _finite(each) for what, each in both.items()} for name, both in figures.items()},
            f"{key}_by_excerpt": [_finite(scores[key]) for scores in self.scores],
        }

    def _values(self, metric: str) -> tuple[Values, Values]:
        values = np.array([scores[metric] for scores in self.scores], np.float64)
        weights = np.array(self.notes if metric in _OVER_NOTES else np.ones(values.size), np.float64)
        known = np.isfinite(values)
        return values[known], weights[known]


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
