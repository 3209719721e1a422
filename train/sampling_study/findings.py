"""What was found of one way of playing: how well it is told from real music, and by what."""

from dataclasses import dataclass

import numpy as np

from train.sampling_study.two_sample import Sample, Told

REAL = "other real music"


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the table: a way of playing, and how well it is told from real music."""

    name: str
    told: Told
    statistics: tuple[str, ...]
    real: Sample
    made: Sample

    def of(self, name: str) -> tuple[float, float]:
        """Return a statistic of real music and of this: medians; means for what is mostly 0."""
        column = self.statistics.index(name)
        middle = np.mean if name == "notes over 4 s" else np.median
        return float(middle(self.real.values[:, column])), float(middle(self.made.values[:, column]))


def order_of_telling(told: Told) -> list[int]:
    """Return the numbers of the statistics, from the one that alone tells most to the one that tells least."""
    return [int(column) for column in np.argsort(-np.abs(told.single - 0.5), kind="stable")]
