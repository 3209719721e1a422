"""Many files, one after the other or in several processes: progress, faults that are passed over, and what is written.

The makers run in processes of their own where there are several, and only make bytes; this process alone writes, each
file whole or not at all, so that an interruption leaves nothing half done. Which process made a file changes nothing
in it.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any, Protocol

from loguru import logger
from tqdm import tqdm

from piano.errors import ConfigError, PianodError
from piano.whole_file import write_whole
from realtime.files.done_index import DoneIndex
from realtime.files.work_list import WorkItem
from realtime.threads.logs import configure_logs

_LOOK_S = 0.2

Tell = Callable[[int, float, float], None]
"""Takes how far a piece of work is: its number, the share that is done (0 to 1), and how many notes these are."""


@dataclass(frozen=True, slots=True)
class Work:
    """One file to be worked on: its number, where it is and what it is called, and its bytes' weight in the whole."""

    number: int
    item: WorkItem
    wish: str
    size: int


@dataclass(frozen=True, slots=True)
class Made:
    """What a piece of work came to: files to write and a word on them, or what was wrong."""

    number: int
    files: tuple[tuple[Path, bytes], ...] = ()
    says: str = ""
    fault: str = ""


class Maker(Protocol):
    """What makes files of files; it travels to each process before it is opened there."""

    def open(self) -> None:
        """Load what it needs; PianodError if that is not there."""

    def make(self, works: Sequence[Work], tell: Tell) -> Iterator[Made]:
        """Do some works side by side; what is wrong with one of them is told in its `Made`."""


class Interrupted(Exception):  # noqa: N818 - nothing is wrong: somebody wants it to end
    """The work is to end here."""


def run_all(maker: Maker, works: Sequence[Work], *, jobs: int, side_by_side: int, verbosity: int) -> int:
    """Do all works and write what they make; return the exit code: 0, or 2 if anything was passed over.

    What is wrong with a file that is alone is raised as a PianodError.
    """
    groups = [works[start : start + side_by_side] for start in range(0, len(works), side_by_side)]
    jobs = min(jobs or os.cpu_count() or 1, len(groups))
    faults: list[str] = []
    with _Bar(works) as bar:
        made = _here(maker, groups, bar) if jobs == 1 else _in_processes(maker, groups, bar, jobs, verbosity)
        for one in made:
            work = next(work for work in works if work.number == one.number)
            fault = one.fault or _write(work, one)
            bar.finish(work)
            if fault and len(works) == 1:
                raise PianodError(fault)
            if fault:
                faults.append(fault)
                logger.error("{}", fault)
            else:
                logger.info("{}", one.says)
    if len(works) > 1:
        logger.info("{} of {} files done", len(works) - len(faults), len(works))
    if faults and len(works) > 1:
        logger.error("{} passed over; the same command goes on with these alone", _files(len(faults)))
    return 2 if faults else 0


def _files(count: int) -> str:
    return "1 file was" if count == 1 else f"{count} files were"


def _write(work: Work, made: Made) -> str:
    """Write what was made, and note it; return what was wrong, or nothing."""
    try:
        for path, data in made.files:
            write_result(path, data)
        folder = work.item.targets[0].parent
        DoneIndex(folder).add([path.name for path, _ in made.files if path.parent == folder], work.wish)
    except PianodError as error:
        return str(error)
    return ""


def write_result(path: Path, data: bytes) -> None:
    """Write a file, and the folders that lack to it, whole or not at all; ConfigError if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}; choose another place") from error


def _here(maker: Maker, groups: Sequence[Sequence[Work]], bar: "_Bar") -> Iterator[Made]:
    maker.open()
    for group in groups:
        yield from maker.make(group, bar.tell)


def _in_processes(
    maker: Maker, groups: Sequence[Sequence[Work]], bar: "_Bar", jobs: int, verbosity: int
) -> Iterator[Made]:
    context = multiprocessing.get_context("spawn")
    told, ends = context.Queue(), context.Event()
    pool = ProcessPoolExecutor(jobs, context, _begin, (maker, told, ends, verbosity))
    try:
        pending: set[Future[list[Made]]] = {pool.submit(_do, list(group)) for group in groups}
        while pending:
            done, pending = wait(pending, _LOOK_S, FIRST_COMPLETED)
            _pass_on(told, bar)
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


def _pass_on(told: Any, bar: "_Bar") -> None:
    while True:
        try:
            bar.tell(*told.get_nowait())
        except Empty:
            return


_worker: dict[str, Any] = {}
"""What a process of the pool holds; empty in every other."""


def _begin(maker: Maker, told: Any, ends: Any, verbosity: int) -> None:
    """Prepare a process of the pool. Ctrl-C goes to all processes, and is the first one's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logs(verbosity)
    _worker.update(maker=maker, told=told, ends=ends, is_open=False)


def _do(group: list[Work]) -> list[Made]:
    if not _worker["is_open"]:
        _worker["maker"].open()
        _worker["is_open"] = True

    def tell(number: int, share: float, notes: float) -> None:
        if _worker["ends"].is_set():
            raise Interrupted
        _worker["told"].put((number, share, notes))

    try:
        return list(_worker["maker"].make(group, tell))
    except Interrupted:
        return []


class _Bar:
    """The progress of all works: how far by their size, how fast in notes."""

    def __init__(self, works: Sequence[Work]) -> None:
        self._sizes = {work.number: work.size for work in works}
        self._shares: dict[int, float] = {}
        self._notes: dict[int, float] = {}
        self._finished = 0
        form = "{l_bar}{bar}| {postfix} [{elapsed}<{remaining}]"
        self._bar = tqdm(total=sum(self._sizes.values()), bar_format=form, leave=False, disable=None)

    def __enter__(self) -> "_Bar":
        self._show()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def tell(self, number: int, share: float, notes: float) -> None:
        """Take how far a work is."""
        before = self._shares.get(number, 0.0)
        if share > before:
            self._shares[number], self._notes[number] = share, share * notes
            self._bar.update((share - before) * self._sizes[number])
            self._show()

    def finish(self, work: Work) -> None:
        """Take that a work is over."""
        self._finished += 1
        self.tell(work.number, 1.0, self._notes.get(work.number, 0.0))
        self._show()

    def _show(self) -> None:
        elapsed_s = float(self._bar.format_dict["elapsed"])
        speed = sum(self._notes.values()) / elapsed_s if elapsed_s > 0 else 0.0
        self._bar.set_postfix_str(f"{self._finished}/{len(self._sizes)} files, {speed:.0f} notes/s", refresh=False)
