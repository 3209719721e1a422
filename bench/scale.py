"""How cost grows with the number of files: seconds a file and memory, and what a Dask scheduler is asked to hold.

The files are small and nothing is made of them, so that what is measured is reading, lists and tasks alone. Each count
is measured in a process of its own.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import circumstances
from bench.pieces import random_performance
from piano.midi.file import MidiTrack, midi_bytes
from realtime.files.batch_run import Made, Work, run_all
from realtime.files.task_requests import Sharing
from realtime.files.work_list import work_list
from train.corpus.prepare import prepare
from train.corpus.sources import folder_sources
from workers.dask_cluster import TASKS_A_WORKER
from workers.place import Place, Tell
from workers.send import send
from workers.task_size import MOST_GROUPS

COUNTS, QUICK_COUNTS = (100, 1_000, 10_000), (100, 1_000)
GRAPH_FILES, QUICK_GRAPH_FILES = (100_000, 1_000_000), (2_000, 20_000)
OVERHEAD_FILES, QUICK_OVERHEAD_FILES = (20, 2_000), (20, 200)
WORKERS = 2
FILES_A_FOLDER = 1_000

_NOTES = 20


@dataclass
class Copying:
    """A job that makes a small file of each file."""

    def open(self) -> None:
        """Nothing is to be loaded."""

    def make(self, works: Sequence[Work], tell: Tell) -> Iterator[Made]:  # noqa: ARG002
        """Make the files."""
        for work in works:
            yield Made(work.number, ((work.item.targets[0], b"made"),), "")


@dataclass
class Counting:
    """A job whose results are its items."""

    def open(self) -> None:
        """Nothing is to be loaded."""

    def make(self, works: Sequence[int], tell: Tell) -> Iterator[int]:  # noqa: ARG002
        """Return the items."""
        yield from works


def measure(counts: Sequence[int], overhead_files: tuple[int, int], graph_files: Sequence[int]) -> dict[str, Any]:
    """Measure each count of files, what a cluster costs beside processes, and the task graphs of so many."""
    about = circumstances()
    rows = []
    for count in counts:
        for name, work in WORKS.items():
            with tempfile.TemporaryDirectory(prefix="pianod-bench-") as scratch:
                small_files(Path(scratch) / "midi", count)
                found = in_a_process(work, Path(scratch), count)
            rows.append(
                {"work": name, "files": count, "ms_per_file": 1000 * found.seconds / count, "most_mb": found.most_mb}
            )
    graphs = [graph(files) for files in graph_files]
    return {"kind": "scale", **about, "rows": rows, "overhead": overhead(*overhead_files), "graphs": graphs}


def small_files(folder: Path, count: int) -> None:
    """Write so many small files, a thousand a folder."""
    data = midi_bytes([MidiTrack("piano", random_performance(_NOTES, seed=1))])
    for number in range(count):
        path = folder / str(number // FILES_A_FOLDER) / f"{number}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def preparing(scratch: Path, count: int) -> None:
    """Prepare the files."""
    report = prepare(folder_sources(scratch / "midi"), scratch / "corpus", processes=1)
    assert report.totals()["all", "all"].files == count


def copying(scratch: Path, count: int) -> None:
    """Go through a folder as the commands on files do: the list of work, what is written, the list of what is done."""
    _copied(scratch, count, Sharing(jobs=1))


def by_processes(scratch: Path, count: int) -> None:
    """Do the same in two processes."""
    _copied(scratch, count, Sharing(jobs=2))


def by_cluster(scratch: Path, count: int) -> None:
    """Do the same on two workers of a cluster."""
    _copied(scratch, count, Sharing(cluster="local:2"))


def _copied(scratch: Path, count: int, sharing: Sharing) -> None:
    items = work_list([str(scratch / "midi")], scratch / "out", "made", 1)
    works = [Work(number, item, "wish", 1 << 10) for number, item in enumerate(items)]
    assert len(works) == count
    run_all(Copying(), works, sharing, side_by_side=1, verbosity=0)


WORKS: dict[str, Callable[[Path, int], None]] = {"prepare": preparing, "a command on files": copying}
PLACES: dict[str, Callable[[Path, int], None]] = {"--jobs 2": by_processes, "local:2": by_cluster}


def overhead(few: int, many: int) -> list[dict[str, Any]]:
    """Return what sharing out costs at each place: seconds to begin, and milliseconds a file beyond.

    Nothing is made of the files. All are seconds of the processor, of all processes together: other work on the machine
    does not change them.
    """
    rows = []
    for name, work in PLACES.items():
        spent = []
        for count in (few, many):
            with tempfile.TemporaryDirectory(prefix="pianod-bench-") as scratch:
                small_files(Path(scratch) / "midi", count)
                spent.append(in_a_process(work, Path(scratch), count).processor_s)
        a_file_s = (spent[1] - spent[0]) / (many - few)
        rows.append(
            {"place": name, "files": many, "begin_s": spent[0] - few * a_file_s, "ms_per_file": 1000 * a_file_s}
        )
    return rows


@dataclass(frozen=True, slots=True)
class Spent:
    """What a work took in a process of its own: by the clock, of the processor with its own processes, and memory."""

    seconds: float
    processor_s: float
    most_mb: float
    worker_most_mb: float
    """Of the largest of its own processes; 0 where it has none."""


def in_a_process(work: Callable[[Path, int], None], scratch: Path, count: int) -> Spent:
    """Return what a work takes in a new process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(work, scratch, count, theirs))
    process.start()
    theirs.close()
    spent: Spent = ours.recv()
    process.join()
    return spent


def _measured(work: Callable[[Path, int], None], scratch: Path, count: int, answer: Any) -> None:
    began_s = time.perf_counter()
    work(scratch, count)
    seconds = time.perf_counter() - began_s
    us, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    processor_s = us.ru_utime + us.ru_stime + children.ru_utime + children.ru_stime
    mb = 1 << 20 if sys.platform == "darwin" else 1 << 10
    answer.send(Spent(seconds, processor_s, us.ru_maxrss / mb, children.ru_maxrss / mb))


def graph(files: int) -> dict[str, Any]:
    """Send so many files that take no time through a scheduler with workers here, by the code that sends real ones.

    What stands in `most_tasks_held` is the most that the scheduler has at any time: it does not grow with the files.
    """
    spent = in_a_process(_through_a_scheduler, Path(), files)
    tasks = -(-files // MOST_GROUPS)
    return {
        "files": files,
        "tasks": tasks,
        "workers": WORKERS,
        "most_tasks_held": WORKERS * TASKS_A_WORKER,
        "seconds": spent.seconds,
        "processor_ms_per_task": 1000 * spent.processor_s / tasks,
        "caller_most_mb": spent.most_mb,
        "worker_most_mb": spent.worker_most_mb,
    }


def _through_a_scheduler(_scratch: Path, files: int) -> None:
    groups = ([number] for number in range(files))
    place = Place(cluster=f"local:{WORKERS}", limit_s=0.0)
    arrived = sum(1 for _ in send(Counting(), groups, place, tell=_nobody, lost=_lost))
    assert arrived == files


def _nobody(_number: int, _share: float, _notes: float) -> None:
    """Take how far a file is."""


def _lost(_item: int, why: str) -> int:
    raise RuntimeError(why)
