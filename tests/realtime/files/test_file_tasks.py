"""Tasks on one file: what is asked of the model, and what its answer changes in the file."""

from typing import Any

import numpy as np
import pytest

from piano.errors import MidiFileError
from piano.events import Role
from piano.midi.document import MidiDocument
from piano.midi.file import read_performance, read_tracks
from piano.midi.piano_part import PianoPart
from piano.notes import NOTE, PEDAL, Performance
from piano.solve.solver import Solution
from piano.tasks.exercise import Asked, PreviewClock
from piano.tokens.vocabulary import FILL_TASKS
from realtime.files.file_tasks import pose_file
from realtime.files.fill_choices import BAND, GAP, KEPT
from realtime.files.posed import Posed, TaskOutcome, TaskSettings
from realtime.files.task_requests import CleanRequest, FillRequest, PerformRequest, TaskRequest, VelocitiesRequest
from tests.support.midi_files import midi_file, note, song, track

STEPS = [event for step in range(16) for event in note(0, 48 + 3 * (step % 8), 30 + 5 * step, 200, 40)]
SOLO = midi_file(track(*STEPS))


def chords() -> bytes:
    """Return a track of a melody over a middle voice, chords and a bass, no two steps alike."""
    events: list[tuple[int, bytes]] = []
    for step in range(16):
        keys = (36 + step % 5, 52 + step % 3, 55 + step % 3, 60 + step % 4, 74 + step % 7)[:: 1 + step % 2]
        events += [(0, bytes((0x90, key, 30 + 5 * step + index))) for index, key in enumerate(keys)]
        events.append((40 + 20 * (step % 4), bytes((0x80, keys[0], 0))))
        events += [(0, bytes((0x80, key, 0))) for key in keys[1:]]
    return track(*events)


TEXTURE = midi_file(chords())
NEW = Performance(np.array([(1.01, 0.2, 90, 70, 0), (2.0, 0.5, 91, 71, 0)], NOTE), np.array([(1.0, True)], PEDAL))


def pose(wish: TaskRequest, data: bytes = SOLO, strength: float = 0.5) -> Posed:
    return pose_file(MidiDocument.read(data, name="song.mid"), wish, TaskSettings(strength=strength), seed=3)


def fill(data: bytes = TEXTURE, **wishes: Any) -> Posed:
    return pose(FillRequest(files=("song.mid",), **wishes), data)


def answered(posed: Posed, *performances: Performance) -> TaskOutcome:
    return posed.outcome([Solution(performance, 0.0, 1) for performance in performances])


def test_every_fill_task_has_a_wish() -> None:
    assert sorted((*KEPT.values(), BAND, GAP)) == sorted(FILL_TASKS)


@pytest.mark.parametrize("keep", [name for name in KEPT if name != "part"])
def test_what_is_kept_stays_and_the_rest_makes_room(keep: str) -> None:
    posed = fill(keep=keep)
    [exercise] = posed.exercises
    assert exercise.task == KEPT[keep]
    assert exercise.preview is not None
    kept = exercise.performance.notes[exercise.roles == Role.GIVEN]
    np.testing.assert_array_equal(exercise.preview.notes, kept)
    made = answered(posed, NEW).document
    before, after = read_tracks(made.to_bytes())
    assert after.name == f"{KEPT[keep].replace('_', ' ')} (pianod)"
    assert after.performance.notes["pitch"].tolist() == [90, 91]
    np.testing.assert_allclose(before.performance.notes["onset_s"], kept["onset_s"], atol=1e-9)
    assert before.performance.notes["pitch"].tolist() == kept["pitch"].tolist()


def test_without_replacing_the_file_stays_byte_for_byte() -> None:
    made = answered(fill(keep="soft", replace=False), NEW).document.to_bytes()
    assert made[14:].startswith(TEXTURE[14:])


def test_a_song_is_filled_and_all_else_in_it_stays_byte_for_byte() -> None:
    posed = fill(song(), keep="right")
    [exercise] = posed.exercises
    assert (exercise.roles == Role.GIVEN).sum() == 12  # the hands are told by the names of their tracks
    assert (exercise.pedal_roles == Role.GIVEN).all()
    document = MidiDocument.read(song())
    made = answered(posed, NEW).document
    bodies, was = ([one.body for one in held.tracks] for held in (made, document))
    assert [bodies[index] == was[index] for index in range(6)] == [True, True, True, False, True, True]
    assert made.between == (*document.between[:-1], b"", document.between[-1])
    assert not made.tracks[3].body.count(b"\x91")
    new = read_tracks(made.to_bytes())[-1].performance
    np.testing.assert_allclose(new.notes["onset_s"], NEW.notes["onset_s"], atol=0.001)  # through the tempo changes


