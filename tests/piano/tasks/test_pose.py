"""Laws of every task: given and asked are the whole, nothing is lost, one seed is one task."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.events import HIGHEST_PITCH, LOWEST_PITCH, Role
from piano.notes import NOTE, PEDAL, NoteArray, Performance, sort_notes
from piano.tasks.exercise import Asked, Exercise, PreviewClock
from piano.tasks.fill_tasks import GAP_S
from piano.tasks.pose import pose
from piano.tasks.repair_tasks import FLAT_INTERVAL_S, ONSET_MARGIN_S, sixteenths
from piano.tokens.vocabulary import FILL_TASKS, REPAIR_TASKS, TASKS

COMPLEMENTS = [
    ("above_median", "below_median"),
    ("above_low_quartile", "below_low_quartile"),
    ("above_high_quartile", "below_high_quartile"),
    ("middle_quartiles", "extreme_quartiles"),
    ("inner_voices", "outer_voices"),
    ("left_hand", "right_hand"),
    ("short_notes", "long_notes"),
    ("loud", "soft"),
    ("moderate", "extreme"),
    ("accompaniment", "top_line_1"),
]


def piece(seed: int, notes: int = 60) -> Performance:
    """Return chords and runs of two hands, with pedal."""
    rng = np.random.default_rng(seed)
    made = np.zeros(notes, NOTE)
    made["onset_s"] = np.cumsum(rng.choice([0.0, 0.004, 0.12, 0.25, 0.5], notes))
    made["duration_s"] = rng.uniform(0.05, 0.9, notes)
    made["pitch"] = np.where(np.arange(notes) % 2, 72, 48) + rng.integers(-9, 10, notes)
    made["velocity"] = rng.integers(1, 128, notes)
    pedals = np.zeros(10, PEDAL)
    pedals["time_s"], pedals["down"] = np.linspace(0.1, 9.0, 10), np.arange(10) % 2 == 0
    return Performance(sort_notes(made), pedals)


def exercise_of(task: str, performance: Performance, seed: int = 5) -> Exercise:
    return pose(task, performance, np.random.default_rng(seed))


def own_pitches(task: str, performance: Performance) -> list[int]:
    exercise = exercise_of(task, performance)
    return [int(pitch) for pitch in performance.notes["pitch"][exercise.roles == Role.OWN]]


def chord(*pitches: int, onset_s: float = 0.0, duration_s: float = 0.5) -> NoteArray:
    notes = np.zeros(len(pitches), NOTE)
    notes["onset_s"], notes["duration_s"], notes["pitch"], notes["velocity"] = onset_s, duration_s, pitches, 64
    return notes


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("seed", [0, 1])
def test_given_and_asked_are_the_original(task: str, seed: int) -> None:
    performance = piece(seed)
    before = performance.notes.copy()
    exercise = exercise_of(task, performance, seed)
    assert exercise.task == task
    assert exercise.performance.notes.tobytes() == before.tobytes()
    assert exercise.roles.shape == performance.notes.shape
    assert exercise.pedal_roles.shape == performance.pedals.shape
    assert set(exercise.roles) | set(exercise.pedal_roles) <= {Role.OWN, Role.GIVEN}
    assert exercise.asked_notes + exercise.given_notes == performance.notes.size


@pytest.mark.parametrize("task", TASKS)
def test_one_seed_is_one_task(task: str) -> None:
    one, other = (exercise_of(task, piece(3), seed=9) for _ in range(2))
    assert np.array_equal(one.roles, other.roles)
    assert np.array_equal(one.pedal_roles, other.pedal_roles)
    assert (one.preview is None) == (other.preview is None)
    if one.preview and other.preview:
        assert one.preview.notes.tobytes() == other.preview.notes.tobytes()
    assert one.gaps == other.gaps


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("notes", [0, 1, 2])
def test_too_little_music_is_no_error(task: str, notes: int) -> None:
    exercise = exercise_of(task, Performance(piece(0).notes[:notes]))
    assert exercise.roles.size == notes


@pytest.mark.parametrize("task", FILL_TASKS)
def test_a_fill_previews_exactly_what_is_given(task: str) -> None:
    exercise = exercise_of(task, piece(2))
    if task == "duet":
        assert exercise.preview is None
        return
    assert exercise.preview is not None
    assert exercise.preview.notes.tobytes() == exercise.performance.notes[exercise.roles == Role.GIVEN].tobytes()


@pytest.mark.parametrize("task", REPAIR_TASKS)
def test_a_repair_asks_for_all_and_shows_as_many_notes(task: str) -> None:
    exercise = exercise_of(task, piece(2))
    assert exercise.given_notes == 0
    assert exercise.preview is not None
    shown = exercise.preview.notes
    assert shown.size == exercise.performance.notes.size
    assert ((shown["velocity"] >= 1) & (shown["velocity"] <= 127)).all()
    assert ((shown["pitch"] >= LOWEST_PITCH) & (shown["pitch"] <= HIGHEST_PITCH)).all()
    assert (np.diff(shown["onset_s"]) >= 0).all()
    assert (exercise.asked is Asked.VELOCITIES) == task.endswith("velocity")


@pytest.mark.parametrize(("one", "other"), COMPLEMENTS)
def test_the_two_sides_of_a_border_share_nothing_and_leave_nothing(one: str, other: str) -> None:
    performance = piece(4)
    assert np.array_equal(exercise_of(one, performance).roles, 1 - exercise_of(other, performance).roles)


@settings(max_examples=60)
@given(st.sampled_from(TASKS), st.integers(0, 2**32), st.integers(0, 80))
def test_any_task_on_any_music(task: str, seed: int, notes: int) -> None:
    performance = piece(seed, notes)
    exercise = exercise_of(task, performance, seed)
    assert exercise.asked_notes + exercise.given_notes == notes


def test_lines_are_peeled_one_after_the_other() -> None:
    music = Performance(np.concatenate([chord(48, 55, 64, 72), chord(50, 57, 65, 74, onset_s=1.0)]))
    assert own_pitches("top_line_1", music) == [72, 74]
    assert own_pitches("top_line_2", music) == [64, 72, 65, 74]
    assert own_pitches("bottom_line_1", music) == [48, 50]
    assert own_pitches("bottom_line_3", music) == [48, 55, 64, 50, 57, 65]
    assert own_pitches("inner_voices", music) == [55, 64, 57, 65]
    assert own_pitches("accompaniment", music) == [48, 55, 64, 50, 57, 65]


def test_a_held_note_covers_what_is_played_below_it() -> None:
    music = Performance(np.concatenate([chord(76, duration_s=1.0), chord(60, onset_s=0.5), chord(62, onset_s=1.2)]))
    assert own_pitches("top_line_1", music) == [76, 62]


def test_the_first_note_of_a_chord_is_given() -> None:
    arpeggio = np.concatenate([chord(60 + step, onset_s=1 + step * 0.01) for step in range(3)])
    music = Performance(np.concatenate([chord(48, 52, 55), chord(40, 60, onset_s=0.5), arpeggio]))
    assert own_pitches("chord_rest", music) == [52, 55]


@given(st.integers(0, 2**32))
def test_a_stride_keeps_as_many_as_it_drops(seed: int) -> None:
    roles = exercise_of("stride", piece(0, 64), seed).roles
    runs = np.diff(np.flatnonzero(np.diff(roles.astype(int), prepend=-1, append=-1)))
    assert len(set(runs[1:-1])) <= 1
    assert runs.max() <= 8


@given(st.integers(0, 2**32))
def test_a_gap_asks_for_all_that_begins_in_it(seed: int) -> None:
    performance = piece(1, 120)
    exercise = exercise_of("gap", performance, seed)
    onset_s = performance.notes["onset_s"]
    inside = np.zeros(onset_s.size, np.bool_)
    for gap in exercise.gaps:
        assert GAP_S[0] <= gap.end_s - gap.start_s <= GAP_S[1]
        inside |= (onset_s >= gap.start_s) & (onset_s < gap.end_s)
    assert np.array_equal(exercise.roles == Role.OWN, inside)


def test_true_hands_are_believed() -> None:
    performance = piece(6)
    right = np.arange(performance.notes.size) % 3 == 0
    exercise = pose("right_hand", performance, np.random.default_rng(0), right=right)
    assert np.array_equal(exercise.roles == Role.OWN, right)
    with pytest.raises(ValueError, match="60 notes"):
        pose("right_hand", performance, np.random.default_rng(0), right=right[:3])


def test_hands_that_are_far_apart_are_told_apart() -> None:
    performance = piece(7, 200)
    right = exercise_of("right_hand", performance).roles == Role.OWN
    assert np.array_equal(right, performance.notes["pitch"] > 60)


def shown(task: str, performance: Performance) -> NoteArray:
    preview = exercise_of(task, performance).preview
    assert preview is not None
    return preview.notes


def test_noise_is_as_strong_as_its_name_says() -> None:
    even = np.zeros(4000, NOTE)
    even["onset_s"], even["duration_s"] = np.arange(4000) * 10.0, 0.1
    even["pitch"], even["velocity"] = 64, 64
    music = Performance(even)
    assert np.std(shown("denoise_velocity", music)["velocity"]) == pytest.approx(30, rel=0.1)
    assert np.std(shown("clean_pitch", music)["pitch"]) == pytest.approx(5, rel=0.1)
    for task in ("clean_onset", "clean_time", "clean_all"):
        off_s = shown(task, music)["onset_s"] - even["onset_s"]
        assert np.std(off_s) == pytest.approx(0.3, rel=0.1)
        assert np.abs(off_s).max() <= ONSET_MARGIN_S + 1e-9


def test_a_flat_score_is_even_and_without_touch() -> None:
    preview = exercise_of("perform_flat", piece(9)).preview
    assert preview is not None
    assert preview.clock is PreviewClock.ORDER
    assert preview.notes["pitch"].tolist() == piece(9).notes["pitch"].tolist()
    assert np.diff(preview.notes["onset_s"]) == pytest.approx(FLAT_INTERVAL_S)
    assert set(preview.notes["velocity"]) == {80}


def test_a_steady_tempo_is_found() -> None:
    rng = np.random.default_rng(1)
    places = np.cumsum(rng.choice([1, 2, 3, 4], 80))
    place, sixteenth_s = sixteenths(places * 0.125 + rng.normal(0, 0.004, 80))
    assert sixteenth_s == pytest.approx(0.125, rel=0.05)
    assert place.tolist() == (places - places[0]).tolist()


def test_an_unknown_task_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"no task 'sing'.*continue.*gap.*velocity"):
        exercise_of("sing", piece(0))
