"""Streams of exercises: without their previews they are the encoded original, and they obey the grammar."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from piano.events import Role
from piano.notes import NOTE, PEDAL, Performance
from piano.tasks.exercise import Exercise
from piano.tasks.pose import pose
from piano.tasks.repair_tasks import VELOCITY_TASKS
from piano.tasks.task_stream import Part, PreviewSize, TaskStream, task_stream
from piano.tokens.encoding import TokenArray, decode, encode
from piano.tokens.grammar import Grammar
from piano.tokens.vocabulary import TASKS, VELOCITIES_PER_BIN, VOCABULARY, Kind


def piece(seed: int, notes: int) -> Performance:
    """Return music in which a key is always up before it is pressed again."""
    rng = np.random.default_rng(seed)
    made = np.zeros(notes, NOTE)
    made["onset_s"] = np.cumsum(rng.choice([0.01, 0.02, 0.13, 0.4, 1.7], notes, p=[0.2, 0.2, 0.3, 0.25, 0.05]))
    made["pitch"] = 40 + (np.arange(notes) * 7) % 47
    made["duration_s"] = 0.1
    made["velocity"] = rng.integers(1, 128, notes)
    pedals = np.zeros(notes // 8, PEDAL)
    pedals["time_s"], pedals["down"] = np.arange(notes // 8) * 0.77, np.arange(notes // 8) % 2 == 0
    return Performance(made, pedals)


def stream_of(exercise: Exercise, *, size: PreviewSize | None, origin_s: float = 0.0) -> TaskStream:
    return task_stream(exercise, styles=("opening",), size=size, origin_s=origin_s)


def previews(tokens: TokenArray) -> list[TokenArray]:
    """Return what stands between each PREVIEW and its PLAY."""
    starts = np.flatnonzero(tokens == VOCABULARY.preview)
    ends = np.flatnonzero(tokens == VOCABULARY.play)
    return [tokens[start + 1 : end] for start, end in zip(starts, ends, strict=True)]


def without_previews(tokens: TokenArray) -> TokenArray:
    """Return a stream without its previews: the head and the events alone, as the grammar takes them."""
    inside = np.cumsum(tokens == VOCABULARY.preview) > np.cumsum(tokens == VOCABULARY.play)
    kept: TokenArray = tokens[~inside & (tokens != VOCABULARY.play)]
    return kept


@settings(max_examples=120)
@example("gap", 0, 64, None, 0.0)  # a pedal that goes down before a gap and comes up in it
@given(
    st.sampled_from(TASKS),
    st.integers(0, 2**32),
    st.integers(1, 90),
    st.one_of(st.none(), st.builds(PreviewSize, st.sampled_from([0.5, 2.0, 4.0]), st.integers(1, 30))),
    st.sampled_from([0.0, 1.23]),
)
def test_a_stream_is_the_original_and_obeys_the_grammar(
    task: str, seed: int, notes: int, size: PreviewSize | None, origin_s: float
) -> None:
    exercise = pose(task, piece(seed, notes), np.random.default_rng(seed))
    stream = stream_of(exercise, size=size, origin_s=origin_s)
    assert stream.tokens.shape == stream.parts.shape == stream.targets.shape
    assert stream.tokens[0] == VOCABULARY.bos
    changed = stream.tokens != stream.targets
    assert (stream.parts[changed] == Part.ASKED).all()
    assert (VOCABULARY.kinds[stream.tokens[changed]] == Kind.VELOCITY).all()
    events = without_previews(stream.targets)[stream.head :]
    plain = encode(exercise.performance, roles=exercise.roles, pedal_roles=exercise.pedal_roles, origin_s=origin_s)
    told, meant = decode(events), decode(plain)
    assert told.performance.notes.tobytes() == meant.performance.notes.tobytes()
    assert told.performance.pedals.tobytes() == meant.performance.pedals.tobytes()
    assert np.array_equal(told.roles, meant.roles)
    grammar = Grammar()
    for token in events.tolist():
        if origin_s == 0.0:
            assert grammar.mask()[token], VOCABULARY.names[token]
        grammar.push(token)


@pytest.mark.parametrize("task", TASKS)
def test_a_preview_is_presses_of_the_given_role_in_time(task: str) -> None:
    exercise = pose(task, piece(1, 80), np.random.default_rng(1))
    stream = stream_of(exercise, size=PreviewSize(3.0, 10))
    shown = previews(stream.tokens)
    assert bool(shown) == (exercise.preview is not None)
    for tokens in shown:
        kinds = VOCABULARY.kinds[tokens]
        on = kinds == Kind.ON
        assert np.isin(kinds, (Kind.TIME, Kind.ON, Kind.VELOCITY)).all()
        assert (VOCABULARY.roles[tokens[on]] == Role.GIVEN).all()
        has_velocity = exercise.preview is not None and exercise.preview.shows_velocity
        assert (kinds == Kind.VELOCITY).sum() == on.sum() * has_velocity
        if has_velocity:
            assert (kinds[np.flatnonzero(on) + 1] == Kind.VELOCITY).all()


@pytest.mark.parametrize("task", TASKS)
def test_only_the_asked_is_marked(task: str) -> None:
    exercise = pose(task, piece(2, 80), np.random.default_rng(2))
    stream = stream_of(exercise, size=PreviewSize())
    kinds, roles = VOCABULARY.kinds[stream.tokens], VOCABULARY.roles[stream.tokens]
    asked = stream.parts == Part.ASKED
    events = stream.parts != Part.FORCED
    if task in VELOCITY_TASKS:
        assert np.array_equal(asked, events)
        assert (kinds[asked] == Kind.VELOCITY).all()
    else:
        assert (asked & (kinds == Kind.ON)).sum() == exercise.asked_notes
        of_a_role = np.isin(kinds, (Kind.ON, Kind.OFF, Kind.PEDAL)) & events
        assert np.array_equal(asked[of_a_role], roles[of_a_role] == Role.OWN)


@pytest.mark.parametrize("task", ["top_line_1", "random", "loud", "denoise_velocity", "velocity", "clean_pitch"])
def test_window_and_preview_count_from_one_moment(task: str) -> None:
    performance = piece(3, 100)
    exercise = pose(task, performance, np.random.default_rng(3))
    tokens = stream_of(exercise, size=PreviewSize(window_s=2.0)).tokens
    assert exercise.preview is not None
    onsets = {round(float(onset_s), 2) for onset_s in exercise.preview.notes["onset_s"]}
    for number, shown in enumerate(previews(tokens)):
        at_s = 2.0 * number + decode(np.concatenate([shown, [VOCABULARY.end]])).performance.notes["onset_s"]
        if exercise.preview.shows_velocity:
            assert {round(float(onset_s), 2) for onset_s in at_s} <= onsets
            assert at_s.size == 0 or at_s.max() < 2.0 * number + 3.0


@pytest.mark.parametrize("task", ["perform_flat", "perform_score"])
def test_a_score_announces_exactly_the_notes_that_follow(task: str) -> None:
    exercise = pose(task, piece(4, 50), np.random.default_rng(4))
    tokens = stream_of(exercise, size=PreviewSize(notes=7)).tokens
    is_on = VOCABULARY.kinds[tokens] == Kind.ON
    shown = VOCABULARY.values[tokens[is_on & (VOCABULARY.roles[tokens] == Role.GIVEN)]]
    played = VOCABULARY.values[tokens[is_on & (VOCABULARY.roles[tokens] == Role.OWN)]]
    assert shown.tolist() == played.tolist()
    assert [int((VOCABULARY.kinds[part] == Kind.ON).sum()) for part in previews(tokens)] == [7] * 7 + [1]


def test_a_gap_shows_what_comes_after_it() -> None:
    exercise = pose("gap", piece(5, 200), np.random.default_rng(5))
    tokens = stream_of(exercise, size=PreviewSize()).tokens
    assert len(previews(tokens)) == len(exercise.gaps)
    assert all((VOCABULARY.kinds[part] == Kind.ON).any() for part in previews(tokens)[:-1])


@pytest.mark.parametrize("task", VELOCITY_TASKS)
@pytest.mark.parametrize("size", [None, PreviewSize()])
def test_where_velocities_are_asked_the_stream_shows_the_readings_alone(task: str, size: PreviewSize | None) -> None:
    music, louder = piece(6, 40), piece(6, 40)
    louder.notes["velocity"] += np.arange(40, dtype=np.uint8) % 2
    exercise = pose(task, music, np.random.default_rng(1))
    stream = stream_of(exercise, size=size)
    other = stream_of(replace(exercise, performance=louder), size=size)
    assert exercise.readings is not None
    assert stream.tokens.tolist() == other.tokens.tolist(), "the truth is nowhere in it"
    asked = stream.parts == Part.ASKED
    assert VOCABULARY.values[stream.tokens[asked]].tolist() == (exercise.readings // VELOCITIES_PER_BIN).tolist()
    assert VOCABULARY.values[stream.targets[asked]].tolist() == (music.notes["velocity"] // VELOCITIES_PER_BIN).tolist()


def test_a_limit_ends_the_stream_between_windows() -> None:
    exercise = pose("random", piece(7, 400), np.random.default_rng(7))
    whole = stream_of(exercise, size=PreviewSize())
    part = task_stream(exercise, styles=("opening",), size=PreviewSize(), limit=300)
    assert 300 <= part.tokens.size < whole.tokens.size
    assert part.tokens.tolist() == whole.tokens[: part.tokens.size].tolist()