def test_tracks_say_what_is_kept() -> None:
    posed = fill(song(), keep="melody", track="left")
    assert (posed.exercises[0].roles == Role.GIVEN).sum() == 6
    strings = fill(song(), keep="part", track="5", preview=False).exercises[0]
    assert (strings.roles == Role.GIVEN).sum() == 1
    assert (strings.roles.size, strings.task, strings.preview) == (19, "duet", None)


def test_a_key_that_is_kept_is_not_struck_twice() -> None:
    kept = fill(keep="soft").exercises[0].performance.notes[:1].copy()
    outcome = answered(fill(keep="soft"), Performance(kept))
    assert outcome.notes == 0


def test_gaps_are_filled_with_their_pedal() -> None:
    pedal = track((0, b"\xb0\x40\x7f"), (960, b"\xb0\x40\x00"), (240, b"\xb0\x40\x7f"), (240, b"\xb0\x40\x00"))
    data = midi_file(MidiDocument.read(SOLO).tracks[0].body, pedal)
    posed = fill(data, gap="1.1-1.4,2-2.5")
    [exercise] = posed.exercises
    assert [(gap.start_s, gap.end_s) for gap in exercise.gaps] == [(1.1, 1.4), (2.0, 2.5)]
    onset_s = exercise.performance.notes["onset_s"]
    inside = ((onset_s >= 1.1) & (onset_s < 1.4)) | ((onset_s >= 2.0) & (onset_s < 2.5))
    np.testing.assert_array_equal(exercise.roles == Role.OWN, inside)
    assert exercise.pedal_roles.tolist() == [Role.GIVEN, Role.GIVEN, Role.OWN, Role.OWN]
    made = answered(posed, NEW).document
    assert made.tracks[1].body.count(b"\xb0\x40") == 2
    pedals = read_tracks(made.to_bytes())[2].performance.pedals
    assert pedals["down"].tolist() == [True, False]  # nobody lifts it: it goes up soon after its gap
    np.testing.assert_allclose(pedals["time_s"], [1.0, 1.9], atol=0.002)


def test_a_pedal_that_is_held_over_a_gap_is_down_behind_it() -> None:
    """Kept and new pedal are on one channel: the lift behind the gap would leave the rest of the music dry."""
    held = track((0, b"\xb0\x40\x7f"), (4800, b"\xb0\x40\x00"))
    posed = fill(midi_file(MidiDocument.read(SOLO).tracks[0].body, held), gap="1-2")
    new = Performance(NEW.notes, np.array([(1.2, True), (1.6, False), (1.7, True)], NEW.pedals.dtype))
    told = answered(posed, new).document
    kept, added = (read_tracks(told.to_bytes())[number].performance.pedals for number in (1, 2))
    np.testing.assert_allclose(kept["time_s"], [0.0, 5.0], atol=0.002)
    assert added["down"].tolist() == [True, False, True, False, True, False]
    np.testing.assert_allclose(added["time_s"], [1.2, 1.6, 1.7, 2.5, 2.55, 5.0], atol=0.002)


def test_the_density_of_each_gap_is_judged_by_itself() -> None:
    posed = fill(SOLO, gap="1-2,3-4")  # four notes in each
    new = np.array([(1 + step / 8, 0.1, 60 + step, 70, 0) for step in range(8)], NOTE)
    warning = answered(posed, Performance(new)).warning
    assert warning.startswith("0 notes from 3 to 4 s are far fewer than the 4 that were asked for: another --seed")
    new["onset_s"][4:] += 1.5
    assert answered(posed, Performance(new)).warning == ""


def test_keys_are_filled_by_their_range() -> None:
    [exercise] = fill(pitches="60-64").exercises
    pitch = exercise.performance.notes["pitch"]
    np.testing.assert_array_equal(exercise.roles == Role.OWN, (pitch >= 60) & (pitch <= 64))


def test_a_part_alone_is_added_to_and_nothing_is_no_part() -> None:
    with pytest.raises(MidiFileError, match=r"song\.mid: nothing in it is kept"):
        fill(pitches="1-127")
    assert fill(midi_file(track(*note(0, 60, 50, 9))), keep="right", track="1").asked_notes == 1


def found_velocities(posed: Posed, *answers: int) -> list[int]:
    performances = []
    for exercise, velocity in zip(posed.exercises, answers, strict=True):
        notes = exercise.performance.notes.copy()
        notes["velocity"] = velocity
        performances.append(Performance(notes))
    outcome = answered(posed, *performances)
    assert outcome.shows_velocities
    return list(map(int, read_performance(outcome.document.to_bytes()).notes["velocity"]))


