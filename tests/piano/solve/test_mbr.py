"""Several draws of each stretch: the one that goes on agrees most with the others, and the stream stays whole."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.events import Role
from piano.notes import Performance
from piano.sampling.sampler import SamplingSettings
from piano.session import Logits, RowUpdate
from piano.solve.mbr import Strike, medoid, note_f1
from piano.solve.sequential_sessions import SequentialSessions
from piano.solve.solver import SolveRequest, Strategy, solve, solve_together
from piano.tasks.task_stream import PreviewSize, task_stream
from tests.piano.solve.test_solver import EVENT_TASKS, guessing, length_of, posed, same, telling

STRIKES = st.lists(st.tuples(st.integers(0, 60), st.integers(60, 63)), max_size=12)


class Impatient(SequentialSessions):
    """A session that does not wait for ever."""

    fed = 0

    def feed(self, moves: Mapping[int, RowUpdate]) -> dict[int, Logits]:
        """Move rows, not too often."""
        self.fed += 1
        assert self.fed < 20_000
        return super().feed(moves)


def strikes_of(performance: Performance) -> list[Strike]:
    onset_steps = np.rint(performance.notes["onset_s"] * 100).astype(int)
    return list(zip(onset_steps.tolist(), performance.notes["pitch"].tolist(), strict=True))


@given(STRIKES, STRIKES)
def test_agreement_is_symmetric_and_at_most_whole(one: list[Strike], other: list[Strike]) -> None:
    assert note_f1(one, other) == note_f1(other, one)
    assert 0.0 <= note_f1(one, other) <= 1.0
    assert note_f1(one, one) == 1.0


def test_agreement_counts_notes_within_50_ms() -> None:
    assert note_f1([(0, 60), (100, 62)], [(5, 60), (106, 62)]) == 0.5
    assert note_f1([(0, 60)], [(0, 61)]) == 0.0
    assert note_f1([(0, 60), (4, 60)], [(4, 60)]) == pytest.approx(2 / 3)  # a note is found once
    assert note_f1([(0, 60), (4, 60)], [(4, 60), (9, 60)]) == 1.0
    assert note_f1([], [(0, 60)]) == 0.0


def test_the_medoid_is_in_the_middle() -> None:
    middle = [(0, 60), (50, 64)]
    assert medoid([[(0, 60), (50, 65)], middle, [(0, 61), (50, 64)]]) == 1
    assert medoid([[], []]) == 0


@pytest.mark.parametrize("task", EVENT_TASKS[::4])
def test_forced_to_the_truth_all_samples_are_the_own_part(task: str) -> None:
    exercise = posed(task)
    request = SolveRequest(samples=3, length_s=length_of(exercise))
    stream = task_stream(exercise, size=request.preview)
    truth = solve(telling(stream.tokens.tolist()), exercise, replace(request, samples=1))
    answer = solve(telling(stream.tokens.tolist()), exercise, request)
    assert same(answer.performance, truth.performance)
    assert (answer.log_probability, answer.tokens) == (truth.log_probability, truth.tokens)


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(EVENT_TASKS), st.integers(0, 1000))
def test_samples_in_a_short_context_beside_others_and_alone_are_the_same(task: str, seed: int) -> None:
    exercise = posed(task, seed, 16)
    request = SolveRequest(seed=seed, samples=3, sampling=SamplingSettings(top_p=0.9), preview=PreviewSize(1.0, 4))
    alone = solve(guessing(seed), exercise, request)
    told: list[float] = []
    requests = [replace(request, report=told.append), replace(request, seed=seed + 1)]
    beside = solve_together(SequentialSessions(guessing(seed, 200), 2), [exercise, exercise], requests)
    assert same(alone.performance, beside[0].performance)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_of_few_notes_the_samples_agree_with_single_draws_more_than_these_with_each_other() -> None:
    exercise = posed("left_hand", notes=12)
    assert (exercise.roles == Role.OWN).any()
    singles = [strikes_of(solve(guessing(), exercise, SolveRequest(seed=seed)).performance) for seed in range(8)]
    chosen = [
        strikes_of(solve(guessing(), exercise, SolveRequest(seed=seed, samples=5)).performance) for seed in range(4)
    ]
    among = np.mean([note_f1(one, other) for one in singles for other in singles if one is not other])
    assert np.mean([note_f1(one, other) for one in chosen for other in singles]) > among


def test_two_ways_to_choose_are_refused() -> None:
    for request in ({"best_of": 2}, {"strategy": Strategy.GREEDY}, {"strategy": Strategy.BEAM}):
        with pytest.raises(ValueError, match="2 samples are drawn"):
            SolveRequest(samples=2, **request)


@pytest.mark.parametrize("context", [120, 160, 240])
def test_a_draw_that_outgrows_the_context_does_not_hold_up_the_next(context: int) -> None:
    exercise = posed("left_hand", notes=60)
    told: list[float] = []
    request = SolveRequest(samples=3, preview=PreviewSize(0.5, 4), report=told.append)
    solve_together(Impatient(guessing(context=context)), [exercise], [request])
    assert told[-1] == 1.0
