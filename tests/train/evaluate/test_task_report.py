"""Rows and their report: means, errors, the verdict, the table, the JSON and the picture."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from piano.notes import NoteArray
from tests.support.cells import unfilled
from tests.train.conftest import random_performance
from train.evaluate.task_report import JSON_NAME, PICTURE_NAME, TABLE_NAME, TaskReport
from train.evaluate.task_results import MODEL, OVERALL_RATIO, ResultRow

NOTES = [random_performance(seed, 40).notes for seed in range(5)]


def louder(notes: NoteArray, by: int) -> NoteArray:
    changed = notes.copy()
    changed["velocity"] += np.uint8(by)
    return changed


def row(
    method: str, answered: list[NoteArray], situation: str = "gap, with preview", *, velocities: bool = False
) -> ResultRow:
    return ResultRow.of(situation, method, NOTES, answered, velocities=velocities)


def report(*rows: ResultRow) -> TaskReport:
    return TaskReport("a model", {"split": "validation"}, rows, {row.situation: 1.0 for row in rows})


def test_what_is_perfect_is_above_what_is_not() -> None:
    model, copy = row(MODEL, NOTES), row("copy", [notes[::2] for notes in NOTES])
    assert model.mean("f1") == 1.0
    assert model.error("f1") == 0.0
    mean, error = model.above(copy, "f1")
    assert mean == pytest.approx(1 / 3, abs=0.01)
    assert error < 0.01
    text = unfilled(report(copy, model).markdown())
    assert "| gap, with preview | 1.000 ± 0.000 | 0.667 ± 0.000 | yes | 1.000 |" in text
    assert "| gap, with preview | **model** | 1.000 |" in text


def test_a_verdict_says_what_is_chance() -> None:
    worse = [notes[::2] for notes in NOTES]
    sometimes = [NOTES[0], *worse[1:]]
    assert "| on average |" in unfilled(report(row(MODEL, sometimes), row("copy", worse)).markdown())
    assert "| no |" in unfilled(report(row(MODEL, worse), row("copy", NOTES)).markdown())


def test_velocities_are_weighed_by_notes_and_their_spread_over_all() -> None:
    asked = [NOTES[0], NOTES[1][:10]]
    answered = [louder(asked[0], 4), louder(asked[1], 10)]
    found = ResultRow.of("velocity, live", MODEL, asked, answered, velocities=True)
    assert found.mean("velocity_mae") == pytest.approx((40 * 4 + 10 * 10) / 50)
    truth, whole = (np.concatenate([notes["velocity"] for notes in side]) for side in (asked, answered))
    assert found.mean(OVERALL_RATIO) == pytest.approx(whole.std() / truth.std())
    assert found.mean("deviation_ratio") == pytest.approx(1.0)
    assert "f1" not in found.metrics


def test_what_cannot_be_said_is_left_out() -> None:
    nothing = row(MODEL, [notes[:0] for notes in NOTES])
    assert math.isnan(nothing.mean("velocity_mae"))
    assert nothing.to_json()["metrics"]["velocity_mae"] == {"mean": None, "error": None}
    assert nothing.mean("f1") == 0.0


def test_everything_is_written(tmp_path: Path) -> None:
    flat = [louder(notes, 9) for notes in NOTES]
    live = (
        ResultRow.of("velocity, live", name, NOTES, flat, velocities=True) for name in (MODEL, "copy", "smoother 0.1")
    )
    whole = report(row("copy", [notes[::2] for notes in NOTES]), row(MODEL, NOTES), *live)
    whole.write(tmp_path / "out")
    assert (tmp_path / "out" / TABLE_NAME).read_text() == whole.markdown()
    assert (tmp_path / "out" / PICTURE_NAME).read_bytes()[:4] == b"\x89PNG"
    content = json.loads((tmp_path / "out" / JSON_NAME).read_text())
    assert content["split"] == "validation"
    assert list(content["situations"]["gap, with preview"]["methods"]) == [MODEL, "copy"]
    assert content["situations"]["velocity, live"]["methods"]["copy"]["metrics"]["velocity_mae"]["mean"] == 9.0
    assert len(content["situations"]["gap, with preview"]["methods"][MODEL]["f1_by_excerpt"]) == len(NOTES)
