"""Each thing that can be made of a file is made, with what was before and after; what cannot be is told in words."""

import json
from pathlib import Path

import pytest

from piano.errors import MidiFileError
from piano.midi.file import read_performance
from realtime.panel.job_process import run_job, task_request_of
from realtime.panel.job_request import GIVEN, JOBS, MADE, PICTURE, JobRequest
from tests.realtime.panel.pieces import scale, write_piece


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_piece(tmp_path / GIVEN, count=12)
    return tmp_path


FIRST_CHOICES = [(task, job.choices[0] if job.choices else "") for task, job in JOBS.items()]


@pytest.mark.parametrize(
    ("task", "choice"), [*FIRST_CHOICES, ("clean", "velocity"), ("velocities", "from nothing"), ("fill", "loud")]
)
def test_each_job_is_done_and_shown(tiny_bundle: Path, folder: Path, task: str, choice: str) -> None:
    shares: list[float] = []
    settings = {"model": str(tiny_bundle), "provider": "cpu", "seed": 1}
    run_job(JobRequest(task, 1, choice, settings), shares.append)
    assert read_performance(folder / MADE).notes.size > 0
    layers = json.loads((folder / PICTURE).read_text())["layers"]
    assert len(layers) == 2
    assert layers[0]["notes"], "what was before"
    assert shares == sorted(shares)
    if task in ("velocities", "clean") and choice in ("velocity", "from nothing"):
        assert len(layers[1]["notes"]) == scale(12).notes.size


def test_every_choice_is_a_wish_of_the_command_line() -> None:
    for task, job in JOBS.items():
        for choice in job.choices:
            assert task_request_of(JobRequest(task, 1, choice)).files == (GIVEN,)


def test_what_is_no_music_is_told(folder: Path, tiny_bundle: Path) -> None:
    (folder / GIVEN).write_bytes(b"MThd")
    for task in ("continue", "fill"):
        with pytest.raises(MidiFileError):
            run_job(JobRequest(task, 1, "right" if task == "fill" else "", {"model": str(tiny_bundle)}), lambda _: None)
