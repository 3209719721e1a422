"""The piano part of a file: which notes are it, and how changed ones go back."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from piano.errors import MidiFileError
from piano.midi.document import MidiDocument
from piano.midi.file import read_performance, read_tracks
from piano.midi.piano_part import ALWAYS, PianoPart, without_doubles
from piano.notes import NOTE, PEDAL, Performance
from tests.support.midi_files import meta, midi_file, note, song, track, track_bodies


def part_of(data: bytes, *wanted: str) -> PianoPart:
    return PianoPart.of(MidiDocument.read(data, name="song.mid"), wanted)


def test_the_part_is_the_keyboards_of_a_song() -> None:
    part = part_of(song())
    assert part.slots == {(2, 0), (3, 1)}
    assert (part.performance.notes.size, part.left_out, part.channel) == (18, 1, 0)
    assert part.performance.pedals["down"].tolist() == [True, False]


def test_where_no_channel_is_a_keyboard_all_but_the_drums_are() -> None:
    data = midi_file(track((0, b"\xc0\x30"), *note(0, 60, 50, 9), *note(9, 40, 50, 9), *note(3, 61, 50, 9)))
    assert part_of(data).slots == {(0, 3)}  # a channel that is told nothing is a piano
    data = midi_file(track((0, b"\xc0\x30"), *note(0, 60, 50, 9), *note(9, 40, 50, 9)))
    assert part_of(data).slots == {(0, 0)}


def test_tracks_are_chosen_by_number_or_name() -> None:
    assert part_of(song(), "4").slots == {(3, 1)}
    assert part_of(song(), "RIGHT", "5").slots == {(2, 0), (4, 2)}
    assert part_of(song(), "piano").slots == {(2, 0), (3, 1)}
    with pytest.raises(MidiFileError, match=r"song\.mid: there is no track 'organ' in it; there are: 1 \(Song\), 2"):
        part_of(song(), "organ")
    with pytest.raises(MidiFileError, match="no note in the tracks 2"):
        part_of(song(), "2")


def test_a_track_on_channel_10_that_is_asked_for_can_be_worked_on() -> None:
    pedal = ((0, b"\xb9\x40\x7f"), (400, b"\xb9\x40\x00"))
    piano = track((0, meta(0x03, b"Piano")), (0, b"\xc9\x00"), *note(9, 60, 50, 480), *note(9, 64, 60, 480), *pedal)
    data = midi_file(piano)
    with pytest.raises(MidiFileError, match="drums on channel 10 do not count"):
        part_of(data)
    part = part_of(data, "Piano")
    assert part.performance.notes["pitch"].tolist() == [60, 64]
    assert part.performance.pedals["down"].tolist() == [True, False]
    assert part.channel == 9
    louder = part.with_velocities(np.array([90, 91], np.uint8))
    assert louder.struck["velocity"].tolist() == [90, 91]
    assert PianoPart.of(part.replaced_by(part.performance), ["Piano"]).performance.notes.size == 2


@pytest.mark.parametrize("first_is_piano", [True, False])
def test_a_program_that_changes_within_a_track_changes_who_plays(*, first_is_piano: bool) -> None:
    programs = (0, 49) if first_is_piano else (49, 0)
    body = track(
        (0, bytes((0xC0, programs[0]))),
        *(event for step in range(4) for event in note(0, 60 + step, 50, 100)),
        (0, bytes((0xC0, programs[1]))),
        *(event for step in range(4) for event in note(0, 60 + step, 80, 100)),
    )
    part = part_of(midi_file(body))
    assert part.performance.notes["velocity"].tolist() == [50 if first_is_piano else 80] * 4
    assert part.left_out == 4
    softer = part.with_velocities(np.full(4, 20, np.uint8)).struck
    assert softer["velocity"].tolist() == ([20] * 4 + [80] * 4 if first_is_piano else [50] * 4 + [20] * 4)
    without = part.without(np.ones(4, np.bool_)).struck
    assert without[["velocity", "onset", "end"]].tolist() == [
        tuple(strike)
        for strike in part.document.struck[["velocity", "onset", "end"]].tolist()
        if strike[0] == (80 if first_is_piano else 50)
    ]


def test_tracks_that_share_a_channel_are_each_played_by_their_own_program() -> None:
    piano = track((0, b"\xc0\x00"), *note(0, 60, 50, 100))
    strings = track((0, b"\xc0\x30"), *note(0, 72, 50, 100))
    nobody = track(*note(0, 48, 50, 100, 10))
    part = part_of(midi_file(piano, strings, nobody))
    assert part.slots == {(0, 0)}


def test_velocities_of_one_track_leave_the_others_byte_for_byte() -> None:
    part = part_of(song(), "right")
    velocities = part.performance.notes["velocity"].copy()
    velocities[3] = 11
    after = part.with_velocities(velocities)
    assert sum(old != new for old, new in zip(song(), after.to_bytes(), strict=True)) == 1
    assert part_of(after.to_bytes(), "right").performance.notes["velocity"].tolist() == velocities.tolist()
    assert part.with_velocities(part.performance.notes["velocity"]).to_bytes() == song()


def test_doubles_of_a_key_get_one_velocity() -> None:
    data = midi_file(track(*note(0, 60, 50, 480)), track(*note(0, 60, 70, 480, wait=5)))
    after = part_of(data).with_velocities(np.array([99], np.uint8))
    assert after.struck["velocity"].tolist() == [99, 99]


@settings(max_examples=60)
@given(track_bodies(), st.randoms(use_true_random=False))
def test_notes_that_stay_sound_as_before(body: bytes, random: object) -> None:
    data = midi_file(body)
    try:
        part = part_of(data)
    except MidiFileError:
        return
    doomed = np.array([random.random() < 0.5 for _ in part.performance.notes])  # type: ignore[attr-defined]
    after = part.without(doomed)
    stays = part.performance.notes[~doomed]
    if not stays.size:
        assert not after.struck.size
        return
    left = part_of(after.to_bytes()).performance
    assert left.notes[["pitch", "velocity"]].tolist() == stays[["pitch", "velocity"]].tolist()
    np.testing.assert_allclose(left.notes["onset_s"], stays["onset_s"], atol=1e-9)
    np.testing.assert_allclose(left.pedals["time_s"], part.performance.pedals["time_s"], atol=1e-9)


def test_a_note_that_was_cut_short_by_one_that_goes_still_ends_there() -> None:
    body = bytes.fromhex("00 90 3C 40  40 90 3C 50  40 80 3C 40  40 80 3C 40") + track()
    part = part_of(midi_file(body))
    before = part.performance.notes["duration_s"].tolist()
    after = part.without(np.array([False, True])).struck
    assert after[["onset", "end"]].tolist() == [(0, 64)]
    first_goes = part.without(np.array([True, False]))
    assert part_of(first_goes.to_bytes()).performance.notes["duration_s"].tolist() == [pytest.approx(before[1])]


def test_the_pedal_goes_where_it_is_told_to() -> None:
    part = part_of(song())
    down_s, up_s = part.performance.pedals["time_s"].tolist()
    nobody = np.zeros(part.performance.notes.size, np.bool_)
    assert part.without(nobody, [(down_s + 0.1, up_s - 0.1)]).to_bytes() == song()
    gone = part_of(part.without(nobody, ALWAYS).to_bytes())
    assert gone.performance.pedals.size == 0
    assert gone.performance.notes.tolist() == part.performance.notes.tolist()


def test_a_performance_takes_the_place_of_the_part_and_of_nothing_else() -> None:
    part = part_of(song())
    notes = part.performance.notes.copy()
    notes["onset_s"] += 0.013
    notes["velocity"] = 33
    pedals = np.array([(0.5, True), (2.0, False)], PEDAL)
    after = part.replaced_by(Performance(notes, pedals))
    was = [one.body for one in part.document.tracks]
    assert [one.body == old for one, old in zip(after.tracks, was, strict=True)] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]
    again = part_of(after.to_bytes())
    np.testing.assert_allclose(again.performance.notes["onset_s"], notes["onset_s"], atol=0.002)
    assert again.performance.notes[["pitch", "velocity", "track"]].tolist() == (
        notes[["pitch", "velocity", "track"]].tolist()
    )
    np.testing.assert_allclose(again.performance.pedals["time_s"], [0.5, 2.0], atol=0.002)
    assert b"\xb1\x07\x64" in after.tracks[3].body  # the left hand's volume stays


def test_a_new_part_has_a_track_of_its_own_on_the_parts_channel() -> None:
    part = part_of(song(), "left")
    made = Performance(np.array([(1.0, 0.5, 90, 70, 0)], NOTE))
    after = part.with_new_part(part.document, "added", made).to_bytes()
    assert after[14 : len(song()) - 8] == song()[14:-8]
    added = read_tracks(after)[-1]
    assert added.name == "added"
    assert added.performance.notes[["pitch", "velocity"]].tolist() == [(90, 70)]
    np.testing.assert_allclose(added.performance.notes["onset_s"], 1.0, atol=0.001)
    assert MidiDocument.read(after).struck["channel"][-1] == 1
    assert read_performance(after).notes.size == read_performance(song()).notes.size + 1


def test_times_of_new_notes_go_through_frames_too() -> None:
    data = midi_file(track(*note(0, 60, 50, 25)), division=0xE728)  # 25 frames of 40 ticks
    made = Performance(np.array([(1.0, 0.5, 90, 70, 0)], NOTE))
    part = part_of(data)
    struck = part.with_new_part(part.document, "added", made).struck
    assert struck[["onset", "end"]].tolist()[-1] == (1000, 1500)


def test_a_key_that_is_struck_already_is_not_struck_again() -> None:
    kept = np.array([(1.0, 0.5, 60, 70, 0)], NOTE)
    new = np.array([(0.98, 0.5, 60, 70, 0), (1.0, 0.5, 61, 70, 0), (1.1, 0.5, 60, 70, 0)], NOTE)
    assert without_doubles(new, kept)["onset_s"].tolist() == [1.0, 1.1]


def sound_of(
    part: PianoPart, end_s: float, silent_s: float
) -> tuple[list[tuple[int, int, int]], list[tuple[int, ...]]]:
    """Return what a part becomes that ends: its notes (pitch, onset, end in ticks), and its pedals' events by tick."""
    document = part.until(end_s, silent_s)
    struck = document.struck[["pitch", "onset", "end"]].tolist()
    pedals = [
        (event.tick, *track.payload(event))
        for track in document.tracks
        for event in track.events
        if event.status & 0xF0 == 0xB0 and track.payload(event)[0] in (64, 66, 67)
    ]
    return [tuple(strike) for strike in struck], pedals


