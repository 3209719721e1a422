"""Questions whether two kinds of music can be told apart, wherever they are sent to.

First the statistics of every excerpt are found, some excerpts an item; then a forest is asked for each question. Both
depend on their item alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from piano.notes import Performance
from train.places import given_up
from train.sampling_study.excerpt_statistics import excerpt_statistics, rounded
from train.sampling_study.findings import Found
from train.sampling_study.phrase_statistics import phrase_statistics
from train.sampling_study.two_sample import TREES, Sample, Told, tell_apart
from workers.in_turn import Keeping, send_in_turn
from workers.place import Place, Tell
from workers.result_list import ResultList, Stored, key_of

EXCERPTS_A_GROUP = 8
"""How many excerpts go to a process at once; one takes some hundredths of a second."""


class Excerpt(NamedTuple):
    """Some seconds of music, the work that they are from, and what was heard before them, if they go on from that."""

    work: str
    music: Performance
    heard: Performance | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Can what was made be told from what is real?"""

    name: str
    real: Sequence[Excerpt]
    made: Sequence[Excerpt]


def answered(questions: Sequence[Question], seconds: float, place: Place, done: ResultList) -> list[Found]:
    """Return what was found for each question, in order; excerpts of so many seconds.

    What stands in the list of what is done is not found again; the rest comes into it.
    """
    every = {id(excerpt.music): excerpt for one in questions for excerpt in (*one.real, *one.made)}
    by_music = dict(zip(every, _statistics_of(list(every.values()), seconds, place, done), strict=True))
    names = [tuple(by_music[id(one.real[0].music)]) for one in questions]

    def sample(excerpts: Sequence[Excerpt], named: Sequence[str]) -> Sample:
        values = np.array([[by_music[id(excerpt.music)][name] for name in named] for excerpt in excerpts])
        return Sample(values, tuple(excerpt.work for excerpt in excerpts))

    pairs = [(sample(one.real, named), sample(one.made, named)) for one, named in zip(questions, names, strict=True)]
    told = _told_apart(pairs, place, done)
    return [
        Found(question.name, each, named, *pair)
        for question, each, named, pair in zip(questions, told, names, pairs, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Statistics:
    """Finds the statistics of excerpts, rounded as tokens are."""

    seconds: float

    def open(self) -> None:
        """Nothing is to be loaded."""

    def make(self, works: Sequence[Excerpt], tell: Tell) -> Iterator[dict[str, float]]:  # noqa: ARG002
        """Take excerpts one after the other."""
        for work in works:
            yield _statistics(work, self.seconds)


def _statistics(excerpt: Excerpt, seconds: float) -> dict[str, float]:
    music = rounded(excerpt.music, seconds)
    found = excerpt_statistics(music, seconds)
    if excerpt.heard is not None:
        found |= phrase_statistics(rounded(excerpt.heard, seconds), music, seconds)
    return {name: float(value) for name, value in found.items()}


def _statistics_of(
    excerpts: Sequence[Excerpt], seconds: float, place: Place, done: ResultList
) -> list[dict[str, float]]:
    keeping: Keeping[Excerpt, dict[str, float]] = Keeping(
        done,
        key=lambda excerpt: key_of(seconds, excerpt.music, excerpt.heard),
        store=Stored,
        restore=lambda stored: dict(stored.told),
    )
    job = _Statistics(seconds)
    return list(send_in_turn(job, excerpts, place, lost=_lost_excerpt, keeping=keeping, a_group=EXCERPTS_A_GROUP))


def _lost_excerpt(excerpt: Excerpt, why: str) -> dict[str, float]:
    given_up(f"an excerpt of {excerpt.work}", why)


_Pair = tuple[Sample, Sample]


@dataclass(frozen=True, slots=True)
class _Forests:
    """Asks a forest of so many trees about pairs of samples, what is real first."""

    trees: int

    def open(self) -> None:
        """Nothing is to be loaded."""

    def make(self, works: Sequence[_Pair], tell: Tell) -> Iterator[Told]:  # noqa: ARG002
        """Take pairs one after the other."""
        for work in works:
            yield tell_apart(*work, trees=self.trees)


def _told_apart(pairs: Sequence[_Pair], place: Place, done: ResultList) -> list[Told]:
    keeping: Keeping[_Pair, Told] = Keeping(done, key=lambda pair: key_of(TREES, *pair), store=_stored, restore=_told)
    return list(send_in_turn(_Forests(TREES), pairs, place, lost=_lost_pair, keeping=keeping))


def _stored(told: Told) -> Stored:
    values = {name: np.asarray(value).tolist() for name, value in asdict(told).items()}
    return Stored(values)


def _told(stored: Stored) -> Told:
    values = stored.told
    matrices = {name: np.array(values.pop(name)) for name in ("single", "medians", "importance")}
    return Told(values["auc"], values["error"], tuple(values["excerpts"]), **matrices)


def _lost_pair(pair: _Pair, why: str) -> Told:
    given_up(f"a question about {len(pair[1].values)} excerpts", why)
