"""Answers to tasks, sampled by a model: exercise after exercise here, or wherever they are sent to.

An answer depends on the model, the exercise and the request alone, however many are found at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from piano.notes import NOTE, NoteArray
from piano.session import Session
from piano.solve.solver import SolveRequest, solve
from piano.tasks.exercise import Exercise
from train.places import given_up
from train.predictors.targets import check_target, checksum_of, load_session
from workers.in_turn import Keeping, send_in_turn
from workers.place import Place, Tell
from workers.result_list import ResultList, Stored, key_of

Solve = Callable[[Sequence[Exercise], Sequence[SolveRequest]], Iterator[NoteArray]]
"""Yields the own notes found for each exercise with its request, in their order."""


@dataclass(frozen=True, slots=True)
class _Asked:
    exercise: Exercise
    request: SolveRequest


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

    def make(self, works: Sequence[_Asked], tell: Tell) -> Iterator[NoteArray]:  # noqa: ARG002
        """Answer exercises, one after the other."""
        if self._session is None:
            raise RuntimeError("the job has not been opened")
        for work in works:
            yield solve(self._session, work.exercise, work.request).performance.notes


def solving(target: str, place: Place, done: ResultList) -> Solve:
    """Return what answers with a model, see `train.predictors.targets`, at a place; it must be there here too.

    What stands in the list of what is done is not asked again; the rest comes into it.
    """
    job = _Answering(target, checksum_of(target))
    keeping: Keeping[_Asked, NoteArray] = Keeping(
        done,
        key=lambda asked: key_of(job.checksum, asked),
        store=lambda notes: Stored(None, notes.tobytes()),
        restore=lambda stored: np.frombuffer(stored.data, NOTE).copy(),
    )

    def answers(exercises: Sequence[Exercise], requests: Sequence[SolveRequest]) -> Iterator[NoteArray]:
        asked = (_Asked(*pair) for pair in zip(exercises, requests, strict=True))
        return send_in_turn(job, asked, place, lost=_lost, keeping=keeping)

    return answers


def _lost(asked: _Asked, why: str) -> NoteArray:
    given_up(f"the answer to an excerpt of {asked.exercise.performance.end_s:.0f} s", why)