def velocities(data: bytes = SOLO, strength: float = 0.5, **wishes: Any) -> Posed:
    return pose(VelocitiesRequest(files=("song.mid",), **wishes), data, strength)


def test_velocities_are_found_in_place() -> None:
    posed = velocities(song())
    [exercise] = posed.exercises
    assert (exercise.task, exercise.asked) == ("clean_velocity", Asked.VELOCITIES)
    assert exercise.readings is not None
    np.testing.assert_array_equal(exercise.readings, exercise.performance.notes["velocity"])
    part = PianoPart.of(MidiDocument.read(song()))
    made = answered(posed, Performance(part.performance.notes)).document.to_bytes()
    assert made == song()
    assert velocities(noise=30).exercises[0].task == "denoise_velocity"


def test_one_velocity_for_all_is_no_reading() -> None:
    flat = midi_file(track(*note(0, 60, 64, 99), *note(0, 62, 64, 99), *note(0, 110, 64, 99)))
    for posed in (velocities(flat), velocities(from_nothing=True), velocities(strength=1.0)):
        [exercise] = posed.exercises
        assert exercise.task == "velocity"
        assert exercise.preview is not None
        assert not exercise.preview.shows_velocity
    assert found_velocities(velocities(flat), 99) == [99, 99, 64]  # what lies off the keyboard keeps its own


def test_the_strength_goes_from_the_file_to_the_answer_to_the_answer_from_nothing() -> None:
    heard = read_performance(SOLO).notes["velocity"]
    assert found_velocities(velocities(strength=0.5), 100) == [100] * 16
    assert found_velocities(velocities(strength=0.25), 100) == np.rint(heard * 0.5 + 50).astype(int).tolist()
    assert found_velocities(velocities(strength=0.75), 100, 50) == [75] * 16
    assert found_velocities(velocities(strength=0.0)) == heard.tolist()
    assert found_velocities(velocities(noise=10), 100) == np.rint(heard * 0.5 + 50).astype(int).tolist()
    live = velocities(noise=10, preview=False)
    assert live.request.preview is None
    assert live.request.reading_noise == pytest.approx(10.0)


@pytest.mark.parametrize("what", ["pitch", "onset", "time", "all"])
def test_at_no_strength_a_file_is_cleaned_byte_for_byte_as_it_was(what: str) -> None:
    posed = pose(CleanRequest(files=("song.mid",), noise_ms=80.0, **{what: True}), song(), strength=0.0)
    assert not posed.exercises
    assert answered(posed).document.to_bytes() == song()


def test_cleaned_notes_stay_in_their_tracks_and_all_else_as_it_is() -> None:
    posed = pose(CleanRequest(files=("song.mid",), onset=True, noise_ms=80.0), song())
    made, was = answered(posed).document, MidiDocument.read(song())
    changed = {index for index, (one, other) in enumerate(zip(made.tracks, was.tracks, strict=True)) if one != other}
    assert changed <= {track for track, _ in PianoPart.of(was).slots}
    before, after = PianoPart.of(was).performance, PianoPart.of(made).performance
    assert sorted(after.notes["pitch"].tolist()) == sorted(before.notes["pitch"].tolist())
    assert after.pedals.tobytes() == before.pedals.tobytes()


def test_wrong_keys_are_asked_of_the_model_and_put_in_place() -> None:
    posed = pose(CleanRequest(files=("song.mid",), pitch=True))
    [exercise] = posed.exercises
    assert exercise.task == "clean_pitch"
    assert exercise.preview is not None
    assert posed.request.evidence is not None
    assert posed.request.evidence.slips == pytest.approx(0.05)
    found = exercise.preview.notes.copy()
    found["pitch"][2] += 1
    made = read_performance(answered(posed, Performance(found)).document.to_bytes())
    assert made.notes["pitch"].tolist() == found["pitch"].tolist()


def test_velocities_alone_are_cleaned_in_place() -> None:
    posed = pose(CleanRequest(files=("song.mid",), velocity=True))
    assert posed.exercises[0].task == "clean_velocity"
    assert found_velocities(posed, 77) == [77] * 16


