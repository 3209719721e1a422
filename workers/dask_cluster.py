"""A job on the workers of a Dask cluster: tasks of several groups, a few for each worker, and what becomes of them.

The caller's process keeps what is not done yet, and gives it out anew when a worker or the scheduler is lost; a result
counts once, when it has arrived here. Items that end their workers are tried alone before they are given up.
"""

import hashlib
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar
from uuid import uuid4

from loguru import logger

from workers.dask_worker import TOPIC, TaskOutcome, do_task
from workers.place import Job, Place, Tell
from workers.scheduler_link import SchedulerLink
from workers.task_size import TaskSize

Item = TypeVar("Item")
Result = TypeVar("Result")

TASKS_A_WORKER = 3
"""How many tasks are under way for each worker: one is done, the others wait beside it."""

ATTEMPTS = 3
"""How many workers may fail at a group, for want of room on the disk or in memory, before it is done in parts."""

ATTEMPTS_ALONE = 2
"""How often an item's worker may die while it does nothing else, before the item is given up."""

_FETCHERS = 16
"""How many results are fetched at once: each waits some hundredths of a second for scheduler and worker."""

_LOOK_S = 0.5
_OTHERS_S = 30.0
"""How long a group that failed on every worker there is waits for another worker, in seconds."""

_LIVE = ("pending", "finished", "error")


@dataclass(frozen=True, slots=True)
class _Task(Generic[Item]):
    """Groups that go to a worker together, how often they failed, on which workers, and how often they went alone."""

    groups: list[Sequence[Item]]
    attempts: int = 0
    avoid: frozenset[str] = frozenset()
    failed_s: float = 0.0
    alone: int = 0
    unsent: int = 0
    """How often it could not be sent although the scheduler answers."""

    def parts(self) -> "list[_Task[Item]]":
        """Return smaller tasks: of one group each, or of one item each where it is one group."""
        if len(self.groups) > 1:
            return [_Task([group]) for group in self.groups]
        return [_Task([[item]]) for item in self.groups[0]]

    @property
    def is_single(self) -> bool:
        return len(self.groups) == 1 and len(self.groups[0]) == 1


def on_cluster(
    job: Job[Item, Result],
    groups: Iterable[Sequence[Item]],
    place: Place,
    tell: Tell,
    lost: Callable[[Item, str], Result],
) -> Iterator[Result]:
    """Yield the results of all groups as they come; see `workers.send.send`."""
    if place.cluster is None:
        raise ValueError("no cluster is named")
    with ExitStack() as stack:
        link = stack.enter_context(SchedulerLink(place.cluster))
        run = _Run(link, job, place, tell, lost)
        stack.callback(run.close)
        yield from run.results(groups)


