"""Exercises solved: forced to the truth the stream is that of training, and what is not known changes nothing."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.events import Role
from piano.notes import Performance
from piano.sampling.sampler import Sampler, SamplingSettings
from piano.session import Logits
from piano.solve.constraints import constraints_of
from piano.solve.exercise_stream import ExerciseStream
from piano.solve.limits import LONGEST_HOLD_S
from piano.solve.sequential_sessions import SequentialSessions
from piano.solve.solver import Solution, SolveRequest, Strategy, solve, solve_together
from piano.tasks.exercise import Exercise
from piano.tasks.pose import pose
from piano.tasks.repair_tasks import VELOCITY_TASKS
from piano.tasks.task_stream import PreviewSize, task_stream
from piano.tokens.encoding import decode
from piano.tokens.vocabulary import FILL_TASKS, TASKS, VELOCITIES_PER_BIN, VOCABULARY
from tests.piano.tasks.test_task_stream import piece
from tests.support.scripted_session import FORCED_LOGIT, ScriptedSession

CERTAIN = SamplingSettings(temperature=0.0)
EVENT_TASKS = tuple(task for task in TASKS if task not in VELOCITY_TASKS)
SIZES = st.one_of(st.none(), st.builds(PreviewSize, st.sampled_from([0.5, 2.0, 4.0]), st.integers(1, 30)))


def posed(task: str, seed: int = 1, notes: int = 40) -> Exercise:
    return pose(task, piece(seed, notes), np.random.default_rng(seed))


def telling(truth: Sequence[int], context: int = 100_000, *, fallback: bool = False) -> ScriptedSession:
    """Return a session that puts all weight on the next token of a stream, and END after the last."""
    truth = tuple(truth)

    def script(tokens: tuple[int, ...]) -> int | None:
        if tokens != truth[: len(tokens)]:
            assert fallback, f"{VOCABULARY.names[tokens[-1]]} at {len(tokens) - 1} is not in the stream of training"
            return None
        return truth[len(tokens)] if len(tokens) < len(truth) else VOCABULARY.end

    return ScriptedSession(VOCABULARY.size, context, script=script)


def guessing(seed: int = 0, context: int = 100_000) -> ScriptedSession:
    """Return a session without sense, whose music is in time: it lets some of it pass now and then."""
    return ScriptedSession(VOCABULARY.size, context, seed=seed, horizon=12)


def length_of(exercise: Exercise) -> float | None:
    """Return how long the original is, and more, where that is not known by the exercise itself."""
    is_known = exercise.task == "gap" or exercise.task.startswith("perform")
    return None if is_known else exercise.performance.end_s + 1.0


def same(one: Performance, other: Performance) -> bool:
    return one.notes.tobytes() == other.notes.tobytes() and one.pedals.tobytes() == other.pedals.tobytes()


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(EVENT_TASKS), st.integers(0, 2**32), st.integers(1, 50), SIZES)
def test_forced_to_the_truth_the_stream_is_that_of_training(
    task: str, seed: int, notes: int, size: PreviewSize | None
) -> None:
    exercise = posed(task, seed, notes)
    stream = task_stream(exercise, styles=("opening",), size=size)
    session = telling(stream.tokens.tolist())
    known = constraints_of(exercise, size, length_s=length_of(exercise))
    playing = ExerciseStream(stream.tokens[: stream.head].tolist(), known)
    sampler = Sampler(0, CERTAIN)
    while not playing.is_done:
        playing.draw(sampler)
        if not playing.is_done:
            session.rollback(playing.fed)
            playing.accept_logits(session.feed(playing.tokens[playing.fed :]))
    pedal_up = [VOCABULARY.pedal(Role.OWN, down=False)]
    assert playing.tokens.tolist() in (stream.tokens.tolist(), stream.tokens.tolist() + pedal_up)


@pytest.mark.parametrize("task", EVENT_TASKS)
@pytest.mark.parametrize("strategy", [Strategy.SAMPLE, Strategy.GREEDY])
def test_forced_to_the_truth_the_answer_is_the_own_part(task: str, strategy: Strategy) -> None:
    exercise = posed(task)
    request = SolveRequest(strategy=strategy, length_s=length_of(exercise))
    stream = task_stream(exercise, size=request.preview)
    answer = solve(telling(stream.tokens.tolist()), exercise, request)
    told = decode(stream.tokens)
    own = told.performance.notes[told.roles == Role.OWN]
    assert answer.performance.notes.tobytes() == own.tobytes()
    assert own.size == exercise.asked_notes
    assert answer.log_probability == pytest.approx(0.0, abs=1e-6)
    assert answer.tokens > own.size


@pytest.mark.parametrize(("index", "task"), list(enumerate(FILL_TASKS)))
def test_what_is_asked_is_not_looked_at(index: int, task: str) -> None:
    exercise, size = posed(task, notes=16), (None, PreviewSize())[index % 2]
    notes, is_own = exercise.performance.notes, exercise.roles == Role.OWN
    others = notes.copy()
    others["velocity"][is_own], others["duration_s"][is_own] = 1, 7.0
    others["pitch"][is_own] = 21
    own_pedal = exercise.pedal_roles == Role.OWN
    pedals = exercise.performance.pedals
    alone = replace(
        exercise,
        performance=Performance(notes[~is_own], pedals[~own_pedal]),
        roles=exercise.roles[~is_own],
        pedal_roles=exercise.pedal_roles[~own_pedal],
    )
    request = SolveRequest(seed=3, preview=size, sampling=SamplingSettings(top_p=0.9))
    answers = [
        solve(guessing(), posed_anew, request)
        for posed_anew in (
            exercise,
            replace(exercise, performance=Performance(others, pedals)),
            alone,
        )
    ]
    assert same(answers[0].performance, answers[1].performance)
    assert same(answers[0].performance, answers[2].performance)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(EVENT_TASKS), st.integers(0, 1000), SIZES, st.sampled_from([120, 300, 5000]))
def test_whatever_a_model_says_the_answer_is_playable(
    task: str, seed: int, size: PreviewSize | None, context: int
) -> None:
    exercise = posed(task, seed, 14)
    answer = solve(guessing(seed, context), exercise, SolveRequest(seed=seed, preview=size))
    notes, pedals = answer.performance.notes, answer.performance.pedals
    assert (notes["duration_s"] > 0).all()
    assert (notes["duration_s"] <= LONGEST_HOLD_S + 0.011).all()
    ends_s = notes["onset_s"] + notes["duration_s"]
    for pitch in np.unique(notes["pitch"]):
        of_key = notes["pitch"] == pitch
        assert (notes["onset_s"][of_key][1:] >= ends_s[of_key][:-1] - 0.0051).all(), "a key is up before it goes down"
    assert not pedals["down"][-1:].any(), "the pedal comes up at the end"
    assert (pedals["down"][1:] != pedals["down"][:-1]).all()
    if task == "gap":
        inside = [(gap.start_s - 0.006, gap.end_s + 0.006) for gap in exercise.gaps]
        assert all(any(start <= onset_s <= end for start, end in inside) for onset_s in notes["onset_s"])
    if task.startswith("perform"):
        assert notes.size == exercise.performance.notes.size
        assert sorted(notes["pitch"]) == sorted(exercise.performance.notes["pitch"])
    elif task in FILL_TASKS:
        given_part = exercise.performance.notes[exercise.roles == Role.GIVEN]
        end_s = max(
            float((given_part["onset_s"] + given_part["duration_s"]).max(initial=0.0)),
            float(exercise.performance.pedals["time_s"].max(initial=0.0)),
        )
        assert notes["onset_s"].max(initial=0.0) <= end_s + 0.006 or task == "gap"


@pytest.mark.parametrize("task", ["random", "clean_pitch", "perform_score", "gap"])
def test_a_long_piece_goes_on_in_a_short_context(task: str) -> None:
    exercise = posed(task, notes=150)
    stream: list[int] = task_stream(exercise, size=PreviewSize(2.0, 8)).tokens.tolist()
    follows = {tuple(stream[end - 30 : end]): stream[end] for end in range(30, len(stream))}
    seen: list[tuple[int, ...]] = []

    def script(tokens: tuple[int, ...]) -> int | None:
        """Know the truth by what was fed last, wherever the stream was cut."""
        seen.append(tokens)
        if len(tokens) <= 40:
            return stream[len(tokens)]
        return follows.get(tokens[-30:], VOCABULARY.end)

    session = ScriptedSession(VOCABULARY.size, 240, script=script)
    request = SolveRequest(preview=PreviewSize(2.0, 8), sampling=CERTAIN, length_s=length_of(exercise))
    answer = solve(session, exercise, request)
    told = decode(np.array(stream, np.int32))
    assert answer.performance.notes.tobytes() == told.performance.notes[told.roles == Role.OWN].tobytes()
    assert len(stream) > 600
    assert len({tokens[2:6] for tokens in seen}) > 2, "it was cut several times"
    cut = [tokens for tokens in seen if tokens[2] != stream[2]]
    for tokens in cut:
        assert tokens[:2] == tuple(stream[:2]), "the head stays"
        opened, closed = (np.cumsum(np.array(tokens) == bound) for bound in (VOCABULARY.preview, VOCABULARY.play))
        assert (opened >= closed).all(), "a preview is whole"


@pytest.mark.parametrize("task", VELOCITY_TASKS)
@pytest.mark.parametrize("size", [None, PreviewSize()])
def test_velocities_are_found_for_each_note_in_its_place(task: str, size: PreviewSize | None) -> None:
    exercise = posed(task)
    stream = task_stream(exercise, size=size)

    def script(tokens: tuple[int, ...]) -> int | None:
        assert tokens == tuple(stream.tokens[: len(tokens)].tolist()), "the stream is that of training"
        return int(stream.targets[len(tokens)])

    session = ScriptedSession(VOCABULARY.size, 100_000, script=script)
    answer = solve(session, exercise, SolveRequest(preview=size))
    found, meant = (part.notes for part in (answer.performance, exercise.performance))
    np.testing.assert_array_equal(found["velocity"] // VELOCITIES_PER_BIN, meant["velocity"] // VELOCITIES_PER_BIN)
    for column in ("onset_s", "duration_s", "pitch", "track"):
        np.testing.assert_array_equal(found[column], meant[column])
    assert answer.tokens == meant.size


def test_readings_count_where_no_preview_shows_them() -> None:
    exercise = posed("denoise_velocity")
    assert exercise.readings is not None
    flat = ScriptedSession(VOCABULARY.size, 100_000, script=lambda _: VOCABULARY.end)
    trusted = solve(flat, exercise, SolveRequest(preview=None, reading_noise=0.0)).performance.notes["velocity"]
    np.testing.assert_array_equal(trusted, exercise.readings)
    for request in (SolveRequest(reading_noise=0.0), SolveRequest(preview=None, reading_noise=math.inf)):
        assert np.unique(solve(flat, exercise, request).performance.notes["velocity"]).tolist() == [63]


@pytest.mark.parametrize("strategy", list(Strategy))
def test_several_exercises_together_are_answered_as_one_by_one(strategy: Strategy) -> None:
    tasks = ("random", "clean_pitch", "perform_flat", "velocity", "gap", "above_median")
    exercises = [posed(task, seed, 12) for seed, task in enumerate(tasks)]
    told: list[float] = []
    requests = [
        SolveRequest(seed=seed, strategy=strategy, beams=2, best_of=2, report=told.append if seed == 2 else None)
        for seed, _ in enumerate(exercises)
    ]
    together = solve_together(SequentialSessions(guessing(), 3), exercises, requests)
    for exercise, request, answer in zip(exercises, requests, together, strict=True):
        alone = solve(guessing(), exercise, replace(request, report=None))
        assert same(alone.performance, answer.performance)
        assert (alone.log_probability, alone.tokens) == (answer.log_probability, answer.tokens)
    assert told == sorted(told)
    assert told[-1] == 1.0


def worth(answer: Solution) -> float:
    return answer.log_probability / answer.tokens


def test_the_best_of_several_is_the_one_that_the_model_finds_likeliest() -> None:
    exercise = posed("left_hand", notes=8)
    firsts = [solve(guessing(), exercise, SolveRequest(seed=seed)) for seed in range(4)]
    bests = [solve(guessing(), exercise, SolveRequest(seed=seed, best_of=3)) for seed in range(4)]
    gains = [worth(best) - worth(first) for best, first in zip(bests, firsts, strict=True)]
    assert min(gains) >= 0.0
    assert max(gains) > 0.0
    assert not same(firsts[0].performance, firsts[1].performance)


@pytest.mark.parametrize("task", EVENT_TASKS[::6])
def test_beams_find_the_truth_and_what_is_at_least_as_likely_as_greed(task: str) -> None:
    exercise = posed(task, notes=12)
    request = SolveRequest(strategy=Strategy.BEAM, beams=3, length_s=length_of(exercise))
    stream = task_stream(exercise, size=request.preview)
    answer = solve(telling(stream.tokens.tolist(), fallback=True), exercise, request)
    told = decode(stream.tokens)
    assert answer.performance.notes.tobytes() == told.performance.notes[told.roles == Role.OWN].tobytes()
    assert worth(answer) == pytest.approx(0.0, abs=1e-6)


class Tempting(ScriptedSession):
    """Makes the likeliest first step lead to where nothing is likely."""

    def feed(self, tokens: Sequence[int]) -> Logits:
        logits = super().feed(tokens)
        low, high = VOCABULARY.on(Role.OWN, 40), VOCABULARY.on(Role.OWN, 80)
        played = [token for token in self.tokens if token in (low, high)]
        logits[:] = 0.0
        if not played:
            logits[[low, high]] = FORCED_LOGIT, FORCED_LOGIT - 0.1
        elif played[0] == high:
            logits[[VOCABULARY.velocity(70), VOCABULARY.off(Role.OWN, 80), VOCABULARY.end]] = FORCED_LOGIT
        return logits


def test_beams_see_further_than_greed() -> None:
    exercise = posed("continue", notes=4)
    greedy = solve(Tempting(VOCABULARY.size, 4000), exercise, SolveRequest(strategy=Strategy.GREEDY, length_s=0.2))
    beam = solve(Tempting(VOCABULARY.size, 4000), exercise, SolveRequest(strategy=Strategy.BEAM, length_s=0.2))
    assert greedy.performance.notes["pitch"][0] == 40
    assert 80 in beam.performance.notes["pitch"]
    assert worth(beam) > worth(greedy)


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match="not 0, 1 and 1"):
        SolveRequest(beams=0)
    with pytest.raises(ValueError, match="4 beams need as many rows, and there are 2"):
        solve_together(SequentialSessions(guessing(), 2), [posed("random")], [SolveRequest(strategy=Strategy.BEAM)])
    with pytest.raises(ValueError, match="no style 'swing'"):
        solve(guessing(), posed("random"), SolveRequest(styles=("swing",)))
