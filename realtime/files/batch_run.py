"""Many files, here, in several processes or on a cluster: progress, faults that are passed over, and what is written.

The makers only make bytes, wherever they run (`workers.send`); this process alone writes, each file whole or not at
all, and notes it in the list of what is done, so that an interruption leaves nothing half done and nothing is done
twice. Where a file was made changes nothing in it.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from loguru import logger
from tqdm import tqdm

from piano.errors import ConfigError, MidiFileError, PianodError
from piano.midi.document import MidiDocument
from piano.midi.load import load_midi
from realtime.files.done_index import DoneIndexes
from realtime.files.task_requests import Sharing
from realtime.files.work_list import WorkItem
from realtime.threads.logs import configure_logs
from workers.place import Job, Place, Tell
from workers.send import send
from workers.stores import is_stored, write_anywhere

__all__ = ["Made", "Maker", "Tell", "Work", "run_all", "write_result"]


@dataclass(frozen=True, slots=True)
class Work:
    """One file to be worked on: its number, where it is and what it is called, and its bytes' weight in the whole."""

    number: int
    item: WorkItem
    wish: str
    size: int
    data: bytes | None = None
    """Its bytes, where they travel with it to another machine."""

    def document(self) -> MidiDocument:
        """Read the file."""
        source = self.item.source
        return MidiDocument.read(source if self.data is None else self.data, name=str(source))


@dataclass(frozen=True, slots=True)
class Made:
    """What a piece of work came to: files to write and a word on them, or what was wrong."""

    number: int
    files: tuple[tuple[Path, bytes], ...] = ()
    says: str = ""
    fault: str = ""


Maker = Job[Work, Made]
"""What makes files of files."""


def run_all(maker: Maker, works: Sequence[Work], sharing: Sharing, *, side_by_side: int, verbosity: int) -> int:
    """Do all works and write what they make; return the exit code: 0, or 2 if anything was passed over.

    What is wrong with a file that is alone is raised as a PianodError.
    """
    place = Place(
        jobs=_jobs(len(works), sharing, side_by_side),
        cluster=sharing.cluster,
        limit_s=sharing.limit_s,
        begin=partial(configure_logs, verbosity),
    )
    by_number = {work.number: work for work in works}
    indexes = DoneIndexes()
    faults = 0
    is_sent = place.cluster is not None or any(is_stored(work.item.source) for work in works)
    groups = _groups(works, side_by_side, is_sent=is_sent)
    try:
        with _Bar(works) as bar:
            for one in send(maker, groups, place, tell=bar.tell, lost=_lost):
                work = by_number.pop(one.number)
                fault = one.fault or _write(work, one, indexes)
                bar.finish(work)
                if fault and len(works) == 1:
                    raise PianodError(fault)
                if fault:
                    faults += 1
                    logger.error("{}", fault)
                else:
                    logger.info("{}", one.says)
    finally:
        indexes.settle()
    if len(works) > 1:
        logger.info("{} of {} files done", len(works) - faults, len(works))
    if faults and len(works) > 1:
        logger.error("{} passed over; the same command goes on with these alone", _files(faults))
    return 2 if faults else 0


def cores_each(works: int, sharing: Sharing, threads: int, *, side_by_side: int = 1) -> int:
    """Return how many cores there are for each process that works on so many files; 1 on a cluster, and where the
    settings say how many `threads` the model may use."""
    if sharing.cluster or threads:
        return 1
    return max(1, (os.cpu_count() or 1) // _jobs(works, sharing, side_by_side))


def _jobs(works: int, sharing: Sharing, side_by_side: int) -> int:
    return min(sharing.jobs or os.cpu_count() or 1, -(-works // side_by_side))


def _groups(works: Sequence[Work], side_by_side: int, *, is_sent: bool) -> Iterator[list[Work]]:
    """Yield works that are done side by side, with their bytes where they are sent away."""
    for start in range(0, len(works), side_by_side):
        group = works[start : start + side_by_side]
        yield [_with_data(work) for work in group] if is_sent else list(group)


def _with_data(work: Work) -> Work:
    """Return a work with the bytes of its file; one that cannot be read is read where it is worked on, and fails."""
    try:
        return replace(work, data=load_midi(work.item.source, str(work.item.source))) if work.size > 1 else work
    except MidiFileError:
        return work


def _lost(work: Work, why: str) -> Made:
    return Made(work.number, fault=f"{work.item.source}: it was given up ({why})")


def _files(count: int) -> str:
    return "1 file was" if count == 1 else f"{count} files were"


def _write(work: Work, made: Made, indexes: DoneIndexes) -> str:
    """Write what was made, and note it; return what was wrong, or nothing."""
    try:
        for path, data in made.files:
            write_result(path, data)
        folder = work.item.targets[0].parent
        indexes.of(folder).add([path.name for path, _ in made.files if path.parent == folder], work.wish)
    except PianodError as error:
        return str(error)
    return ""


def write_result(path: Path, data: bytes) -> None:
    """Write a file, and the folders that lack to it, whole or not at all; ConfigError if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_anywhere(path, data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}; choose another place") from error


class _Bar:
    """The progress of all works: how far by their size, how fast in notes."""

    def __init__(self, works: Sequence[Work]) -> None:
        self._sizes = {work.number: work.size for work in works}
        self._shares: dict[int, tuple[float, float]] = {}
        self._notes = 0.0
        self._files = len(works)
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
        before, notes_before = self._shares.get(number, (0.0, 0.0))
        if share > before and number in self._sizes:
            self._shares[number] = (share, notes)
            self._notes += share * notes - before * notes_before
            self._bar.update((share - before) * self._sizes[number])
            self._show()

    def finish(self, work: Work) -> None:
        """Take that a work is over."""
        self._finished += 1
        self.tell(work.number, 1.0, self._shares.get(work.number, (0.0, 0.0))[1])
        self._shares.pop(work.number, None)
        self._sizes.pop(work.number)
        self._show()

    def _show(self) -> None:
        elapsed_s = float(self._bar.format_dict["elapsed"])
        speed = self._notes / elapsed_s if elapsed_s > 0 else 0.0
        self._bar.set_postfix_str(f"{self._finished}/{self._files} files, {speed:.0f} notes/s", refresh=False)
