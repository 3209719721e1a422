"""Notes that are owed come back once each, whatever a model says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.notes import NoteArray
from piano.solve.must_play import owed_notes
from piano.solve.solver import SolveRequest, Strategy, solve
from piano.tasks.exercise import Exercise
from piano.tokens.vocabulary import STEP_S
from tests.piano.solve.test_solver import guessing, posed

STRATEGIES = st.sampled_from([Strategy.SAMPLE, Strategy.GREEDY])


def read_in(exercise: Exercise) -> NoteArray:
    assert exercise.preview is not None
    return exercise.preview.notes


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["clean_onset", "clean_time"]), st.integers(0, 1000), st.integers(1, 25), STRATEGIES)
def test_where_onsets_are_noisy_each_pitch_comes_back_within_the_margin(
    task: str, seed: int, notes: int, strategy: Strategy
) -> None:
    exercise = posed(task, seed, notes)
    read = read_in(exercise)
    found = solve(guessing(seed), exercise, SolveRequest(seed=seed, strategy=strategy)).performance.notes
    for pitch in np.unique(np.concatenate([read["pitch"], found["pitch"]])):
        wanted, played = (np.sort(each["onset_s"][each["pitch"] == pitch]) for each in (read, found))
        assert played.size == wanted.size
        assert (np.abs(played - wanted) <= 1.0 + 2.5 * STEP_S).all()


@pytest.mark.parametrize(("task", "margin_s"), [("clean_pitch", 0.0), ("clean_all", 1.0 + 1.5 * STEP_S)])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), notes=st.integers(1, 25), strategy=STRATEGIES)
def test_where_pitches_are_noisy_as_many_notes_come_back_within_the_margin_of_onsets(
    task: str, margin_s: float, seed: int, notes: int, strategy: Strategy
) -> None:
    exercise = posed(task, seed, notes)
    found = solve(guessing(seed), exercise, SolveRequest(seed=seed, strategy=strategy)).performance.notes
    wanted = np.sort(read_in(exercise)["onset_s"])
    np.testing.assert_allclose(np.sort(found["onset_s"]), wanted, rtol=1e-7, atol=margin_s + STEP_S)


@pytest.mark.parametrize("task", ["clean_onset", "clean_pitch", "clean_all"])
def test_beams_and_samples_owe_the_same(task: str) -> None:
    exercise = posed(task, notes=12)
    for request in (SolveRequest(strategy=Strategy.BEAM, beams=3), SolveRequest(samples=3)):
        assert solve(guessing(), exercise, request).performance.notes.size == read_in(exercise).size


@pytest.mark.parametrize("task", ["left_hand", "gap", "perform_flat", "continue"])
def test_nothing_is_owed_elsewhere(task: str) -> None:
    assert owed_notes(posed(task)) is None
