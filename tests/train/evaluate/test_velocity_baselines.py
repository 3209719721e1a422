"""Velocities found without a model: causal, and as good as their kind can be."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from piano.notes import Performance
from piano.tasks.exercise import Exercise
from piano.tasks.pose import pose
from tests.train.conftest import random_performance
from train.evaluate.velocity_baselines import fit_velocity_baselines


def exercise_of(seed: int, task: str = "denoise_velocity") -> Exercise:
    """Return an exercise whose velocities follow the pitch and a slow wave."""
    performance = random_performance(seed, 300)
    notes = performance.notes
    notes["velocity"] = 40 + notes["pitch"] / 4 + 20 * np.sin(notes["onset_s"] / 5)
    return pose(task, performance, np.random.default_rng(seed))


def error(exercise: Exercise, found: NDArray[np.uint8]) -> float:
    return float(np.abs(exercise.performance.notes["velocity"].astype(float) - found).mean())


@pytest.fixture(scope="module")
def training() -> list[Exercise]:
    return [exercise_of(seed) for seed in range(6)]


def test_what_knows_more_finds_more(training: list[Exercise]) -> None:
    found = {}
    for name, answer in fit_velocity_baselines(training).items():
        exercises = [exercise_of(seed) for seed in range(100, 106)]
        rng = np.random.default_rng(0)
        found[name.split()[0]] = np.mean([error(exercise, answer(exercise, rng)) for exercise in exercises])
    assert found["linear"] < found["smoother"] < found["flat"] < found["random"]
    assert found["smoother"] < found["running"] < found["copy"]


def test_the_flat_value_is_the_mean_of_the_training(training: list[Exercise]) -> None:
    exercise = exercise_of(7)
    flat = fit_velocity_baselines(training)["flat"](exercise, np.random.default_rng(0))
    truth = np.concatenate([each.performance.notes["velocity"] for each in training])
    assert set(flat.tolist()) == {round(float(truth.mean()))}


@pytest.mark.parametrize("name", ["copy", "flat", "running", "smoother", "linear"])
def test_what_comes_later_changes_nothing_before(training: list[Exercise], name: str) -> None:
    whole = exercise_of(9)
    assert whole.readings is not None
    performance, readings = Performance(whole.performance.notes[:100]), whole.readings[:100]
    half = replace(whole, performance=performance, roles=whole.roles[:100], readings=readings)
    answer = next(found for full, found in fit_velocity_baselines(training).items() if full.split()[0] == name)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(answer(whole, rng)[:100], answer(half, rng))


def test_without_readings_only_the_pitch_tells() -> None:
    posed = [exercise_of(seed, "velocity") for seed in range(6)]
    baselines = fit_velocity_baselines(posed)
    exercise = exercise_of(8, "velocity")
    rng = np.random.default_rng(0)
    linear = baselines["linear"](exercise, rng)
    assert error(exercise, linear) < error(exercise, baselines["flat"](exercise, rng))
    for pitch in np.unique(exercise.performance.notes["pitch"]):
        later = np.flatnonzero(exercise.performance.notes["pitch"] == pitch)
        later = later[later > 100]  # the means have settled on the one reading by then
        assert len(set(linear[later].tolist())) <= 2  # one value, but for rounding