TICK_S = 0.5 / 480


def test_a_pedal_that_outlasts_what_was_heard_comes_up_where_that_ends() -> None:
    tail = track((0, b"\xb0\x40\x7f"), *note(0, 60, 50, 480), (960, b"\xb0\x40\x00"), (10, b"\xb0\x40\x7f"))
    never = track(
        (0, b"\xb0\x40\x7f"), (0, b"\xb0\x42\x7f"), (0, b"\xb0\x43\x50"), *note(0, 60, 50, 480), (99, b"\xb0\x07\x64")
    )
    for body, pedals in ((tail, [64]), (never, [64, 66, 67])):
        notes, events = sound_of(part_of(midi_file(body)), np.inf, 0.5)
        assert notes == [(60, 0, 480)]
        assert [event[:2] for event in events if event[0] == 480] == [(480, pedal) for pedal in pedals]
        assert max(event[0] for event in events) == 480
        assert all(value == 0 for tick, _, value in events if tick == 480)


def test_keys_and_pedal_that_are_down_at_the_end_come_up_there() -> None:
    body = track(
        (0, b"\xb0\x40\x7f"),
        (0, b"\x90\x3c\x40"),
        (100, b"\x90\x40\x40"),
        (300, b"\x80\x3c\x40"),
        (100, b"\x90\x43\x40"),
        (100, b"\x80\x40\x40"),
        (0, b"\x80\x43\x40"),
        (10, b"\xb0\x40\x00"),
    )
    strings = track((0, b"\xc5\x30"), *note(5, 72, 50, 5000))
    notes, pedals = sound_of(part_of(midi_file(body, strings)), 450 * TICK_S, 450 * TICK_S)
    assert notes == [(60, 0, 400), (64, 100, 450), (72, 0, 5000)]
    assert pedals == [(0, 64, 127), (450, 64, 0)]


