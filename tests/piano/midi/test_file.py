"""MIDI files that are read: hand-made bytes, and every kind of damage. Writing: `test_midi_round_trip.py`."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.errors import MidiFileError
from piano.midi.file import read_performance, read_tracks
from piano.midi.load import LARGEST_FILE_BYTES
from piano.notes import Performance


def header(file_type: int = 0, tracks: int = 1, division: str = "01 E0") -> str:
    """Return a header chunk in hex; the default division is 480 ticks a quarter note."""
    return f"4D 54 68 64  00 00 00 06  00 {file_type:02X}  00 {tracks:02X}  {division} "


def chunk(events: str) -> str:
    """Return a track chunk in hex, its length computed."""
    return f"4D 54 72 6B {len(bytes.fromhex(events)).to_bytes(4).hex()} {events} "


def bytes_only(annotated: str) -> str:
    """Return the hex bytes of an annotated dump: on each line what comes before the first longer word."""
    kept = []
    for line in annotated.splitlines():
        for word in line.split():
            if len(word) != 2 or not set(word) <= set("0123456789ABCDEF"):
                break
            kept.append(word)
    return " ".join(kept)


def notes_of(performance: Performance) -> list[tuple[int, int, int, int]]:
    """Return (onset in ms, end in ms, pitch, velocity) of each note, rounded."""
    return [
        (round(onset_s * 1000), round((onset_s + duration_s) * 1000), pitch, velocity)
        for onset_s, duration_s, pitch, velocity, _ in performance.notes.tolist()
    ]


def read(*parts: str) -> list[tuple[int, int, int, int]]:
    """Read a file given as hex."""
    return notes_of(read_performance(bytes.fromhex("".join(parts))))


# At 480 ticks a quarter note and the default 120 quarter notes a minute, 48 ticks (30) are 50 ms, 96 (60) are 100 ms.


def test_running_status_and_note_on_with_velocity_0() -> None:
    events = """
        00 90 3C 40     at 0 key 60 down, velocity 64
        60    40 50     100 ms later, running status: key 64 down, velocity 80
        60    3C 00     100 ms later, running status: key 60 up, as velocity 0
        60 80 40 00     100 ms later: key 64 up
        00 FF 2F 00     end of track
    """
    assert read(header(), chunk(bytes_only(events))) == [(0, 200, 60, 64), (100, 300, 64, 80)]


def test_tempo_changes_apply_to_every_track() -> None:
    tempos = """
        00    FF 51 03 07 A1 20     500,000 us a quarter note
        83 60 FF 51 03 0F 42 40     at tick 480 (500 ms): 1,000,000 us
        00    FF 2F 00
    """
    notes = """
        81 70 90 3C 40              at tick 240: 250 ms
        83 60 80 3C 00              at tick 720: 500 ms + half a quarter note of 1 s
        00    FF 2F 00
    """
    file = header(1, 2), chunk(bytes_only(tempos)), chunk(bytes_only(notes))
    assert read(*file) == [(250, 1000, 60, 64)]


def test_smpte_clock_ignores_tempi() -> None:
    events = "00 FF 51 03 0F 42 40   00 90 3C 40   64 80 3C 00   00 FF 2F 00"  # 100 ticks
    assert read(header(division="E7 28"), chunk(events)) == [(0, 100, 60, 64)]  # 25 frames of 40 ticks a second


def test_smpte_clock_of_29_frames_is_drop_frame() -> None:
    events = "00 90 3C 40   87 68 80 3C 00   00 FF 2F 00"  # 1,000 ticks
    assert read(header(division="E3 0A"), chunk(events)) == [(0, 3337, 60, 64)]  # 100 frames of 1001/30000 s


def test_type_2_plays_its_tracks_one_after_the_other() -> None:
    slow = "00 FF 51 03 0F 42 40   00 90 3C 40   83 60 80 3C 00   00 FF 2F 00"
    plain = "00 90 3E 40   60 80 3E 00   00 FF 2F 00"
    assert read(header(2, 2), chunk(slow), chunk(plain)) == [(0, 1000, 60, 64), (1000, 1100, 62, 64)]


def test_hanging_note_ends_with_the_file() -> None:
    first = "00 90 3C 40   60 90 3E 40   00 FF 2F 00"
    last = "83 60 FF 2F 00"
    assert read(header(1, 2), chunk(first), chunk(last)) == [(0, 500, 60, 64), (100, 500, 62, 64)]


def test_several_hanging_notes_of_one_pitch_end_where_the_next_begins() -> None:
    events = "00 90 3C 40   60 3C 41   60 3C 42   60 FF 2F 00"
    assert read(header(), chunk(events)) == [(0, 100, 60, 64), (100, 200, 60, 65), (200, 300, 60, 66)]


def test_pitch_struck_again_before_its_release() -> None:
    two_releases = "00 90 3C 40   60 3C 50   60 3C 00   60 3C 00   00 FF 2F 00"
    assert read(header(), chunk(two_releases)) == [(0, 100, 60, 64), (100, 200, 60, 80)]
    one_release = "00 90 3C 40   60 3C 50   60 3C 00   60 FF 2F 00"
    assert read(header(), chunk(one_release)) == [(0, 100, 60, 64), (100, 200, 60, 80)]


@pytest.mark.parametrize("order", ["60 80 3C 00   00 90 3C 50", "60 90 3C 50   00 80 3C 00"])
def test_release_and_onset_at_one_moment_in_either_order(order: str) -> None:
    events = f"00 90 3C 40   {order}   60 80 3C 00   00 FF 2F 00"
    assert read(header(), chunk(events)) == [(0, 100, 60, 64), (100, 200, 60, 80)]


def test_note_without_length_gets_a_millisecond() -> None:
    assert read(header(), chunk("00 90 3C 40   00 80 3C 00   60 FF 2F 00")) == [(0, 1, 60, 64)]


def test_doubles_across_tracks_become_one_note_of_the_first_track() -> None:
    melody = "10 90 3C 40   60 80 3C 00   00 FF 2F 00"
    piano = "00 90 3C 50   83 60 80 3C 00   00 FF 2F 00"
    performance = read_performance(bytes.fromhex(header(1, 2) + chunk(melody) + chunk(piano)))
    assert notes_of(performance) == [(0, 500, 60, 80)]
    assert performance.notes["track"].tolist() == [0]


def test_track_index_counts_track_chunks_and_names_are_kept() -> None:
    conductor = "00 FF 03 01 41   00 FF 2F 00"  # named "A", no note
    right = "00 FF 03 01 52   00 90 3C 40   60 3C 00   00 FF 2F 00"
    left = "00 FF 03 01 4C   00 90 30 40   60 30 00   00 FF 2F 00"
    tracks = read_tracks(bytes.fromhex(header(1, 3) + chunk(conductor) + chunk(right) + chunk(left)))
    assert [track.name for track in tracks] == ["A", "R", "L"]
    assert [track.performance.notes["track"].tolist() for track in tracks] == [[], [1], [2]]


def test_drums_are_left_out_and_a_file_of_drums_alone_is_refused() -> None:
    drums = "00 99 3C 40   60 89 3C 00   "
    assert read(header(), chunk(drums + "00 90 3E 40   60 80 3E 00   00 FF 2F 00")) == [(100, 200, 62, 64)]
    with pytest.raises(MidiFileError, match=r"drums\.mid: there is no note"):
        read_performance(bytes.fromhex(header() + chunk(drums + "00 FF 2F 00")), name="drums.mid")


def test_note_whose_program_changes_while_it_sounds() -> None:
    events = "00 90 3C 40   60 C0 05   60 80 3C 00   00 90 3E 40   60 3E 00   00 FF 2F 00"
    assert read(header(), chunk(events)) == [(0, 200, 60, 64), (200, 300, 62, 64)]


def test_pedal_is_down_from_64_and_repeats_are_dropped() -> None:
    events = "00 B0 40 3F   00 90 3C 40   60 B0 40 40   60 40 7F   60 40 3F   60 80 3C 00   00 FF 2F 00"
    pedals = read_performance(bytes.fromhex(header() + chunk(events))).pedals
    assert [(round(float(t), 3), bool(d)) for t, d in pedals.tolist()] == [(0.1, True), (0.3, False)]


def test_pedals_of_tracks_and_of_channels_without_notes_are_one_pedal() -> None:
    notes = "00 B0 40 7F   00 90 3C 40   83 60 80 3C 00   00 B0 40 00   00 FF 2F 00"  # down from 0 to 500 ms
    pedal = "60 B1 40 7F   87 40 B1 40 00   00 FF 2F 00"  # channel 2 has no note: down from 100 to 1100 ms
    pedals = read_performance(bytes.fromhex(header(1, 2) + chunk(notes) + chunk(pedal))).pedals
    assert [(round(float(t), 3), bool(d)) for t, d in pedals.tolist()] == [(0.0, True), (1.1, False)]


def test_bytes_after_the_end_of_track_and_after_the_file_do_not_count() -> None:
    events = "00 90 3C 40   60 80 3C 00   00 FF 2F 00   00 00 00 00"
    assert read(header(), chunk(events), "00 00 00") == [(0, 100, 60, 64)]


def test_events_after_an_early_end_of_track_count() -> None:
    events = "00 90 3C 40   60 FF 2F 00   60 90 3C 00   00 FF 2F 00"
    assert read(header(), chunk(events)) == [(0, 200, 60, 64)]


def test_foreign_chunks_and_a_missing_end_of_track_are_tolerated() -> None:
    foreign = "58 46 49 48 00 00 00 02 01 02 "
    assert read(header(), foreign, chunk("00 90 3C 40   60 80 3C 00")) == [(0, 100, 60, 64)]


GOOD = header() + chunk("00 90 3C 40   60 80 3C 00   00 FF 2F 00")


@pytest.mark.parametrize(
    ("damaged", "fault"),
    [
        ("", "the file is empty"),
        ("52 49 46 46 00 00 00 00", "not a MIDI file"),
        ("4D 54 68 64 00 00 00 06 00 00", "cut off after 10 of 14 bytes"),
        (header(division="00 00") + chunk("00 FF 2F 00"), "0 ticks per quarter note"),
        (header(division="F1 28") + chunk("00 FF 2F 00"), "15 frames"),
        (header(1, 2) + chunk("00 FF 2F 00"), "declares 2 tracks, and there is 1.*there is no note"),
        (header(0, 0), "no track"),
        ("4D 54 68 64 00 00 00 06 00 01 FF FF 01 E0", "no track"),
        (header() + chunk("00 3C 40   00 FF 2F 00"), "track 1 begins within an event.*there is no note"),
        (header() + chunk("00 FF 01 20 41"), "track 1"),
        (header() + chunk("00 90 3C 40 " + "FF FF FF 7F 90 3C 40 " * 7), "hours"),
        (header() + chunk("00 90 3C 40 " + "FF FF FF 7F 90 3C 40 " * 9), "hours"),
    ],
)
def test_damage_is_named_with_the_file(damaged: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.mid"
    file.write_bytes(bytes.fromhex(damaged))
    with pytest.raises(MidiFileError, match=rf"broken\.mid: .*{fault}"):
        read_performance(file)


@given(st.binary(max_size=60), st.integers(0, len(bytes.fromhex(GOOD))), st.integers(0, 8))
@settings(max_examples=100, deadline=None)
def test_damage_never_raises_anything_else(noise: bytes, at: int, removed: int) -> None:
    good = bytes.fromhex(GOOD)
    with contextlib.suppress(MidiFileError):
        read_performance(good[:at] + noise + good[at + removed :])


def test_file_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "large.mid"
    with file.open("wb") as sparse:
        sparse.truncate(LARGEST_FILE_BYTES + 1)
    with pytest.raises(MidiFileError, match=r"large\.mid: .* too many"):
        read_performance(file)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MidiFileError, match=r"nothing\.mid: cannot be read"):
        read_performance(tmp_path / "nothing.mid")
