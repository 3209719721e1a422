"""Ctrl-C in the middle of commands of training and of export: 130, one line, nothing half written. Whole programs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import train
from tests.train.conftest import save_random_corpus
from train.model.checkpoint import save_checkpoint
from train.model.gpt2 import GPT2


@contextmanager
def started(*arguments: object, cwd: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a command in a group of its own, as a terminal does; it is ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(train.__file__).parents[1])},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def said_after_ctrl_c(process: "subprocess.Popen[str]") -> str:
    """Send Ctrl-C to the group and return the last line that is said, without what a bar says; 130 is expected."""
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "KeyboardInterrupt" not in said
    return said.replace("\r", "\n").splitlines()[-1]


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A MIDI file that is never at its end: reading it waits for the test."""
    folder = tmp_path / "midi"
    folder.mkdir()
    os.mkfifo(folder / "blocked.mid")
    return folder / "blocked.mid"


@pytest.mark.parametrize("processes", [1, 2])
def test_prepare_leaves_the_list_of_what_is_done_where_it_is_ended(
    blocked: Path, tmp_path: Path, processes: int
) -> None:
    table, out = tmp_path / "splits.csv", tmp_path / "out"
    table.write_text("file,split\nblocked.mid,train\n" + "".join(f"{number}.mid,train\n" for number in range(99)))
    places = ("--folder", blocked.parent, "--split-csv", table, "--out", out, "--processes", processes)
    with started("train", "prepare", *places, cwd=tmp_path) as process, blocked.open("wb"):  # it reads
        assert said_after_ctrl_c(process).endswith("python -m train prepare: interrupted")
    assert [path.name for path in out.iterdir()] == ["notes.done"]


def test_evaluate_leaves_off_in_the_middle_of_a_piece(tmp_path: Path) -> None:
    corpus = save_random_corpus(tmp_path, pieces=40)
    asked = ("--corpus", corpus, "--split", "validation", "--jobs", 2, "--json", tmp_path / "figures.json")
    with started("train", "evaluate", "embedded", *asked, cwd=tmp_path) as process:
        assert process.stderr is not None
        process.stderr.read(1)  # of the bar
        assert said_after_ctrl_c(process).endswith("python -m train evaluate: interrupted")
    assert [path.name for path in tmp_path.iterdir()] == [corpus.name]


def test_export_leaves_nothing_where_it_is_ended(blocked: Path, tiny_model: GPT2, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "checkpoint", tiny_model, {})
    bundle = tmp_path / "bundles" / "new"
    with (
        started("export", tmp_path / "checkpoint", "-o", bundle, "--music", blocked, cwd=tmp_path) as process,
        blocked.open("wb"),
    ):
        assert said_after_ctrl_c(process) == "python -m export: interrupted"
    assert not bundle.parent.exists()


@pytest.mark.parametrize("command", ["prepare", "fit", "evaluate"])
def test_ctrl_c_while_a_command_is_imported_is_told_alike(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from train.__main__ import main

    def interrupt(name: str) -> None:
        del name
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("train.__main__.importlib.import_module", interrupt)
    assert main([command]) == 130
    assert capsys.readouterr().err == f"python -m train {command}: interrupted\n"
