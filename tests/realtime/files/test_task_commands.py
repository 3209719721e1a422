"""Many files by one command: the same bytes however they are shared out; what is broken is passed over."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from loguru import logger

from piano.errors import ConfigError, MidiFileError, PianodError
from piano.midi.document import MidiDocument
from realtime.cli.command_line import main
from realtime.files import batch_run, task_commands
from realtime.files.batch_run import Made, Tell, Work, cores_each, run_all
from realtime.files.task_commands import run_task
from realtime.files.task_requests import FillRequest, Sharing, TaskRequest, VelocitiesRequest
from realtime.files.work_list import WorkItem
from realtime.settings import Settings
from tests.support.chance_makers import ChanceMaker
from tests.support.midi_files import midi_file, note, song, track

FILES = 20


@pytest.fixture(autouse=True)
def by_chance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(task_commands, "TaskMaker", ChanceMaker)
    yield
    logger.remove()


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A folder of files that differ, one of them deeper down, one with everything in it."""
    folder = tmp_path / "songs"
    (folder / "deep").mkdir(parents=True)
    for index in range(FILES):
        steps = [event for step in range(6) for event in note(0, 40 + index + 5 * (step % 4), 40 + step, 100, 50)]
        path = folder / ("deep" if index == 7 else ".") / f"{index:02}.mid"
        path.write_bytes(song() if index == 3 else midi_file(track(*steps), file_type=index % 2))
    return folder


def fill(out: str, *files: str, seed: int = 5, **wishes: Any) -> int:
    request = FillRequest(files=files or ("songs",), out=Path(out), **{"keep": "right", "samples": 1, **wishes})
    return run_task(Settings(seed=seed), request)


def contents(folder: str) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*.mid")}


def test_twenty_files_are_the_same_bytes_however_they_are_shared_out(songs: Path) -> None:
    assert fill("one", jobs=1) == 0
    assert fill("two", jobs=2) == 0
    assert fill("other", jobs=1, seed=6) == 0
    made = contents("one")
    assert made == contents("two")
    assert made.keys() == contents("songs").keys()
    assert sum(made[name] == data for name, data in contents("other").items()) < FILES / 2
    shutil.copy(songs / "02.mid", "02.mid")
    assert fill("02-alone.mid", "02.mid") == 0
    assert Path("02-alone.mid").read_bytes() == made["02.mid"]
    document = MidiDocument.read(made["03.mid"])
    assert [part.body for part in document.tracks[:3]] == [part.body for part in MidiDocument.read(song()).tracks[:3]]


def test_tasks_are_drawn_with_more_care_unless_told_otherwise(songs: Path) -> None:
    alike = [Settings(seed=6), Settings(seed=6, temperature=0.8, top_p=0.95)]
    for out, settings, wishes in zip("abc", [*alike, alike[0]], [{}, {"samples": 1}, {"samples": 4}], strict=True):
        request = FillRequest(files=("songs/03.mid",), out=Path(out), keep="right", amount=6.0, **wishes)
        assert run_task(settings, request) == 0
    made = [contents(out) for out in "abc"]
    assert made[0] == made[1] != made[2]
    request = FillRequest(files=("songs/02.mid",), out=Path("d"), keep="right", best_of=2)
    assert run_task(Settings(seed=6), request) == 0
    assert songs.exists()


