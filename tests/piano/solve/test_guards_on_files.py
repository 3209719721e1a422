"""Guards on exercises: a figure is left, the memory follows what stands, and greedy holds nothing back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.notes import NOTE, PEDAL, Performance
from piano.sampling.sampler import Sampler, SamplingSettings
from piano.solve.constraints import constraints_of
from piano.solve.exercise_stream import ExerciseStream
from piano.solve.solver import SolveRequest, Strategy, solve
from piano.tasks.exercise import Exercise
from piano.tasks.pose import pose
from piano.tasks.task_stream import PreviewSize
from piano.tokens.vocabulary import VOCABULARY
from tests.piano.tasks.test_task_stream import piece
from tests.support.round_and_round import round_and_round
from tests.support.scripted_session import ScriptedSession

FIGURE = [60 + 2 * (number % 6) for number in range(150)]


def pitches_of_figure(nats: float, strategy: Strategy = Strategy.SAMPLE) -> list[int]:
    """Return what a model that goes round in a figure plays in 20 s."""
    nothing = Performance(np.zeros(0, NOTE), np.zeros(0, PEDAL))
    exercise = pose("continue", nothing, np.random.default_rng(0))
    request = SolveRequest(
        sampling=SamplingSettings(repetition_guard=nats), strategy=strategy, length_s=20.0, preview=None
    )
    answer = solve(ScriptedSession(VOCABULARY.size, 1 << 16, script=round_and_round), exercise, request)
    pitches: list[int] = answer.performance.notes["pitch"].tolist()
    return pitches


@pytest.mark.parametrize(("nats", "leaves"), [(0.0, False), (10.0, True)])
def test_a_figure_without_an_end_is_left_under_the_guard(nats: float, *, leaves: bool) -> None:
    pitches = pitches_of_figure(nats)
    assert pitches[:24] == FIGURE[:24]
    assert (pitches[:150] != FIGURE) == leaves


@pytest.mark.parametrize("strategy", [Strategy.GREEDY, Strategy.BEAM])
def test_where_the_likeliest_is_asked_nothing_is_held_back(strategy: Strategy) -> None:
    assert pitches_of_figure(10.0, strategy)[:150] == FIGURE


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["left_hand", "gap", "perform_score", "clean_onset", "continue"]), st.integers(0, 2**32))
def test_the_memory_holds_what_stands_in_the_stream(task: str, seed: int) -> None:
    exercise = pose(task, piece(seed, 20), np.random.default_rng(seed))
    decoder, session = decoder_of(exercise), ScriptedSession(VOCABULARY.size, 1 << 16, seed=seed, horizon=12)
    sampler = Sampler(seed)
    for _ in range(200):
        while (options := decoder.options()) is not None:
            assert list(decoder._guards.memory.tokens) == list(decoder.tokens)
            decoder.take(sampler.draw(decoder.logits, options.allowed))
        if decoder.is_done:
            break
        session.rollback(decoder.fed)
        decoder.accept_logits(session.feed(decoder.tokens[decoder.fed :]))


def decoder_of(exercise: Exercise) -> ExerciseStream:
    known = constraints_of(exercise, None if exercise.preview is None else PreviewSize(), length_s=None)
    head = (VOCABULARY.bos, VOCABULARY.task(exercise.task))
    return ExerciseStream(head, known, SamplingSettings(recall=1.0))
