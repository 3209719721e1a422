"""What answers without a model: from what is known alone, and as well as it can."""

from dataclasses import replace

import numpy as np
import pytest

from piano.events import Role
from piano.notes import NOTE, Performance, sort_notes
from piano.tasks.exercise import Exercise, Preview
from piano.tasks.pose import pose
from tests.train.conftest import random_performance
from train.evaluate.nearest_neighbour import NearestNeighbour, known_notes
from train.evaluate.task_baselines import fit_task_baselines
from train.evaluate.task_metrics import score

TASKS = ("above_median", "gap", "duet", "clean_onset", "perform_flat", "accompaniment")


def posed(task: str, seed: int = 1) -> Exercise:
    return pose(task, random_performance(seed, 150), np.random.default_rng(seed))


def with_other_answers(exercise: Exercise) -> Exercise:
    """Return an exercise in which what is asked is another; what is known stays."""
    notes = exercise.performance.notes.copy()
    own = exercise.roles == Role.OWN
    notes["pitch"][own], notes["velocity"][own], notes["duration_s"][own] = 50, 1, 9.0
    return replace(exercise, performance=Performance(notes, exercise.performance.pedals))


@pytest.mark.parametrize("task", TASKS)
def test_what_is_asked_is_not_looked_at(task: str) -> None:
    baselines = fit_task_baselines([posed(task, seed) for seed in range(4)])
    exercise = posed(task, 9)
    for name, answer in baselines.items():
        one, other = (answer(each, np.random.default_rng(0)) for each in (exercise, with_other_answers(exercise)))
        np.testing.assert_array_equal(one, other, err_msg=name)
        assert one.dtype == NOTE
        np.testing.assert_array_equal(one, sort_notes(one), err_msg=name)


def test_copy_is_what_is_known() -> None:
    exercise = posed("clean_pitch")
    assert isinstance(exercise.preview, Preview)
    np.testing.assert_array_equal(
        fit_task_baselines([exercise])["copy"](exercise, np.random.default_rng(0)), exercise.preview.notes
    )
    np.testing.assert_array_equal(
        known_notes(posed("duet")), posed("duet").performance.notes[posed("duet").roles == Role.GIVEN]
    )


def test_random_notes_are_as_many_and_as_high_as_what_was_asked_in_training() -> None:
    training = [posed("above_median", seed) for seed in range(8)]
    exercise = posed("above_median", 20)
    counts, pitches = [], []
    for seed in range(20):
        notes = fit_task_baselines(training)["random"](exercise, np.random.default_rng(seed))
        counts.append(notes.size)
        pitches.append(float(notes["pitch"].mean()))
    asked = np.concatenate([each.performance.notes[each.roles == Role.OWN] for each in training])
    assert np.mean(counts) == pytest.approx(exercise.asked_notes, rel=0.2)
    assert np.mean(pitches) == pytest.approx(float(asked["pitch"].mean()), abs=1.5)


@pytest.mark.parametrize("shift", [0, 3, -5])
def test_the_neighbour_of_a_known_piece_is_that_piece_in_any_key(shift: int) -> None:
    """Windows of training stand at even seconds, as those that are asked do: the own part comes back whole."""
    training = [posed("above_median", seed) for seed in range(5)]
    performance = training[2].performance
    moved = performance.notes.copy()
    moved["pitch"] += np.int64(shift).astype(np.uint8)
    exercise = pose("above_median", Performance(moved, performance.pedals), np.random.default_rng(2))
    answered = NearestNeighbour(training).notes(exercise)
    assert score(moved[exercise.roles == Role.OWN], answered)["f1"] == pytest.approx(1.0, abs=0.03)


def test_the_neighbour_of_a_known_score_plays_as_it_was_played() -> None:
    training = [posed("perform_score", seed) for seed in range(5)]
    answered = NearestNeighbour(training).notes(training[3])
    truth = training[3].performance.notes
    np.testing.assert_array_equal(np.sort(answered["velocity"]), np.sort(truth["velocity"]))
    np.testing.assert_array_equal(np.sort(answered["pitch"]), np.sort(truth["pitch"]))


def test_a_neighbour_lends_its_velocities() -> None:
    training = [posed("velocity", seed) for seed in range(5)]
    found = NearestNeighbour(training).velocities(training[1])
    assert float(np.mean(found == training[1].performance.notes["velocity"])) > 0.95


def test_a_gap_is_filled_in_the_gap() -> None:
    baselines = fit_task_baselines([posed("gap", seed) for seed in range(4)])
    exercise = posed("gap", 9)
    for name in ("random", "nearest"):
        onset_s = baselines[name](exercise, np.random.default_rng(0))["onset_s"]
        assert all(any(gap.start_s <= each <= gap.end_s for gap in exercise.gaps) for each in onset_s)
