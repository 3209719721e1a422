"""Work on a real cluster of worker processes: whatever ends on the way, nothing is lost and nothing is done twice."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from loguru import logger

from piano.errors import ConfigError
from realtime.cli.command_line import main
from realtime.files.batch_run import Work, run_all
from realtime.files.done_index import DoneIndex
from realtime.files.task_requests import Sharing
from realtime.files.work_list import WorkItem
from tests.support.cluster_jobs import NamedDeeds
from workers.dask_cluster import check_address

ROOT = Path(__file__).parents[2]


class Cluster:
    """A scheduler and its workers, each a process of its own."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"

    def start(self, workers: int) -> subprocess.Popen[bytes]:
        """Start scheduler and workers; return the scheduler."""
        scheduler = self._run("dask_scheduler", "--host", "127.0.0.1", "--port", str(self._port))
        self._run("dask_worker", self.address, "--nworkers", str(workers), "--nthreads", "1", "--death-timeout", "60")
        return scheduler

    def _run(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *words, "--no-dashboard"],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PYTHONWARNINGS": "ignore",
                "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
            },
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._stack.callback(process.wait)
        self._stack.callback(_end, process)
        return process


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "marks").mkdir()
    with ExitStack() as stack:
        yield Cluster(stack, tmp_path)
    logger.remove()


def works(*names: str) -> list[Work]:
    """Return the works of files in `made`, those that are not done yet."""
    every = [
        Work(number, WorkItem(Path("none"), name, (Path("made") / name,)), name, 1) for number, name in enumerate(names)
    ]
    return [work for work in every if not DoneIndex(Path("made")).has(work.item.name, work.wish)]


def test_whatever_ends_on_the_way_nothing_is_lost_or_done_twice(cluster: Cluster, tmp_path: Path) -> None:
    cluster.start(3)
    lines: list[str] = []
    logger.remove()
    logger.add(lines.append, format="{level} {message}", level="INFO")
    plain = [f"{number:02}" for number in range(24)]
    names = [*plain[:9], "kill", "hang", *plain[9:], "broken", "disk-1", "disk-2"]
    sharing = Sharing(cluster=cluster.address, limit_s=1.5)
    job = NamedDeeds(tmp_path / "marks")
    assert run_all(job, works(*names), sharing, side_by_side=1, verbosity=0) == 2
    done = sorted({*names} - {"hang", "broken"})
    assert sorted(path.name for path in Path("made").iterdir() if not path.name.startswith(".")) == done
    assert all((Path("made") / name).read_text() == name for name in done)
    said = [line.split()[-1] for line in lines if line.startswith("INFO") and line.split()[-1] in names]
    assert sorted(said) == done  # each came once
    faults = sorted(line for line in lines if line.startswith("ERROR"))
    assert len(faults) == 3
    assert "2 files were passed over" in faults[0]
    assert "broken: is broken" in faults[1]
    assert "given up (the workers that had it died, or took longer than 1.5 s)" in faults[2]
    assert [work.item.name for work in works(*names)] == ["hang", "broken"]


def test_a_scheduler_that_begins_anew_is_told_again(cluster: Cluster, tmp_path: Path) -> None:
    first = cluster.start(1)
    names = ["a", "b", "c", "wait", "d"]

    def restart(message: str) -> None:
        if "the scheduler has lost" in message:
            (tmp_path / "marks" / "go").touch()
            cluster.start(1)

    logger.remove()
    logger.add(restart, format="{message}", level="WARNING")
    ender = subprocess.Popen([sys.executable, "-c", _WHEN_IT_WAITS, str(tmp_path / "marks" / "waits"), str(first.pid)])
    code = run_all(
        NamedDeeds(tmp_path / "marks"), works(*names), Sharing(cluster=cluster.address), side_by_side=1, verbosity=0
    )
    ender.wait()
    assert code == 0
    assert works(*names) == []


_WHEN_IT_WAITS = """
import os, signal, sys, threading
while not os.path.exists(sys.argv[1]):
    threading.Event().wait(0.05)
os.kill(int(sys.argv[2]), signal.SIGKILL)
"""


def test_the_bytes_are_those_of_one_process(cluster: Cluster) -> None:
    words = ["new", "--seconds", "0.5", "--variants", "3", "--seed", "5"]
    assert main([*words, "--out", "here/a.mid", "--jobs", "1"]) == 0
    cluster.start(2)
    assert main([*words, "--out", "there/a.mid", "--cluster", cluster.address]) == 0
    here, there = ({path.name: path.read_bytes() for path in Path(name).glob("*.mid")} for name in ("here", "there"))
    assert len(here) == 3
    assert here == there
    assert main([*words, "--out", "there/a.mid", "--jobs", "1"]) == 0  # all done: nothing is made again


@pytest.mark.parametrize("address", ["local:0", "local:", "local:x", "nowhere"])
def test_an_address_that_cannot_be_meant_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="is no cluster"):
        check_address(address)


def test_a_scheduler_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("workers.scheduler_link._FIRST_S", 0.0)
    monkeypatch.setattr("workers.scheduler_link._ATTEMPT_S", 0.5)
    with pytest.raises(ConfigError, match="no scheduler answers"):
        run_all(NamedDeeds(tmp_path), works("a"), Sharing(cluster="tcp://127.0.0.1:9"), side_by_side=1, verbosity=0)
