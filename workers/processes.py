"""Several processes of this machine: each opens the job once, and takes one group after the other."""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from queue import Empty
from typing import Any, TypeVar

from piano.errors import ConfigError
from workers.place import Interrupted, Job, Place, Tell

Item = TypeVar("Item")
Result = TypeVar("Result")

_LOOK_S = 0.2
_GROUPS_A_PROCESS = 4
"""How many groups are under way for each process: one is done, the others wait beside it."""


def in_processes(
    job: Job[Item, Result], groups: Iterable[Sequence[Item]], place: Place, tell: Tell
) -> Iterator[Result]:
    """Yield the results of all groups as they come; ConfigError if a process dies."""
    context = multiprocessing.get_context("spawn")
    told, ends = context.Queue(), context.Event()
    pool = ProcessPoolExecutor(place.jobs, context, _begin, (job, told, ends, place.begin))
    waiting = iter(groups)
    try:
        pending: set[Future[list[Result]]] = set()
        while True:
            room = place.jobs * _GROUPS_A_PROCESS - len(pending)
            pending |= {pool.submit(_do, list(group)) for group in islice(waiting, room)}
            if not pending:
                return
            done, pending = wait(pending, _LOOK_S, FIRST_COMPLETED)
            _pass_on(told, tell)
            for future in done:
                yield from future.result()
    except BrokenProcessPool as error:
        raise ConfigError(
            "a process of --jobs has died, perhaps for want of memory; the same command with fewer jobs goes on"
        ) from error
    finally:
        ends.set()
        pool.shutdown(wait=True, cancel_futures=True)
        told.cancel_join_thread()


def _pass_on(told: Any, tell: Tell) -> None:
    while True:
        try:
            tell(*told.get_nowait())
        except Empty:
            return


_worker: dict[str, Any] = {}
"""What a process of the pool holds; empty in every other."""


def _begin(job: Any, told: Any, ends: Any, begin: Callable[[], None] | None) -> None:
    """Prepare a process of the pool. Ctrl-C goes to all processes, and is the first one's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if begin is not None:
        begin()
    _worker.update(job=job, told=told, ends=ends, is_open=False)


def _do(group: list[Any]) -> list[Any]:
    if not _worker["is_open"]:
        _worker["job"].open()
        _worker["is_open"] = True

    def tell(number: int, share: float, notes: float) -> None:
        if _worker["ends"].is_set():
            raise Interrupted
        _worker["told"].put((number, share, notes))

    try:
        return list(_worker["job"].make(group, tell))
    except Interrupted:
        return []
