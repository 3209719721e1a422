"""Work on a real cluster of worker processes: whatever ends on the way, nothing is lost and nothing is done twice."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loguru import logger

from bench.pieces import random_performance
from piano.errors import ConfigError
from piano.midi.file import MidiTrack, write_performance
from realtime.cli.command_line import main
from realtime.engine.find_bundle import EMBEDDED_FOLDER
from realtime.files.batch_run import Maker, Work, run_all
from realtime.files.done_index import DoneIndex
from realtime.files.task_requests import Sharing
from realtime.files.work_list import WorkItem
from tests.support.cluster_jobs import NamedDeeds
from workers.place import check_address
from workers.scheduler_link import SchedulerLink

ROOT = Path(__file__).parents[2]
PLACES = ("jobs", "cluster")


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
        self._run("dask_worker", self.address, "--nworkers", str(workers), "--nthreads", "1", "--death-timeout", "300")
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
    monkeypatch.setattr("workers.scheduler_link._FIRST_S", 120.0)  # where others work beside the test
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


def lines_of_log(level: str) -> list[str]:
    """Return the list that takes what is logged from a level on, each line with its level."""
    lines: list[str] = []
    logger.remove()
    logger.add(lines.append, format="{level} {message}", level=level)
    return lines


def test_whatever_ends_on_the_way_nothing_is_lost_or_done_twice(cluster: Cluster, tmp_path: Path) -> None:
    cluster.start(3)
    lines = lines_of_log("INFO")
    plain = [f"{number:02}" for number in range(24)]
    names = [*plain[:9], "kill", "hang", *plain[9:], "odd", "broken", "disk-1", "disk-2"]
    sharing = Sharing(cluster=cluster.address, limit_s=1.5)
    job = NamedDeeds(tmp_path / "marks")
    assert run_all(job, works(*names), sharing, side_by_side=1, verbosity=0) == 2
    done = sorted({*names} - {"hang", "broken"})
    assert sorted(path.name for path in Path("made").iterdir() if not path.name.startswith(".")) == done
    assert all((Path("made") / name).read_text() == name for name in done)
    said = [line.split()[-1] for line in lines if line.startswith("INFO") and line.split()[-1] in names]
    assert sorted(said) == done  # each came once
    assert [line for line in lines if "odd {braces}" in line] == ["WARNING odd: is odd {braces}\n"]
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


def test_what_cannot_be_sent_is_given_up_by_name(cluster: Cluster, tmp_path: Path) -> None:
    cluster.start(1)
    lines = lines_of_log("ERROR")
    names = [f"{number:02}" for number in range(20)]
    every = works(*names)
    every[7] = replace(every[7], wish=Unsendable("wish"))
    sharing = Sharing(cluster=cluster.address)
    assert run_all(NamedDeeds(tmp_path / "marks"), every, sharing, side_by_side=1, verbosity=0) == 2
    assert [work.item.name for work in works(*names)] == ["07"]
    assert "cannot be sent to a worker" in lines[0]


class Unsendable(str):
    """A word that no pickle takes."""

    def __reduce__(self) -> str:
        raise TypeError("it does not travel")


def test_a_worker_with_another_bundle_refuses_the_work(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bundle is exchanged between the moment at which the caller sees it and that at which a worker opens it."""
    bundle = tmp_path / "bundle"
    shutil.copytree(EMBEDDED_FOLDER, bundle)
    cluster.start(1)

    def exchanged(maker: Maker, *rest: Any, **more: Any) -> int:
        manifest = bundle / "manifest.json"
        manifest.write_text(manifest.read_text() + "\n")
        return run_all(maker, *rest, **more)

    monkeypatch.setattr("realtime.files.new_pieces.run_all", exchanged)
    words = ["new", "--seconds", "0.5", "--variants", "2", "--model", str(bundle), "--out", "a.mid"]
    assert main([*words, "--cluster", cluster.address]) == 2
    assert "another bundle under this name" in capsys.readouterr().err
    assert not list(tmp_path.glob("a*.mid"))


def test_the_bytes_are_those_of_one_process(cluster: Cluster) -> None:
    words = ["new", "--seconds", "0.5", "--variants", "3", "--seed", "5"]
    assert main([*words, "--out", "here/a.mid", "--jobs", "1"]) == 0
    cluster.start(2)
    assert main([*words, "--out", "there/a.mid", "--cluster", cluster.address]) == 0
    here, there = ({path.name: path.read_bytes() for path in Path(name).glob("*.mid")} for name in ("here", "there"))
    assert len(here) == 3
    assert here == there
    assert main([*words, "--out", "there/a.mid", "--jobs", "1"]) == 0  # all done: nothing is made again


COMMANDS = {
    "fill": ("--gap", "0.3-0.6", "--samples", "1"),
    "velocities": ("--samples", "1"),
    "clean": ("--onset",),
    "perform": ("--samples", "1", "--plot"),
    "continue": ("--notes", "4"),
}


def test_every_command_makes_the_same_bytes_on_a_cluster(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(2):
        performance = random_performance(10 + number, seed=number)
        write_performance(tmp_path / "in" / f"{number}.mid", [MidiTrack("piano", performance)])
    cluster.start(2)
    for command, words in COMMANDS.items():
        for place in (("--jobs", "1"), ("--cluster", cluster.address)):
            out = f"{command}/{place[0][2:]}"
            assert main([command, "in", "--out", out, "--seed", "5", *words, *place]) == 0
        here, there = ({path.name: path.read_bytes() for path in Path(command, name).iterdir()} for name in PLACES)
        assert len(here) == (5 if "--plot" in words else 3)  # the list of what is done among them
        assert here == there


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


def test_workers_here_keep_the_systems_way_with_memory_and_leave_ctrl_c_to_the_caller() -> None:
    with SchedulerLink("local:1") as link:
        (environment,) = link.client.run(lambda: dict(os.environ)).values()
        (on_interrupt,) = link.client.run(lambda: signal.getsignal(signal.SIGINT)).values()
    assert "MALLOC_TRIM_THRESHOLD_" not in environment
    assert environment["OMP_NUM_THREADS"] == "1"
    assert on_interrupt == signal.SIG_IGN
