"""Answers to tasks, sampled by a model: exercise after exercise, or several at once in processes of their own.

An answer depends on the model, the exercise and the request alone, however many are found at once.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from piano.notes import NoteArray
from piano.session import Session
from piano.solve.solver import SolveRequest, solve
from piano.tasks.exercise import Exercise
from train.predictors.targets import load_session

Solve = Callable[[Sequence[Exercise], Sequence[SolveRequest]], Iterator[NoteArray]]
"""Yields the own notes found for each exercise with its request, in their order."""

_loaded: list[Session] = []
"""The session of a process that works for another."""


@contextmanager
def solving(target: str, jobs: int = 1) -> Iterator[Solve]:
    """Load a model, see `train.predictors.targets`, and give what answers with it; with one job, in this process."""
    if jobs == 1:
        session = load_session(target)
        yield lambda exercises, requests: (_own_notes(session, *pair) for pair in zip(exercises, requests, strict=True))
        return
    load_session(target)  # what is wrong with it is said here, not by a process that breaks
    with ProcessPoolExecutor(jobs, get_context("spawn"), _load, (target,)) as pool:
        yield lambda exercises, requests: pool.map(_solve, exercises, requests)


def _own_notes(session: Session, exercise: Exercise, request: SolveRequest) -> NoteArray:
    return solve(session, exercise, request).performance.notes


def _load(target: str) -> None:
    _loaded.append(load_session(target))


def _solve(exercise: Exercise, request: SolveRequest) -> NoteArray:
    return _own_notes(_loaded[0], exercise, request)
