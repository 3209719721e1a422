"""`evaluate --tasks`: every kind of task with its baselines in one table, the same for the same seed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from export.exporter import ExportOptions, export_bundle
from export.music import music_windows
from piano.midi.file import MidiTrack, write_performance
from piano.session import Session
from piano.solve.solver import Solution, SolveRequest, solve
from piano.tasks.exercise import Exercise
from tests.support.cells import unfilled
from tests.train.conftest import random_performance
from train.__main__ import main
from train.corpus.note_cache import NoteCache
from train.model.gpt2 import GPT2

Evaluate = Callable[..., dict[str, Any]]


@pytest.fixture
def bundle(tmp_path: Path, tiny_model: GPT2) -> Path:
    windows = music_windows(None, length=64, count=2)
    export_bundle(tiny_model, {"trained_on": []}, tmp_path / "bundle", windows, ExportOptions("fp32"))
    return tmp_path / "bundle"


@pytest.fixture
def evaluate(tmp_path: Path, bundle: Path, scales: NoteCache) -> Evaluate:
    scales.save(tmp_path / "notes.cache")

    def run(*arguments: object) -> dict[str, Any]:
        always = ["--corpus", tmp_path / "notes.cache", "--out", tmp_path / "out", "--pieces", 2, "--excerpt-s", 5]
        assert main(["evaluate", *map(str, [bundle, "--tasks", *arguments, *always])]) == 0
        figures: dict[str, Any] = json.loads((tmp_path / "out" / "tasks.json").read_text())
        return figures

    return run


def without_clock(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: case["methods"] for name, case in figures["situations"].items()}


def test_every_kind_of_task_has_its_baselines(evaluate: Evaluate, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluate("duet,denoise_velocity", "--live", "--temperature", 0.9)
    noisy = "denoise_velocity, live"
    assert list(found["situations"]) == ["duet, live", noisy, f"{noisy}, heard as clean_velocity"]
    assert found["split"] == "validation"
    duet, velocities, as_any_keyboard = without_clock(found).values()
    assert set(duet) == {"model", "copy", "random", "nearest"}
    assert {name.split()[0] for name in velocities} == {*duet, "flat", "running", "smoother", "linear"}
    assert as_any_keyboard["flat"] == velocities["flat"]
    assert as_any_keyboard["model"] != velocities["model"]
    assert duet["model"]["excerpts"] == 2
    assert "| F1 | model | copy | random | nearest |" in unfilled(capsys.readouterr().out)


def test_the_same_seed_gives_the_same_figures_however_many_work_on_it(evaluate: Evaluate) -> None:
    first = evaluate("duet", "--live", "--seed", 5)
    assert without_clock(evaluate("duet", "--live", "--seed", 5, "--jobs", 2)) == without_clock(first)
    assert without_clock(evaluate("duet", "--live", "--seed", 6)) != without_clock(first)


def test_what_was_answered_is_not_asked_again(
    evaluate: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("duet", "--live", "--resume", tmp_path / "done")
    first = evaluate(*asked)
    solved: list[int] = []

    def counted(session: Session, exercise: Exercise, request: SolveRequest) -> Solution:
        solved.append(request.seed)
        return solve(session, exercise, request)

    monkeypatch.setattr("train.evaluate.task_answers.solve", counted)
    assert without_clock(evaluate(*asked)) == without_clock(first)
    assert solved == []
    evaluate(*asked, "--seed", 6)
    assert len(solved) == 2


def test_a_folder_of_files(evaluate: Evaluate, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    write_performance(tmp_path / "mine" / "a.mid", [MidiTrack("piano", random_performance(1))])
    found = evaluate("velocity", "--live", "--folder", tmp_path / "mine")
    assert found["midi"] == str(tmp_path / "mine")
    assert found["situations"]["velocity, live"]["methods"]["model"]["excerpts"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tasks", "melody", "--corpus", "x"], "no 'melody'"),
        (["--tasks", "--midi", "."], "--corpus CACHE is needed"),
        (["--tasks", "gap", "--corpus", "x", "--pieces", "0"], "--pieces"),
        (["--tasks", "gap", "--corpus", "x", "--excerpt-s", "-1"], "--excerpt-s"),
        (["--tasks", "gap", "--corpus", "x", "--temperature", "11"], "temperature"),
    ],
)
def test_faults_are_named(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "embedded", *arguments]) == 2
    assert message in capsys.readouterr().err
