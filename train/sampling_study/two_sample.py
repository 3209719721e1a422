"""A classifier two-sample test (Lopez-Paz & Oquab 2017): can two kinds of music be told apart by their statistics?

A random forest learns to tell them from most of the pieces and is asked about the others; no piece is on both sides.
The area under its ROC curve is 0.5 where it cannot tell them, 1 where it always can.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.errors import PianodError

FOLDS = 8
"""Parts of the pieces; each is asked about once, by a forest that learned from the others."""

TREES = 500

_RESAMPLES = 1000
_SEED = 3_141_592

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """One kind of music: the statistics of each excerpt, (excerpts, statistics), and which piece it is from."""

    values: Matrix
    groups: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what does not agree."""
        if len(self.values) != len(self.groups):
            raise ValueError(f"{len(self.values)} excerpts and {len(self.groups)} groups: one for each is needed")


@dataclass(frozen=True, slots=True)
class Told:
    """How well two kinds of music are told apart."""

    auc: float
    error: float
    """The standard error, by drawing the pieces anew."""
    excerpts: tuple[int, int]
    single: Matrix
    """The area under the curve of each statistic alone, (statistics,): above 0.5 where the second kind has more."""
    medians: Matrix  # (2, statistics)
    importance: Matrix  # (statistics,): how much of the forest's work each statistic does


def tell_apart(one: Sample, other: Sample, *, trees: int = TREES) -> Told:
    """Return how well the other kind is told from the one; PianodError if there are too few pieces.

    A name that stands in the groups of both is the same piece: then both of its sides are held out together.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GroupKFold

    values = np.concatenate([one.values, other.values])
    is_other = np.repeat([False, True], [len(one.values), len(other.values)])
    names = sorted({*one.groups, *other.groups})
    groups = np.searchsorted(names, [*one.groups, *other.groups])
    if min(len(set(one.groups)), len(set(other.groups))) < FOLDS:
        raise PianodError(
            f"{len(set(one.groups))} and {len(set(other.groups))} pieces are too few to be told apart: at least "
            f"{FOLDS} of each are needed; take more excerpts (--count)"
        )
    guesses, importance = np.zeros(len(values)), np.zeros(values.shape[1])
    for learned, asked in GroupKFold(FOLDS, shuffle=True, random_state=_SEED).split(values, is_other, groups):
        forest = RandomForestClassifier(trees, min_samples_leaf=2, class_weight="balanced", random_state=_SEED)
        forest.fit(values[learned], is_other[learned])
        guesses[asked] = forest.predict_proba(values[asked])[:, 1]
        importance += forest.feature_importances_ / FOLDS
    return Told(
        area(guesses, is_other),
        _standard_error(guesses, is_other, groups),
        (len(one.values), len(other.values)),
        np.array([area(column, is_other) for column in values.T]),
        np.stack([np.median(one.values, axis=0), np.median(other.values, axis=0)]),
        importance,
    )


def area(guesses: NDArray[np.float64], is_other: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: how often one of the other kind has more than one of the first."""
    first, second = np.sort(guesses[~is_other]), guesses[is_other]
    below = np.searchsorted(first, second, side="left") + np.searchsorted(first, second, side="right")
    return float(below.mean() / 2 / first.size)


def _standard_error(
    guesses: NDArray[np.float64], is_other: NDArray[np.bool_], groups: Sequence[int] | NDArray[np.int64]
) -> float:
    """Return the deviation of the area over draws of as many pieces, with replacement."""
    rng = np.random.default_rng(_SEED)
    places = [np.flatnonzero(np.asarray(groups) == group) for group in np.unique(groups)]
    areas = []
    for _ in range(_RESAMPLES):
        drawn = np.concatenate([places[index] for index in rng.integers(len(places), size=len(places))])
        kinds = is_other[drawn]
        if kinds.any() and not kinds.all():
            areas.append(area(guesses[drawn], kinds))
    return float(np.std(areas))
