"""Several streams in one batch: each row answers as a session of its own would."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.batch_session import BatchSession, runs_of_pairs
from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from piano.errors import BundleError
from piano.session import RowUpdate
from piano.solve.solver import SolveRequest, Strategy, solve, solve_together
from piano.tasks.pose import pose
from piano.tasks.task_stream import PreviewSize
from piano.tokens.vocabulary import VOCABULARY
from tests.piano.tasks.test_task_stream import piece

EXACT = 2e-4
"""Of logits in single precision, whose size is about 10."""

ROWS = 3


@pytest.fixture(scope="module")
def bundle(tiny_exact_bundle: Path) -> Bundle:
    return Bundle.load(tiny_exact_bundle)


@pytest.fixture(scope="module")
def single(bundle: Bundle) -> OnnxSession:
    return OnnxSession(bundle)


@pytest.fixture(scope="module")
def batch(bundle: Bundle) -> BatchSession:
    return BatchSession(bundle, ROWS)


def clear(batch: BatchSession) -> list[list[int]]:
    """Leave one token in each row; return what they hold."""
    batch.feed({row: RowUpdate(0, [7]) for row in range(batch.rows)})
    return [[7] for _ in range(batch.rows)]


row_moves = st.dictionaries(st.integers(0, ROWS - 1), st.tuples(st.integers(0, 6), st.integers(1, 9)))
steps = st.lists(st.one_of(row_moves, st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1))), max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.integers(0, 9))
def test_each_row_answers_as_a_session_of_its_own(
    batch: BatchSession,
    single: OnnxSession,
    plan: list[dict[int, tuple[int, int]] | tuple[int, int]],
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    streams = clear(batch)
    for step in plan:
        if isinstance(step, tuple):
            source, target = step
            batch.copy(source, target)
            streams[target] = streams[source][:]
            continue
        moves = {}
        for row, (back, count) in step.items():
            keep = max(0, len(streams[row]) - back)
            tokens = rng.integers(0, VOCABULARY.size, min(count, batch.context - keep)).tolist()
            if tokens:
                moves[row] = RowUpdate(keep, tokens)
                streams[row] = streams[row][:keep] + tokens
        for row, logits in (batch.feed(moves) if moves else {}).items():
            single.reset()
            np.testing.assert_allclose(logits, single.feed(streams[row]), atol=EXACT)


def test_a_row_answers_the_same_whatever_its_place_and_company(tiny_bundle: Path) -> None:
    rounded, tokens = Bundle.load(tiny_bundle), np.random.default_rng(1).integers(0, VOCABULARY.size, 40).tolist()
    answers = []
    for rows in (1, 2, 3, 5):
        batch = BatchSession(rounded, rows)
        batch.feed({row: RowUpdate(0, tokens[:20] if row in (0, rows - 1) else [row] * 7) for row in range(rows)})
        for at in range(20, 40):
            logits = batch.feed({row: RowUpdate(at, [tokens[at]]) for row in {0, rows - 1}})
        answers += [logits[0], logits[rows - 1]]
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer, answers[0])


def test_a_row_answers_the_same_whoever_is_due_beside_it(tiny_bundle: Path) -> None:
    rounded, rng = Bundle.load(tiny_bundle), np.random.default_rng(2)
    streams = rng.integers(0, VOCABULARY.size, (6, 30)).tolist()
    whole, some = BatchSession(rounded, 6), BatchSession(rounded, 6)
    for batch in (whole, some):
        batch.feed({row: RowUpdate(0, stream[: 9 + row]) for row, stream in enumerate(streams)})
    wanted = [
        whole.feed({row: RowUpdate(at + row, [stream[at + row]]) for row, stream in enumerate(streams)})
        for at in (9, 10)
    ]
    fed = [0] * 6
    for due in ((3,), (0, 1, 5), (2, 3), (4,), (0, 4), (1, 2, 5)):
        moves = {row: RowUpdate(9 + row + fed[row], [streams[row][9 + row + fed[row]]]) for row in due}
        for row, logits in some.feed(moves).items():
            np.testing.assert_array_equal(logits, wanted[fed[row]][row])
            fed[row] += 1
    assert fed == [2] * 6


def test_rows_that_go_abreast_answer_bit_for_bit_as_one_after_the_other(tiny_bundle: Path) -> None:
    bundle = Bundle.load(tiny_bundle)
    one, abreast = BatchSession(bundle, 4), BatchSession(bundle, 4, abreast=3)
    rng = np.random.default_rng(1)
    for turn in range(12):
        counts = rng.integers(1, 5, 4)
        moves = {row: RowUpdate(3 * turn * bool(turn), rng.integers(0, 300, 3 + counts[row])) for row in range(4)}
        first, second = one.feed(moves), abreast.feed(moves)
        assert all(np.array_equal(first[row], second[row]) for row in moves)
        one.copy(0, 3)
        abreast.copy(0, 3)


def test_who_is_not_due_is_not_run() -> None:
    assert runs_of_pairs([]) == []
    assert runs_of_pairs([3]) == [(2, 4)]
    assert runs_of_pairs([5, 0, 2, 3]) == [(0, 6)]
    assert runs_of_pairs([9, 0, 1, 4]) == [(0, 2), (4, 6), (8, 10)]


def test_a_full_row_is_left_alone_while_others_go_on(batch: BatchSession, single: OnnxSession) -> None:
    streams = clear(batch)
    rng = np.random.default_rng(4)
    full = rng.integers(0, VOCABULARY.size, batch.context).tolist()
    batch.feed({0: RowUpdate(0, full)})
    for token in (3, 4, 5):
        batch.feed({1: RowUpdate(len(streams[1]), [token]), 2: RowUpdate(len(streams[2]), [token])})
        streams[1].append(token)
        streams[2].append(token)
    batch.copy(0, 1)
    single.reset()
    wanted = single.feed(full)
    np.testing.assert_allclose(batch.feed({1: RowUpdate(batch.context - 1, full[-1:])})[1], wanted, atol=EXACT)
    single.rollback(batch.context - 1)
    np.testing.assert_allclose(batch.feed({0: RowUpdate(batch.context - 1, [9])})[0], single.feed([9]), atol=EXACT)


def test_misuse_is_refused_with_the_numbers_and_changes_nothing(batch: BatchSession) -> None:
    clear(batch)
    misuse = (
        (RowUpdate(0, []), "at least 1 token a row, not 0"),
        (RowUpdate(2, [1]), "1 tokens rolls back to 0 to 1, not 2"),
        (RowUpdate(1, [1] * 64), "64 more tokens after 1 exceed the context of 64"),
        (RowUpdate(1, [VOCABULARY.size]), f"0 to {VOCABULARY.size - 1}, not {VOCABULARY.size}"),
        (RowUpdate(1, [-1]), f"0 to {VOCABULARY.size - 1}, not -1"),
    )
    for move, message in misuse:
        with pytest.raises(ValueError, match=message):
            batch.feed({1: RowUpdate(0, [1, 2]), 2: move})
    with pytest.raises(ValueError, match="1 tokens rolls back"):
        batch.feed({1: RowUpdate(2, [1])})


def test_there_is_a_row_at_least(bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="not 0"):
        BatchSession(bundle, 0)
    with pytest.raises(BundleError):
        BatchSession(Bundle.load(Path("nowhere")), 1)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_exercises_are_answered_in_a_batch_as_one_by_one(
    batch: BatchSession, single: OnnxSession, strategy: Strategy
) -> None:
    tasks = ("random", "clean_pitch", "velocity", "perform_flat", "gap")
    exercises = [pose(task, piece(seed, 8), np.random.default_rng(seed)) for seed, task in enumerate(tasks)]
    size = PreviewSize(1.0, 4)
    requests = [SolveRequest(seed, strategy=strategy, beams=2, preview=size) for seed, _ in enumerate(tasks)]
    together = solve_together(batch, exercises, requests)
    for exercise, request, answer in zip(exercises, requests, together, strict=True):
        alone = solve(single, exercise, request)
        assert alone.performance.notes.tobytes() == answer.performance.notes.tobytes()
        assert alone.performance.pedals.tobytes() == answer.performance.pedals.tobytes()
        assert alone.tokens == answer.tokens
        assert alone.log_probability == pytest.approx(answer.log_probability, abs=0.01)
