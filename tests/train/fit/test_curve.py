"""The picture of what a run came to: read from what `fit` leaves, and a fault is told with its place."""

import json
from pathlib import Path

import pytest

from train.__main__ import main
from train.fit.curve import read_curve
from train.fit.run_state import LOG


def write_run(folder: Path, bits: list[float]) -> Path:
    (folder / "best").mkdir(parents=True)
    (folder / "best" / "config.json").write_text(json.dumps({"pianod": {"recipe": {"batches": {"tokens": 1000}}}}))
    lines = [
        {"step": 10 * (number + 1), "bits_per_note": value, "task_bits_per_note": {"gap": value + 1}}
        for number, value in enumerate(bits)
    ]
    (folder / LOG).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_validations_are_read_in_their_order(tmp_path: Path) -> None:
    curve = read_curve(write_run(tmp_path / "one", [20.0, 18.0]))
    assert [(point.tokens, point.bits, point.tasks["gap"]) for point in curve] == [(10e3, 20, 21), (20e3, 18, 19)]


def test_runs_behind_each_other_make_one_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [write_run(tmp_path / name, bits) for name, bits in (("one", [20.0, 18.0]), ("two", [18.5, 17.0]))]
    picture = tmp_path / "curve.png"
    assert main(["curve", *map(str, runs), "--plot", str(picture), "--tasks", "gap,left_hand"]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "18.50 to 17.00 bits a note" in capsys.readouterr().out


@pytest.mark.parametrize("fault", ["no folder", "no validation", "another file"])
def test_what_is_no_run_is_told(tmp_path: Path, fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    if fault != "no folder":
        write_run(folder, [])
    if fault == "another file":
        (folder / LOG).write_text("[1, 2]\n")
    assert main(["curve", str(folder), "--plot", str(tmp_path / "curve.png")]) == 2
    assert f"error: {folder}" in capsys.readouterr().err


def test_a_picture_that_cannot_be_drawn_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", [20.0])
    for place in (tmp_path / "none" / "curve.png", tmp_path / "curve.txt"):
        assert main(["curve", str(run), "--plot", str(place)]) == 2
        assert f"error: {place}: cannot be written" in capsys.readouterr().err