@settings(max_examples=60, deadline=None)
@given(st.lists(track_bodies(), min_size=1, max_size=2), st.integers(0, 2000))
@example([bytes.fromhex("1490 3c01 1490 3c01 003c 0000 ff2f 00".replace(" ", ""))], 21)  # one note, struck twice
def test_wherever_it_ends_nothing_of_the_part_sounds_on(bodies: list[bytes], tick: int) -> None:
    try:
        part = part_of(midi_file(*bodies))
    except MidiFileError:
        return
    document = part.until(tick * TICK_S, tick * TICK_S)
    again = PianoPart.of(document) if (document.struck["channel"] != 9).any() else None
    before = part.performance.notes
    kept = before[before["onset_s"] < tick * TICK_S - 1e-9]
    assert again is None or again.performance.end_s <= tick * TICK_S + 0.0011
    assert (0 if again is None else again.performance.notes.size) == kept.size
    assert again is None or not again.performance.pedals["down"][-1:].any()


def test_what_lies_off_the_keys_stays_as_it_is() -> None:
    part = part_of(midi_file(track(*note(0, 60, 50, 100), *note(0, 115, 50, 100), *note(0, 12, 50, 100, 20))))
    within = part.on_the_keys()
    assert within.performance.notes["pitch"].tolist() == [60]
    moved = within.performance.notes.copy()
    moved["pitch"] = 64
    assert within.replaced_by(Performance(moved)).struck["pitch"].tolist() == [64, 115, 12]
    with pytest.raises(MidiFileError, match=r"song\.mid: none of its notes lies on the 88 keys"):
        part_of(midi_file(track(*note(0, 120, 50, 100)))).on_the_keys()
