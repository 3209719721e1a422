"""One figure for each way of sampling, to choose by: half how free playing stands, half how continuations do.

    in band    the share of stretches of free pieces that lie where 90 % of real ones do, the mean over all statistics
    nearer     the share of other real excerpts that are farther from a primer than its continuation is, the mean
               over all traits

The figure is the mean of both. Each piece and each continuation is one observation: minutes of one piece are much
alike, so that many pieces tell more than long ones do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import sem

from train.sampling_study.music_statistics import STATISTICS, TRAITS
from train.tables import text_table

Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """What one way of sampling comes to: `in_band`, (pieces, 6), and `nearer`, (continuations, 4), 0 to 1."""

    in_band: Shares
    nearer: Shares

    @property
    def value(self) -> float:
        """Return the figure to choose by; not a number where pieces or continuations are missing."""
        return (_mean(self.in_band) + _mean(self.nearer)) / 2

    @property
    def error(self) -> float:
        """Return the standard error of the figure, from how much pieces and continuations differ."""
        return float(np.hypot(_error(self.in_band), _error(self.nearer))) / 2


def figure_table(figures: Mapping[str, Figure]) -> str:
    """Return the figures, one line each, with what they are made of; shares in %."""
    heads = (*STATISTICS, *TRAITS)
    about = f"in %, ± standard errors: in the band by {', '.join(STATISTICS)}; nearer in {', '.join(TRAITS)}"
    lines = []
    for name, figure in figures.items():
        parts = [(figure.value, figure.error)]
        parts += [(_mean(shares), _error(shares)) for shares in (figure.in_band, figure.nearer)]
        each = (100 * _columns(shares) for shares in (figure.in_band, figure.nearer))
        told = [f"{100 * value:.1f} ± {100 * error:<3.1f}" for value, error in parts]
        lines.append((name, *told, "  |  ".join(" ".join(f"{share:3.0f}" for share in of) for of in each)))
    return f"{about}\n{text_table(('', 'figure', 'in band', 'nearer', f'each of the {len(heads)}'), lines)}"


def _columns(shares: Shares) -> Shares:
    return np.asarray(shares.mean(axis=0)) if len(shares) else np.full(shares.shape[1], np.nan)


def _mean(shares: Shares) -> float:
    return float(_columns(shares).mean())


def _error(shares: Shares) -> float:
    """Return the standard error of the mean over the rows; not a number for fewer than two."""
    return float(sem(shares.mean(axis=1))) if len(shares) > 1 else float("nan")
