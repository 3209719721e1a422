"""Several processes of this machine: each opens the job once, and takes one group after the other."""

import _thread
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from itertools import islice
from queue import Empty
from types import FrameType
from typing import Any, TypeVar

from piano.errors import ConfigError
from piano.interrupted import held_back
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
    told = context.Queue()
    lifeline, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(place.jobs, context, _begin, (job, told, lifeline, place.begin))
    waiting = iter(groups)
    try:
        pending: set[Future[list[Result]]] = set()
        while True:
            room = place.jobs * _GROUPS_A_PROCESS - len(pending)
            for group in islice(waiting, room):
                with held_back():  # a process may begin here
                    pending.add(pool.submit(_do, list(group)))
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
        ours.close()
        pool.shutdown(wait=True, cancel_futures=True)
        lifeline.close()
        told.cancel_join_thread()


def _pass_on(told: Any, tell: Tell) -> None:
    while True:
        try:
            tell(*told.get_nowait())
        except Empty:
            return


_worker: dict[str, Any] = {}
"""What a process of the pool holds; empty in every other."""


def _begin(job: Any, told: Any, lifeline: Any, begin: Callable[[], None] | None) -> None:
    """Prepare a process of the pool. Ctrl-C goes to all processes, and is the first one's business, which says when."""
    _worker.update(job=job, told=told, is_open=False, is_busy=False, is_over=False)
    signal.signal(signal.SIGINT, _leave_off)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_await_the_end, args=(lifeline,), name="end", daemon=True).start()
    if begin is not None:
        begin()


def _await_the_end(lifeline: Any) -> None:
    """Wait until the first process closes its end, or has gone. An event would wait for those of us that have died."""
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    _worker["is_over"] = True
    if sys.platform == "win32":
        _thread.interrupt_main()
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # which ends its waiting too


def _leave_off(number: int, frame: FrameType | None) -> None:
    """Break off what is being done where nobody waits for it any more. In the main thread of the process."""
    del number, frame
    if _worker["is_over"] and _worker["is_busy"]:
        raise Interrupted


def _do(group: list[Any]) -> list[Any]:
    def tell(number: int, share: float, notes: float) -> None:
        _worker["told"].put((number, share, notes))

    try:
        _worker["is_busy"] = True
        try:
            if _worker["is_over"]:
                return []
            if not _worker["is_open"]:
                _worker["job"].open()
                _worker["is_open"] = True
            return list(_worker["job"].make(group, tell))
        finally:
            _worker["is_busy"] = False
    except Interrupted:
        _worker["is_busy"] = False
        return []
