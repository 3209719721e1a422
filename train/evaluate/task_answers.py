"""Answers to tasks, sampled by a model: exercise after exercise here, or wherever they are sent to.

An answer depends on the model, the exercise and the request alone, however many are found at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from piano.notes import NoteArray
from piano.session import Session
from piano.solve.solver import SolveRequest, solve
from piano.tasks.exercise import Exercise
from train.places import given_up, tell_nobody
from train.predictors.targets import check_target, checksum_of, load_session
from workers.place import Place, Tell
from workers.send import in_order, send

Solve = Callable[[Sequence[Exercise], Sequence[SolveRequest]], Iterator[NoteArray]]
"""Yields the own notes found for each exercise with its request, in their order."""


@dataclass(frozen=True, slots=True)
class _Asked:
    number: int
    exercise: Exercise
    request: SolveRequest


@dataclass(frozen=True, slots=True)
class _Answer:
    number: int
    notes: NoteArray


@dataclass
class _Answering:
    """Answers with one target, if it is the one of which the caller has the checksum."""

    target: str
    checksum: str
    _session: Session | None = field(default=None, init=False)

    def open(self) -> None:
        """Load the model, once; PianodError if it is missing or another one."""
        if self._session is None:
            check_target(self.target, self.checksum)
            self._session = load_session(self.target)

    def make(self, works: Sequence[_Asked], tell: Tell) -> Iterator[_Answer]:  # noqa: ARG002
        """Answer exercises, one after the other."""
        if self._session is None:
            raise RuntimeError("the job has not been opened")
        for work in works:
            yield _Answer(work.number, solve(self._session, work.exercise, work.request).performance.notes)


def solving(target: str, place: Place) -> Solve:
    """Return what answers with a model, see `train.predictors.targets`, at a place; it must be there here too."""
    job = _Answering(target, checksum_of(target))

    def answers(exercises: Sequence[Exercise], requests: Sequence[SolveRequest]) -> Iterator[NoteArray]:
        asked = (_Asked(number, *pair) for number, pair in enumerate(zip(exercises, requests, strict=True)))
        done = send(job, ([each] for each in asked), place, tell=tell_nobody, lost=_lost)
        return (one.notes for one in in_order(done, attrgetter("number")))

    return answers


def _lost(work: _Asked, why: str) -> _Answer:
    given_up(f"the answer to excerpt {work.number + 1}", why)