class _Run(Generic[Item, Result]):
    """One job on one cluster. In the caller's thread; what has been told and fetched by other threads comes by a queue.

    What is told is (number, share, notes), what is fetched (future, outcome or fault).
    """

    def __init__(
        self,
        link: SchedulerLink,
        job: Job[Item, Result],
        place: Place,
        tell: Tell,
        lost: Callable[[Item, str], Result],
    ) -> None:
        self._link, self._place, self._tell, self._lost = link, place, tell, lost
        self._job = pickle.dumps(job)
        self._name = hashlib.sha256(self._job).hexdigest()
        self._run = uuid4().hex
        self._told: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self._fetchers = ThreadPoolExecutor(_FETCHERS, "pianod-fetcher")
        self._under_way: dict[Any, _Task[Item]] = {}
        self._tied: dict[Any, frozenset[str]] = {}
        self._again: deque[_Task[Item]] = deque()
        self._suspects: deque[_Task[Item]] = deque()
        self._size = TaskSize()
        self._listen()

    def close(self) -> None:
        """Take back what is under way."""
        with suppress(Exception):  # the cluster may be gone
            self._link.client.cancel(list(self._under_way), force=True)
        self._fetchers.shutdown(wait=False, cancel_futures=True)

    def results(self, every: Iterable[Sequence[Item]]) -> Iterator[Result]:
        """Yield the results of all groups."""
        groups = self._size.begin(iter(every), self._link.workers * TASKS_A_WORKER)
        while True:
            while len(self._under_way) < self._link.workers * TASKS_A_WORKER:
                task = self._next() or _Task(list(islice(groups, self._size.groups)))
                if not task.groups:
                    break
                yield from self._submit(task)
            if not self._under_way and not self._again:
                if not self._suspects:
                    return
                suspect = self._suspects.popleft()  # with nothing beside it that its end could hit
                yield from self._submit(replace(suspect, alone=suspect.alone + 1))
            yield from self._arrived()
            self._untie()
            if self._link.is_lost or any(future.status not in _LIVE for future in self._under_way):
                self._begin_again()

    def _next(self) -> _Task[Item] | None:
        """Return a task that is to be given out again; one that is to avoid all workers that are there has time."""
        for _ in range(len(self._again)):
            task = self._again.popleft()
            waited_s = time.monotonic() - task.failed_s
            if not task.avoid or waited_s > _OTHERS_S or set(self._link.ask()) - task.avoid:
                return task
            self._again.append(task)
        return None

    def _untie(self) -> None:
        """Give out anew what waits for workers of which none is there any more."""
        for future, workers in list(self._tied.items()):
            if future not in self._under_way:
                del self._tied[future]
            elif future.status == "pending" and not workers & set(self._link.addresses):
                del self._tied[future]
                self._again.append(self._under_way.pop(future))
                future.cancel()

    def _submit(self, task: _Task[Item]) -> Iterator[Result]:
        """Send a task; yield results only where it cannot be sent and is given up."""
        others = sorted(set(self._link.addresses) - task.avoid) if task.avoid else []
        try:
            future = self._link.client.submit(
                do_task,
                self._name,
                self._job,
                task.groups,
                self._place.limit_s,
                self._run,
                key=f"pianod-{uuid4().hex}",
                pure=False,
                workers=others or None,
            )
        except Exception as error:
            yield from self._unsent(task, error)
            return
        self._under_way[future] = task
        if others:
            self._tied[future] = frozenset(others)
        future.add_done_callback(self._fetch)

    def _fetch(self, future: Any) -> None:
        """Have a result fetched. In a thread of Dask's."""
        with suppress(RuntimeError):  # the run is over
            self._fetchers.submit(self._fetched, future)

    def _fetched(self, future: Any) -> None:
        """Fetch a result, or what is wrong with it. In a fetcher's thread."""
        try:
            found = future.result(timeout=self._link.patience_s)
        except BaseException as fault:  # whatever it is, the caller's thread decides
            found = fault
        self._told.put((future, found))

    def _unsent(self, task: _Task[Item], error: Exception) -> Iterator[Result]:
        """Send a task anew to a scheduler that was lost; where that is not why, in parts, and at last give it up."""
        logger.debug("a task could not be sent: {!r}", error)
        if task.unsent < ATTEMPTS and _can_travel(task.groups):
            self._again.appendleft(replace(task, unsent=task.unsent + (not self._link.is_lost)))
            self._begin_again()
        elif task.is_single:
            yield self._lost(task.groups[0][0], f"it cannot be sent to a worker: {error}")
        else:
            self._again.extend(replace(part, unsent=task.unsent) for part in task.parts())

    def _arrived(self) -> Iterator[Result]:
        """Wait for something to happen; yield the results that have come."""
        with suppress(Empty):
            what = self._told.get(timeout=_LOOK_S)
            while True:
                if len(what) == 3:
                    self._tell(*what)
                elif what[0] in self._under_way and what[0].status in _LIVE:
                    yield from self._settled(*what)
                what = self._told.get_nowait()

    def _settled(self, future: Any, found: TaskOutcome | BaseException) -> Iterator[Result]:
        from distributed import KilledWorker

        task = self._under_way.pop(future)
        if isinstance(found, KilledWorker):
            yield from self._retry(task, f"the workers that had it died, or took longer than {self._place.limit_s:g} s")
            return
        if isinstance(found, BaseException):
            if future.status == "error" and not isinstance(found, OSError | TimeoutError):
                raise found
            logger.debug("a result did not arrive: {!r}", found)  # it was done, and went before it came here
            self._again.append(task)
            return
        yield from self._taken(found, task)

    def _taken(self, answer: TaskOutcome, task: _Task[Item]) -> Iterator[Result]:
        """Yield the results of a task that has arrived, and give out again what went wrong by its worker's fault."""
        if answer.refusal is not None:
            raise answer.refusal
        for warning in answer.warnings:
            logger.warning("{}", warning)
        self._size.took(len(task.groups), answer.seconds)
        yield from answer.results
        for index, why in answer.failed:
            part = _Task([task.groups[index]], task.attempts, task.avoid | {answer.worker})
            yield from self._retry(part, why, keeps_whole=True)

    def _retry(self, task: _Task[Item], why: str, *, keeps_whole: bool = False) -> Iterator[Result]:
        """Give a task out again, in parts where it may have an item that ends its workers; or give it up.

        A worker's end counts against an item only where it went alone: else another may have been to blame.
        """
        again = replace(task, attempts=task.attempts + keeps_whole, failed_s=time.monotonic())
        if keeps_whole and again.attempts < ATTEMPTS:
            self._again.append(again)
        elif not task.is_single:
            self._suspects.extend(task.parts())
        elif not keeps_whole and task.alone < ATTEMPTS_ALONE:
            self._suspects.append(again)
        else:
            yield self._lost(task.groups[0][0], why)

    def _begin_again(self) -> None:
        """Take up the link to a scheduler that was lost, and give out anew what was under way."""
        logger.warning("the scheduler has lost what it was told; it is waited for, and told again")
        self._again.extendleft(reversed(self._under_way.values()))
        self._under_way.clear()
        self._link.renew()
        self._listen()

    def _listen(self) -> None:
        """Have told how far items are."""

        def take(event: tuple[float, tuple[str, int, float, float]]) -> None:
            run, number, share, notes = event[1]
            if run == self._run:
                self._told.put((number, share, notes))

        self._link.client.subscribe_topic(TOPIC, take)


def _can_travel(groups: Sequence[Sequence[Any]]) -> bool:
    try:
        pickle.dumps(groups)
    except Exception:  # whatever an item raises when it is packed
        return False
    return True
