"""Velocities in chunks are those that are found key by key, also where a performance is longer than the context."""

import numpy as np
import pytest

from piano.solve.solver import SolveRequest, solve
from piano.tasks.pose import pose
from piano.tasks.task_stream import PreviewSize
from tests.train.conftest import random_model, random_performance
from train.evaluate.situations import Situation, situations
from train.evaluate.velocity_chunks import velocities_in_chunks
from train.model.gpt2 import GPT2
from train.predictors.torch_predictor import TorchPredictor
from train.predictors.torch_session import TorchSession


@pytest.fixture(scope="module")
def model() -> GPT2:
    return random_model(4, context=128, spread=0.3)


@pytest.mark.parametrize("case", situations("velocities", preview=None), ids=lambda case: case.name)
def test_chunks_find_what_is_found_key_by_key(model: GPT2, case: Situation) -> None:
    size = PreviewSize(window_s=1.0) if case.preview else None
    case = Situation(case.task, size, case.reading_noise)
    exercises = [
        pose(case.task, random_performance(seed, 20 + 40 * seed), np.random.default_rng(seed)) for seed in range(4)
    ]
    found = list(velocities_in_chunks(TorchPredictor(model), exercises, case, batch=3))
    session = TorchSession(model)
    for exercise, velocities in zip(exercises, found, strict=True):
        answer = solve(session, exercise, SolveRequest(preview=size, reading_noise=case.reading_noise))
        np.testing.assert_array_equal(velocities, answer.performance.notes["velocity"])
    assert len({velocity for velocities in found for velocity in velocities.tolist()}) > 3  # the model says something


def test_a_reading_that_is_exact_is_the_answer(model: GPT2) -> None:
    exercise = pose("denoise_velocity", random_performance(1), np.random.default_rng(0))
    (found,) = velocities_in_chunks(TorchPredictor(model), [exercise], Situation("denoise_velocity", None, 0.001))
    np.testing.assert_array_equal(found, exercise.as_heard.notes["velocity"])


def test_no_exercises_have_no_answers(model: GPT2) -> None:
    assert not list(velocities_in_chunks(TorchPredictor(model), [], Situation("velocity", None)))
