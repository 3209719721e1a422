"""What runs on a worker of a Dask cluster: the job, opened once in each process, and a limit to how long an item takes.

A group that takes too long ends its process, whatever it hangs in; Dask starts another, and gives the task to another.
One task is done at a time in a process, since a job has one model.
"""

import faulthandler
import pickle
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loguru import logger

from piano.errors import PianodError

TOPIC = "pianod-progress"

_TELL_EVERY_S = 0.5

_one_at_a_time = threading.Lock()
_opened: dict[str, Any] = {}
"""The job of this process by its name; the last one only."""


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What a task came to: the results of its groups, those that went wrong by the worker's own fault, and where."""

    results: list[Any] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    """Groups of the task, by their place in it, with the reason: a full disk, no memory."""
    refusal: PianodError | None = None
    """Why the job cannot be opened on this worker, such as another bundle than the caller's."""
    worker: str = ""
    warnings: list[str] = field(default_factory=list)
    """What was warned of meanwhile: the caller says it, since nobody reads a worker's log."""
    seconds: float = 0.0
    """How long its groups took, without the opening of the job."""


def do_task(name: str, job: bytes, groups: Sequence[Sequence[Any]], limit_s: float, run: str) -> TaskOutcome:
    """Do the groups of a task and return what they came to. `job` is its pickle, `name` what it is known by here."""
    from distributed import get_worker

    worker = get_worker()
    with _one_at_a_time:
        warnings: list[str] = []
        logger.remove()
        sink = logger.add(lambda told: warnings.append(told.record["message"]), level="WARNING")
        try:
            answer = _do(name, job, groups, limit_s, _Telling(worker, run), str(worker.address))
            return replace(answer, warnings=warnings)
        finally:
            logger.remove(sink)
            faulthandler.cancel_dump_traceback_later()


def _do(
    name: str, job: bytes, groups: Sequence[Sequence[Any]], limit_s: float, tell: "_Telling", worker: str
) -> TaskOutcome:
    answer = TaskOutcome(worker=worker)
    if name not in _opened:
        try:
            _end_after(limit_s * sum(len(group) for group in groups))
            made = pickle.loads(job)
            made.open()
        except PianodError as error:
            return TaskOutcome(refusal=error, worker=worker)
        except (OSError, MemoryError) as error:
            return TaskOutcome(failed=[(place, str(error)) for place in range(len(groups))], worker=worker)
        _opened.clear()
        _opened[name] = made
    began_s = time.perf_counter()
    for place, group in enumerate(groups):
        try:
            _end_after(limit_s * len(group))
            answer.results.extend(list(_opened[name].make(group, tell)))
        except (OSError, MemoryError) as error:
            answer.failed.append((place, str(error)))
    return replace(answer, seconds=time.perf_counter() - began_s)


def _end_after(seconds: float) -> None:
    """End this process, from outside Python, if it is not told otherwise within so many seconds; 0: never."""
    stderr = sys.__stderr__
    if seconds and stderr is not None:
        faulthandler.dump_traceback_later(seconds, exit=True, file=stderr)


class _Telling:
    """Tells the caller how far items are, twice a second at most."""

    def __init__(self, worker: Any, run: str) -> None:
        self._worker = worker
        self._run = run
        self._last_s = 0.0

    def __call__(self, number: int, share: float, notes: float) -> None:
        now_s = time.monotonic()
        if now_s - self._last_s >= _TELL_EVERY_S:
            self._last_s = now_s
            self._worker.log_event(TOPIC, (self._run, number, share, notes))
