"""A MIDI file event by event: it comes back as it was, and a change changes nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.errors import MidiFileError
from piano.midi.document import MidiDocument
from piano.midi.events import NewEvent, new_track, read_events
from piano.midi.file import read_performance, read_tracks
from piano.midi.one_piano import merge_notes
from piano.midi.piano_part import PianoPart
from piano.midi.scan import variable_length
from tests.support.midi_files import END, midi_file, note, song, track, track_bodies


def bodies_of(data: bytes) -> list[bytes]:
    return [part.body for part in MidiDocument.read(data).tracks]


@settings(max_examples=40)
@given(st.lists(track_bodies(), min_size=1, max_size=3), st.sampled_from([0, 1, 2]), st.sampled_from([96, 0xE728]))
def test_a_file_comes_back_byte_for_byte(bodies: list[bytes], file_type: int, division: int) -> None:
    data = midi_file(*bodies, file_type=file_type, division=division, behind=b"MTrk what is not declared")
    document = MidiDocument.read(data)
    assert document.to_bytes() == data
    assert [part.edited(frozenset()).body for part in document.tracks] == bodies


def test_a_song_with_everything_in_it_comes_back_byte_for_byte() -> None:
    document = MidiDocument.read(song())
    assert document.to_bytes() == song()
    assert [part.name for part in document.tracks] == ["Song", "Words", "Piano right", "Piano left", "", ""]


@settings(max_examples=40)
@given(st.lists(track_bodies(), min_size=1, max_size=3), st.sampled_from([1, 2]), st.sampled_from([96, 480, 0xE728]))
def test_its_notes_are_those_that_the_reader_finds(bodies: list[bytes], file_type: int, division: int) -> None:
    data = midi_file(*bodies, file_type=file_type, division=division)
    document = MidiDocument.read(data)
    for index, read in enumerate(read_tracks(data)):
        struck = document.struck[document.struck["track"] == index]
        ours = np.zeros(struck.size, read.performance.notes.dtype)
        seconds = document.clocks[index].seconds
        ours["onset_s"] = seconds(struck["onset"])
        ours["duration_s"] = seconds(struck["end"]) - ours["onset_s"]
        for column in ("pitch", "velocity", "track"):
            ours[column] = struck[column]
        merged, theirs = merge_notes(ours), read.performance.notes
        assert merged[["pitch", "velocity"]].tolist() == theirs[["pitch", "velocity"]].tolist()
        np.testing.assert_allclose(merged["onset_s"], theirs["onset_s"], atol=1e-9)
        np.testing.assert_allclose(merged["duration_s"], theirs["duration_s"], atol=1e-9)


@settings(max_examples=40)
@given(st.lists(track_bodies(), min_size=1, max_size=3))
def test_the_whole_part_is_the_performance_that_the_reader_finds(bodies: list[bytes]) -> None:
    data = midi_file(*bodies)
    try:
        read = read_performance(data)
    except MidiFileError:
        with pytest.raises(MidiFileError, match="no note"):
            PianoPart.of(MidiDocument.read(data))
        return
    ours = PianoPart.of(MidiDocument.read(data)).performance
    np.testing.assert_array_equal(ours.notes["pitch"], read.notes["pitch"])
    np.testing.assert_allclose(ours.notes["onset_s"], read.notes["onset_s"], atol=1e-9)
    np.testing.assert_allclose(ours.notes["duration_s"], read.notes["duration_s"], atol=1e-9)
    np.testing.assert_array_equal(ours.pedals["down"], read.pedals["down"])
    np.testing.assert_allclose(ours.pedals["time_s"], read.pedals["time_s"], atol=1e-9)


@settings(max_examples=40)
@given(st.lists(track_bodies(), min_size=1, max_size=2), st.integers(1, 127), st.randoms(use_true_random=False))
def test_velocities_change_in_place_and_nothing_else(bodies: list[bytes], velocity: int, random: object) -> None:
    document = MidiDocument.read(midi_file(*bodies))
    places = [(int(strike["track"]), int(strike["event"])) for strike in document.struck]
    chosen = {place: velocity for place in places if random.random() < 0.5}  # type: ignore[attr-defined]
    changed = document.with_velocities(chosen)
    before, after = document.to_bytes(), changed.to_bytes()
    assert len(before) == len(after)
    assert sum(old != new for old, new in zip(before, after, strict=True)) <= len(chosen)
    again = MidiDocument.read(after).struck
    for strike, was in zip(again, document.struck, strict=True):
        expected = velocity if (int(was["track"]), int(was["event"])) in chosen else was["velocity"]
        assert strike["velocity"] == expected
    assert again[["track", "event", "pitch", "onset", "end"]].tolist() == (
        document.struck[["track", "event", "pitch", "onset", "end"]].tolist()
    )


@settings(max_examples=40)
@given(track_bodies(), st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=6), st.data())
def test_events_that_stay_keep_their_ticks_and_bytes(
    body: bytes, ticks: list[tuple[int, bool]], data: st.DataObject
) -> None:
    before = read_events(body, 0)
    last = len(before.events) - 1  # the end of the track
    dropped = data.draw(st.sets(st.integers(0, max(last - 1, 0)), max_size=8)) - {last}
    new = [NewEvent(tick, first, b"\xa5\x01\x02") for tick, first in ticks]
    after = before.edited(dropped, new)
    kept = [event for index, event in enumerate(before.events[:-1]) if index not in dropped]
    ours = [event for event in after.events[:-1] if event.status != 0xA5]
    assert [(event.tick, event.status, before.payload(event)) for event in kept] == [
        (event.tick, event.status, after.payload(event)) for event in ours
    ]
    assert sorted(event.tick for event in after.events if event.status == 0xA5) == sorted(tick for tick, _ in ticks)
    assert after.body.endswith(END)
    assert after.end_tick == max([before.end_tick, *(tick for tick, _ in ticks)])


def test_a_status_that_ran_on_is_said_where_what_it_ran_on_goes() -> None:
    body = bytes.fromhex("00 90 3C 40  10 3C 00  00 FF 01 00  05 3E 40  10 3E 00") + track()
    after = read_events(body, 0).edited({0, 1})
    assert after.body == bytes.fromhex("10 FF 01 00  05 90 3E 40  10 3E 00") + track()


def test_a_new_track_stands_behind_the_others_which_stay() -> None:
    before = song()
    new = new_track("left hand", [NewEvent(480, False, b"\x90\x30\x40"), NewEvent(960, True, b"\x80\x30\x40")])
    after = MidiDocument.read(before).with_new_track(new).to_bytes()
    assert after[:10] == before[:10]
    assert int.from_bytes(after[10:12]) == 7
    assert after[12:].startswith(before[12 : -len(b"and more")])
    assert after.endswith(b"and more")
    assert bodies_of(after)[:6] == bodies_of(before)
    [added] = read_tracks(after)[6:]
    assert added.name == "left hand"
    assert added.performance.notes[["onset_s", "duration_s"]].tolist() == [pytest.approx((0.6, 0.6))]


def test_a_type_0_file_becomes_type_1_only_where_a_track_is_added() -> None:
    data = midi_file(track(*note(0, 60, 50, 480)), file_type=0)
    document = MidiDocument.read(data)
    assert document.with_velocities({(0, 0): 99}).to_bytes()[9] == 0
    assert document.with_new_track(new_track("more", [])).to_bytes()[8:12] == bytes((0, 1, 0, 2))
    patterns = MidiDocument.read(midi_file(track(*note(0, 60, 50, 480)), file_type=2))
    with pytest.raises(MidiFileError, match=r"type 2.*save it as a type 1 file"):
        patterns.with_new_track(new_track("more", []))


def test_one_tempo_takes_the_place_of_all() -> None:
    faster = MidiDocument.read(song()).with_tempo(150.0)
    assert len(faster.to_bytes()) == len(song())
    assert faster.clocks[0].seconds(np.array([480, 4800])).tolist() == pytest.approx([0.4, 4.0])
    late = MidiDocument.read(midi_file(track((480, b"\xff\x51\x03\x07\xa1\x20"), *note(0, 60, 50, 480))))
    assert late.with_tempo(60.0).clocks[0].seconds(np.array([480, 960])).tolist() == pytest.approx([1.0, 2.0])
    frames = MidiDocument.read(midi_file(track(*note(0, 60, 50, 480)), division=0xE728))
    with pytest.raises(MidiFileError, match=r"frames.*leave --bpm away"):
        frames.with_tempo(60.0)


@given(st.lists(st.floats(0.0, 3000.0), min_size=1, max_size=20))
def test_moments_and_ticks_are_inverse(moments_s: list[float]) -> None:
    for division in (480, 0xE728):
        clock = MidiDocument.read(midi_file(track(*note(0, 60, 50, 480)), division=division)).clocks[0]
        ticks = clock.ticks(np.array(moments_s))
        np.testing.assert_array_equal(clock.ticks(clock.seconds(ticks)), ticks)
        np.testing.assert_allclose(clock.seconds(ticks), moments_s, atol=0.00055)
    song_clock = MidiDocument.read(song()).clocks[0]
    ticks = song_clock.ticks(np.array(moments_s))
    np.testing.assert_array_equal(song_clock.ticks(song_clock.seconds(ticks)), ticks)


def test_a_tempo_of_another_length_is_none() -> None:
    odd = midi_file(track((0, b"\xff\x51\x0a" + bytes(range(10))), *note(0, 60, 50, 480)))
    document = MidiDocument.read(odd)
    assert document.clocks[0].seconds(np.array([480])).tolist() == [0.5]
    assert document.with_tempo(60.0).clocks[0].seconds(np.array([480])).tolist() == [1.0]


def test_what_stands_behind_an_early_end_is_events_where_it_is_such() -> None:
    goes_on = midi_file(bytes.fromhex("00 90 3C 40 10 FF 2F 00 10 80 3C 40 00 FF 2F 00"))
    assert MidiDocument.read(goes_on).struck["end"].tolist() == [32]
    rubbish = midi_file(bytes.fromhex("00 90 3C 40 10 80 3C 40 00 FF 2F 00") + b"\x00\x00\x00")
    assert MidiDocument.read(rubbish).struck["end"].tolist() == [16]
    assert MidiDocument.read(rubbish).to_bytes() == rubbish


def test_numbers_of_variable_length() -> None:
    assert [variable_length(n).hex() for n in (0, 127, 128, 0x0FFFFFFF)] == ["00", "7f", "8100", "ffffff7f"]
    with pytest.raises(ValueError, match="not -1"):
        variable_length(-1)
