"""Items to the place where they are done, and their results back in the items' order, without those done before.

A result that has come is kept in the list of what is done before anything waits for its turn, so that the same work,
broken off and begun again here or on another machine, does nothing twice.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

from workers.place import Job, Place, Tell
from workers.result_list import ResultList, Stored
from workers.send import send

Item = TypeVar("Item")
Result = TypeVar("Result")

_UNKNOWN = -1


@dataclass(frozen=True)
class Keeping(Generic[Item, Result]):
    """How results are kept: in which list, by which key of their item, and how they are stored."""

    done: ResultList
    key: Callable[[Item], str]
    store: Callable[[Result], Stored]
    restore: Callable[[Stored], Result]


def send_in_turn(
    job: Job[Item, Result],
    items: Iterable[Item],
    place: Place,
    *,
    lost: Callable[[Item, str], Result],
    keeping: Keeping[Item, Result] | None = None,
    a_group: int = 1,
) -> Iterator[Result]:
    """Yield the result of each item, in the order of the items, so many of which go to a process together.

    `lost` makes the result of an item that no worker of a cluster could do, or raises; it is not kept. What is raised
    is as of `workers.send.send`.
    """
    return _Turns(job, items, place, lost, keeping, a_group).results()


@dataclass(frozen=True, slots=True)
class _Numbered(Generic[Item]):
    number: int
    item: Item
    key: str = ""


@dataclass(frozen=True, slots=True)
class _Done(Generic[Result]):
    number: int
    result: Result
    key: str = ""
    """Empty where it is not to be kept."""


@dataclass(frozen=True, slots=True)
class _NumberedJob(Generic[Item, Result]):
    """A job whose results come with the numbers of their items."""

    job: Job[Item, Result]

    def open(self) -> None:
        self.job.open()

    def make(self, works: Sequence[_Numbered[Item]], tell: Tell) -> Iterator[_Done[Result]]:
        results = self.job.make([work.item for work in works], tell)
        for work, result in zip(works, results, strict=True):
            yield _Done(work.number, result, work.key)


@dataclass
class _Turns(Generic[Item, Result]):
    """One list of items on its way; in the caller's thread."""

    job: Job[Item, Result]
    items: Iterable[Item]
    place: Place
    lost: Callable[[Item, str], Result]
    keeping: Keeping[Item, Result] | None
    a_group: int
    _early: dict[int, Result] = field(default_factory=dict)
    _places: "array[int]" = field(default_factory=lambda: array("q"))
    """Where the result of each item lies that was asked for so far, if it was kept before."""
    _wanted: int = 0

    def results(self) -> Iterator[Result]:
        for done in send(_NumberedJob(self.job), self._groups(), self.place, tell=_tell_nobody, lost=self._lost):
            if self.keeping is not None and done.key:
                self.keeping.done.add(done.key, self.keeping.store(done.result))
            self._early[done.number] = done.result
            yield from self._in_turn()
        yield from self._in_turn()

    def _groups(self) -> Iterator[list[_Numbered[Item]]]:
        missing = self._missing()
        return iter(lambda: list(islice(missing, self.a_group)), [])

    def _missing(self) -> Iterator[_Numbered[Item]]:
        """Yield the items that have not been done."""
        for number, item in enumerate(self.items):
            if self.keeping is None:
                yield _Numbered(number, item)
                continue
            key = self.keeping.key(item)
            place = self.keeping.done.find(key)
            self._places.append(_UNKNOWN if place is None else place)
            if place is None:
                yield _Numbered(number, item, key)

    def _in_turn(self) -> Iterator[Result]:
        """Yield the results whose turn has come."""
        while True:
            if self._wanted in self._early:
                yield self._early.pop(self._wanted)
            elif self.keeping is not None and self._wanted < len(self._places) and self._places[self._wanted] >= 0:
                yield self.keeping.restore(self.keeping.done.at(self._places[self._wanted]))
            else:
                return
            self._wanted += 1

    def _lost(self, work: _Numbered[Item], why: str) -> _Done[Result]:
        return _Done(work.number, self.lost(work.item, why))


def _tell_nobody(_number: int, _share: float, _notes: float) -> None:
    """Take how far an item is; the caller counts items."""
