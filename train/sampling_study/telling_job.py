"""Questions whether two kinds of music can be told apart, wherever they are sent to.

First the statistics of every excerpt are found, some excerpts an item; then a forest is asked for each question. Both
depend on their item alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from piano.notes import Performance
from train.places import given_up, tell_nobody
from train.sampling_study.excerpt_statistics import excerpt_statistics, rounded
from train.sampling_study.findings import Found
from train.sampling_study.phrase_statistics import phrase_statistics
from train.sampling_study.two_sample import TREES, Sample, Told, tell_apart
from workers.place import Place, Tell
from workers.send import in_order, send

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


def answered(questions: Sequence[Question], seconds: float, place: Place) -> list[Found]:
    """Return what was found for each question, in order; excerpts of so many seconds."""
    every = {id(excerpt.music): excerpt for one in questions for excerpt in (*one.real, *one.made)}
    by_music = dict(zip(every, _statistics_of(list(every.values()), seconds, place), strict=True))
    names = [tuple(by_music[id(one.real[0].music)]) for one in questions]

    def sample(excerpts: Sequence[Excerpt], named: Sequence[str]) -> Sample:
        values = np.array([[by_music[id(excerpt.music)][name] for name in named] for excerpt in excerpts])
        return Sample(values, tuple(excerpt.work for excerpt in excerpts))

    pairs = [(sample(one.real, named), sample(one.made, named)) for one, named in zip(questions, names, strict=True)]
    told = _told_apart(pairs, place)
    return [
        Found(question.name, each, named, *pair)
        for question, each, named, pair in zip(questions, told, names, pairs, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Excerpt:
    number: int
    excerpt: Excerpt


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    statistics: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Statistics:
    """Finds the statistics of excerpts, rounded as tokens are."""

    seconds: float

    def open(self) -> None:
        """Nothing is to be loaded."""

    def make(self, works: Sequence[_Excerpt], tell: Tell) -> Iterator[_Row]:  # noqa: ARG002
        """Take excerpts one after the other."""
        for work in works:
            yield _Row(work.number, _statistics(work.excerpt, self.seconds))


def _statistics(excerpt: Excerpt, seconds: float) -> dict[str, float]:
    music = rounded(excerpt.music, seconds)
    found = excerpt_statistics(music, seconds)
    if excerpt.heard is not None:
        found |= phrase_statistics(rounded(excerpt.heard, seconds), music, seconds)
    return found


def _statistics_of(excerpts: Sequence[Excerpt], seconds: float, place: Place) -> list[dict[str, float]]:
    every = (_Excerpt(number, excerpt) for number, excerpt in enumerate(excerpts))
    groups = iter(lambda: list(islice(every, EXCERPTS_A_GROUP)), [])
    done = send(_Statistics(seconds), groups, place, tell=tell_nobody, lost=_lost_excerpt)
    return [one.statistics for one in in_order(done, attrgetter("number"))]


def _lost_excerpt(work: _Excerpt, why: str) -> _Row:
    given_up(f"excerpt {work.number + 1}", why)


@dataclass(frozen=True, slots=True)
class _Pair:
    number: int
    real: Sample
    made: Sample


@dataclass(frozen=True, slots=True)
class _ToldPair:
    number: int
    told: Told


@dataclass(frozen=True, slots=True)
class _Forests:
    """Asks a forest of so many trees about pairs of samples."""

    trees: int

    def open(self) -> None:
        """Nothing is to be loaded."""

    def make(self, works: Sequence[_Pair], tell: Tell) -> Iterator[_ToldPair]:  # noqa: ARG002
        """Take pairs one after the other."""
        for work in works:
            yield _ToldPair(work.number, tell_apart(work.real, work.made, trees=self.trees))


def _told_apart(pairs: Sequence[tuple[Sample, Sample]], place: Place) -> list[Told]:
    groups = ([_Pair(number, *pair)] for number, pair in enumerate(pairs))
    done = send(_Forests(TREES), groups, place, tell=tell_nobody, lost=_lost_pair)
    return [one.told for one in in_order(done, attrgetter("number"))]


def _lost_pair(work: _Pair, why: str) -> _ToldPair:
    given_up(f"question {work.number + 1}", why)