def test_a_score_is_played_from_where_it_begins() -> None:
    data = midi_file(
        track((960, b"\xb0\x07\x64"), *(event for key in (60, 64) for event in note(0, key, 80, 240, 240)))
    )
    posed = pose(PerformRequest(files=("song.mid",)), data)
    [exercise] = posed.exercises
    assert exercise.task == "perform_score"
    assert exercise.preview is not None
    assert exercise.preview.clock is PreviewClock.ORDER
    np.testing.assert_allclose(exercise.preview.notes["onset_s"], [0.0, 0.5])
    played = Performance(np.array([(0.1, 0.2, 60, 33, 0), (0.7, 0.2, 64, 44, 0)], NOTE))
    made = read_performance(answered(posed, played).document.to_bytes())
    np.testing.assert_allclose(made.notes["onset_s"], [1.35, 1.95], atol=0.001)
    assert made.notes["velocity"].tolist() == [33, 44]
    flat = pose(PerformRequest(files=("song.mid",), order_only=True), data).exercises[0]
    assert flat.preview is not None
    np.testing.assert_allclose(flat.preview.notes["onset_s"], [0.0, 0.2])


def test_a_score_at_another_tempo_takes_the_whole_file_along() -> None:
    posed = pose(PerformRequest(files=("song.mid",), bpm=60.0), song())
    performance = posed.exercises[0].performance
    assert performance.end_s == pytest.approx((2880 - 60) / 480)  # from the first note on
    made = answered(posed, performance).document
    assert made.clocks[0].seconds(np.array([4800]))[0] == pytest.approx(10.0)
    assert len(made.tracks[0].body) == len(MidiDocument.read(song()).tracks[0].body)


def test_what_lives_by_its_preview_keeps_it() -> None:
    with pytest.raises(MidiFileError, match="leave them on"):
        pose(PerformRequest(files=("a",), order_only=True, preview=False))


@pytest.mark.parametrize("gap", ["100-200", "1-200", "30-31"])
def test_a_gap_beyond_the_music_is_refused(gap: str) -> None:
    with pytest.raises(MidiFileError, match=r"the music ends at [\d.]+ s, and --gap .* lies beyond it"):
        fill(gap=gap)


def test_what_lies_off_the_keys_is_neither_cleaned_nor_lost() -> None:
    data = midi_file(track(*note(0, 60, 50, 480), *note(0, 115, 51, 480), *note(0, 64, 52, 480)))
    for wish in (CleanRequest(files=("x",), pitch=True), PerformRequest(files=("x",))):
        posed = pose(wish, data)
        asked = posed.exercises[0].performance
        assert asked.notes["pitch"].tolist() == [60, 64]
        struck = answered(posed, asked).document.struck
        assert sorted(struck["pitch"].tolist()) == [60, 64, 115]


def test_on_its_grid_a_score_sounds_as_it_is_played() -> None:
    posed = pose(PerformRequest(files=("song.mid",), keep_grid=True))
    written = posed.exercises[0].performance.notes
    played = written.copy()
    played["onset_s"] *= 1.1
    played["velocity"] = 33
    made = answered(posed, Performance(played)).document
    was = MidiDocument.read(SOLO)
    assert PianoPart.of(made).struck["onset"].tolist() == PianoPart.of(was).struck["onset"].tolist()
    start_s = PianoPart.of(was).performance.notes["onset_s"][0]
    np.testing.assert_allclose(PianoPart.of(made).performance.notes["onset_s"], start_s + played["onset_s"], atol=0.002)


def test_keys_that_two_tracks_strike_at_once_are_told() -> None:
    doubled = midi_file(track(*STEPS), track(*STEPS[:8]))
    for keep_grid in (False, True):
        posed = pose(PerformRequest(files=("song.mid",), keep_grid=keep_grid), doubled)
        played = posed.exercises[0].performance.notes.copy()
        played["onset_s"] += 0.05
        played["duration_s"] += 0.05
        outcome = answered(posed, Performance(played))
        assert outcome.says == "16 notes, 8 notes that strike the same key at once became 4"
        assert PianoPart.of(outcome.document).struck.size == 16
    posed = pose(PerformRequest(files=("song.mid",)))
    assert answered(posed, Performance(played)).says == ""


def test_cleaning_tells_of_keys_struck_at_once_where_it_moves_them() -> None:
    doubled = midi_file(track(*STEPS), track(*STEPS[:8]))
    posed = pose(CleanRequest(files=("song.mid",), pitch=True), doubled)
    found = posed.exercises[0].performance.notes.copy()
    assert answered(posed, Performance(found)).says == "0 pitches changed"
    found["pitch"][[0, 9]] += 1
    assert answered(posed, Performance(found)).says == (
        "2 pitches changed, 2 notes that strike the same key at once became 1"
    )


def test_at_no_strength_a_score_stays_as_it_is() -> None:
    posed = pose(PerformRequest(files=("song.mid",)), strength=0.0)
    assert answered(posed).document.to_bytes() == SOLO