def test_what_is_done_is_not_done_again(songs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[int] = []

    class Counting(ChanceMaker):
        def make(self, works: Sequence[Work], tell: Tell) -> Iterator[Made]:
            worked.append(len(works))
            return super().make(works, tell)

    monkeypatch.setattr(task_commands, "TaskMaker", Counting)

    def work(**wishes: Any) -> int:
        worked.clear()
        assert fill("made", jobs=1, **wishes) == 0
        return sum(worked)

    assert [work(), work(), work(again=True)] == [FILES, 0, FILES]
    before = contents("made")
    (Path("made") / "05.mid").unlink()
    (songs / "06.mid").write_bytes((songs / "08.mid").read_bytes())
    assert work() == 2
    after = contents("made")
    assert {name for name in before if before[name] != after[name]} == {"06.mid"}
    assert work(keep="left") == FILES


def test_a_broken_file_is_passed_over_and_told(songs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (songs / "04.mid").write_bytes(b"MThd")
    (songs / "05.mid").write_bytes(midi_file(track(*note(9, 40, 50, 9))))
    arguments = ["fill", "songs", "--keep", "right", "--out", "made", "--jobs", "1", "--seed", "3"]
    assert main(arguments) == 2
    logger.complete()
    said = capsys.readouterr().err
    assert "songs/04.mid: the header is cut off" in said
    assert "songs/05.mid: there is no note in it" in said
    assert f"{FILES - 2} of {FILES} files done" in said
    assert len(contents("made")) == FILES - 2
    (songs / "04.mid").write_bytes((songs / "06.mid").read_bytes())
    (songs / "05.mid").unlink()
    assert main(arguments) == 0
    logger.complete()
    assert f"{FILES - 2} of {FILES - 1} files were done before" in capsys.readouterr().err


def test_variants_stand_beside_the_file_with_pictures(songs: Path) -> None:
    request = VelocitiesRequest(files=("songs/03.mid",), variants=2, from_nothing=True, plot=True, plot_span=(0.0, 2.0))
    assert run_task(Settings(seed=1), request) == 0
    made = sorted(path.name for path in songs.iterdir() if path.name.startswith("03"))
    assert made == [
        "03-velocities-1.mid", "03-velocities-1.png", "03-velocities-2.mid", "03-velocities-2.png", "03.mid",
    ]  # fmt: skip
    again = VelocitiesRequest(files=("songs",), out=Path("more"), from_nothing=True, jobs=1)
    assert run_task(Settings(seed=1), again) == 0
    assert len(contents("more")) == FILES  # what was made is no input
    assert len((songs / "03-velocities-1.mid").read_bytes()) == len(song())


WAYS: list[dict[str, Any]] = [
    {"strategy": "beam", "beams": 2}, {"strategy": "greedy"}, {"best_of": 2}, {"samples": 2}, {"batch": 3},
]  # fmt: skip


@pytest.mark.usefixtures("songs")
@pytest.mark.parametrize("wishes", WAYS)
def test_every_way_of_looking_makes_files(wishes: dict[str, Any]) -> None:
    assert fill("made", "songs/00.mid", "songs/01.mid", jobs=1, **wishes) == 0
    first = contents("made")
    assert fill("made", "songs/00.mid", "songs/01.mid", jobs=1, again=True, **wishes) == 0
    assert contents("made") == first


class Stopping:
    """A maker that is interrupted at its second file."""

    def open(self) -> None:
        pass

    def make(self, works: Sequence[Work], tell: Tell) -> Iterator[Made]:
        for work in works:
            if work.number == 1:
                raise KeyboardInterrupt
            tell(work.number, 0.5, 10)
            yield Made(work.number, ((work.item.targets[0], b"whole"),), "made")


def works(*names: str) -> list[Work]:
    return [
        Work(number, WorkItem(Path("in") / name, name, (Path("made") / name,)), "wish", 10)
        for number, name in enumerate(names)
    ]


def test_an_interruption_leaves_whole_files_and_nothing_else() -> None:
    Path("made").mkdir()
    with pytest.raises(KeyboardInterrupt):
        run_all(Stopping(), works("a.mid", "b.mid", "c.mid"), Sharing(jobs=1), side_by_side=1, verbosity=0)
    assert sorted(path.name for path in Path("made").iterdir()) == [".pianod.json", "a.mid"]


def test_what_cannot_be_written_is_a_fault_of_that_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(PianodError, match=r"a\.mid cannot be written: No space left"):
        run_all(Stopping(), works("a.mid"), Sharing(jobs=1), side_by_side=1, verbosity=0)
    with pytest.raises(ConfigError, match=r"a\.mid cannot be written: No space left"):
        batch_run.write_result(Path("a.mid"), b"")
    assert not list(Path.cwd().rglob("*.partial"))


class Dying(Stopping):
    """A maker whose process is killed."""

    def make(self, works: Sequence[Work], tell: Tell) -> Iterator[Made]:  # noqa: ARG002
        os.kill(multiprocessing.current_process().pid or 0, signal.SIGKILL)
        return iter(())


def test_the_death_of_a_process_is_told() -> None:
    with pytest.raises(ConfigError, match="a process of --jobs has died"):
        run_all(Dying(), works("a.mid", "b.mid"), Sharing(jobs=2), side_by_side=1, verbosity=0)


def test_ctrl_c_ends_all_processes_and_leaves_nothing_half_done(songs: Path) -> None:
    """The whole program, by a signal, as soon as the first file is there, with far more to do than is done by then."""
    for number in range(20):
        shutil.copytree(songs / "deep", songs / f"more-{number}")
        shutil.copy(songs / "00.mid", songs / f"more-{number}")
    command = [sys.executable, "-m", "realtime", "fill", str(songs), "--keep", "right", "--out", "made", "--jobs", "2"]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(Path(task_commands.__file__).parents[2])},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert ".mid: " in first
    assert process.returncode == 130
    assert len(contents("made")) < len(contents("songs"))
    assert not list(Path("made").rglob("*.partial"))
    for data in contents("made").values():
        MidiDocument.read(data)


def test_a_request_that_says_nothing_or_too_much_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, says in (
        (["fill", "a.mid"], "one of --keep, --gap and --pitches"),
        (["fill", "a.mid", "--keep", "nothing"], "--keep is 'nothing'; it must be one of right, left"),
        (["fill", "a.mid", "--gap", "14-10"], "--gap is '14-10'; it must be FROM-TO"),
        (["fill", "a.mid", "--gap", "1-3,2-4"], "in order"),
        (["fill", "a.mid", "--pitches", "1-2,3-4"], "one stretch"),
        (["fill", "a.mid", "--gap", "1-2", "--track", "1"], "--track goes with --keep, not with --gap"),
        (["fill", "a.mid", "--track", "MELODY"], "missing: to keep the whole of MELODY and play the rest, add --keep"),
        (["new", "--out", "new.txt"], "--out new.txt is no MIDI file (.mid)"),
        (["fill", "a.mid", "--keep", "part"], "--keep part needs --track"),
        (["velocities", "a.mid", "--noise", "3", "--from-nothing"], "give one"),
        (["velocities", "a.mid", "--noise", "-3"], "--noise is '-3'; it must be a number above 0"),
        (["clean", "a.mid"], "one of --pitch"),
        (["fill", "a.mid", "--keep", "right", "--samples", "2", "--best-of", "2"], "--samples draws and chooses by"),
        (["clean", "a.mid", "--pitch", "--all"], "one of --pitch"),
        (["perform", "a.mid", "--bpm", "5"], "--bpm is '5'; it must be a number from 10 to 400"),
        (["perform", "missing.mid"], "missing.mid: there is no such file or folder"),
    ):
        assert main(arguments) == 2
        assert says in capsys.readouterr().err


def test_a_lone_file_that_is_broken_is_told_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "large.mid").write_bytes(bytes(9_000_000))
    request: TaskRequest = FillRequest(files=("large.mid",), keep="right")
    with pytest.raises(MidiFileError, match=r"large\.mid: 9,000,000 bytes are too many"):
        run_task(Settings(), request)


@pytest.mark.parametrize(
    ("works", "wishes", "threads", "cores"),
    [
        (1, {}, 0, 8),
        (3, {}, 0, 2),
        (100, {}, 0, 1),
        (100, {"jobs": 2}, 0, 4),
        (1, {}, 1, 1),
        (1, {"cluster": "local:2"}, 0, 1),
    ],
)
def test_a_file_has_the_cores_that_no_other_file_has(
    monkeypatch: pytest.MonkeyPatch, works: int, wishes: dict[str, Any], threads: int, cores: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert cores_each(works, Sharing(**wishes), threads) == cores
