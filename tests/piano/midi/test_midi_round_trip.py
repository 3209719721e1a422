"""MIDI files that are written, by mido and by us: what we read is what others read in them, and what was written."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.errors import MidiFileError
from piano.midi.file import MidiTrack, read_tracks, write_performance
from piano.notes import NOTE, PEDAL, Performance, no_notes, sort_notes

_NOTE_PLAN = st.tuples(st.integers(0, 2000), st.integers(1, 900), st.integers(21, 108), st.integers(1, 127))
_TEMPO_PLAN = st.lists(st.tuples(st.integers(0, 2500), st.integers(100_000, 2_000_000)), max_size=6)
_TRACK_PLANS = st.lists(st.lists(_NOTE_PLAN, max_size=25), min_size=1, max_size=3)
_PEDAL_PLAN = st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 127)), max_size=20, unique_by=lambda p: p[0])


def _planned_file(
    tracks: Sequence[Iterable[tuple[int, int, int, int]]],
    tempos: Iterable[tuple[int, int]],
    pedal: Iterable[tuple[int, int]],
    ticks_per_beat: int,
) -> mido.MidiFile:
    """Return a file of mido's: type 1, tempi in the first track, each pitch of a track once, on one channel a track."""
    file = mido.MidiFile(type=1, ticks_per_beat=ticks_per_beat)
    for index, plan in enumerate(tracks):
        timed = [(tick, mido.MetaMessage("set_tempo", tempo=us)) for tick, us in dict(tempos).items() if index == 0]
        if index == 0:
            timed += [(tick, mido.Message("control_change", control=64, value=value)) for tick, value in pedal]
        for onset, length, pitch, velocity in {note[2]: note for note in plan}.values():
            timed.append((onset, mido.Message("note_on", channel=index, note=pitch, velocity=velocity)))
            timed.append((onset + length, mido.Message("note_off", channel=index, note=pitch)))
        track, now = mido.MidiTrack(), 0
        for tick, message in sorted(timed, key=lambda pair: pair[0]):
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    return file


def _as_bytes(file: mido.MidiFile) -> bytes:
    """Return a file of mido's as bytes."""
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


@given(_TRACK_PLANS, _TEMPO_PLAN, _PEDAL_PLAN, st.sampled_from([96, 480, 1000]))
@settings(max_examples=30, deadline=None)
def test_generated_files_read_as_mido_and_pretty_midi_read_them(
    plans: list[list[tuple[int, int, int, int]]],
    tempos: list[tuple[int, int]],
    pedal: list[tuple[int, int]],
    ticks_per_beat: int,
) -> None:
    file = _planned_file(plans, tempos, pedal, ticks_per_beat)
    tracks = read_tracks(_as_bytes(file))
    ours = [
        sorted((pitch, velocity, onset_s, length_s) for onset_s, length_s, pitch, velocity, _ in notes)
        for notes in (track.performance.notes.tolist() for track in tracks)
    ]
    merged_pedals = [(float(time_s), bool(down)) for time_s, down in tracks[0].performance.pedals.tolist()]

    by_mido: list[list[tuple[int, int, float, float]]] = [[] for _ in plans]
    mido_pedals: list[tuple[float, bool]] = []
    sounding: dict[tuple[int, int], tuple[float, int]] = {}
    now_s = 0.0
    for message in file:
        now_s += message.time
        if message.type == "note_on":
            sounding[message.channel, message.note] = now_s, message.velocity
        elif message.type == "note_off":
            onset_s, velocity = sounding.pop((message.channel, message.note))
            by_mido[message.channel].append((message.note, velocity, onset_s, now_s - onset_s))
        elif message.type == "control_change":
            mido_pedals.append((now_s, message.value >= 64))
    before = [False, *(down for _, down in mido_pedals)]
    mido_pedals = [change for change, was in zip(mido_pedals, before, strict=False) if change[1] != was]
    _assert_alike(ours, [sorted(notes) for notes in by_mido])
    np.testing.assert_allclose([t for t, _ in merged_pedals], [t for t, _ in mido_pedals], atol=1e-6)
    assert [down for _, down in merged_pedals] == [down for _, down in mido_pedals]

    by_pretty_midi = [
        sorted((n.pitch, n.velocity, n.start, n.end - n.start) for n in instrument.notes)
        for instrument in pretty_midi.PrettyMIDI(io.BytesIO(_as_bytes(file))).instruments
        if instrument.notes
    ]
    _assert_alike([notes for notes in ours if notes], by_pretty_midi)


def _assert_alike(
    ours: Sequence[Sequence[tuple[int, int, float, float]]], theirs: Sequence[Sequence[tuple[int, int, float, float]]]
) -> None:
    """Compare notes by track: pitch and velocity exactly, times to a microsecond (short notes have our minimum)."""
    assert [[note[:2] for note in track] for track in ours] == [[note[:2] for note in track] for track in theirs]
    for our_track, their_track in zip(ours, theirs, strict=True):
        for our, their in zip(our_track, their_track, strict=True):
            assert our[2] == pytest.approx(their[2], abs=1e-6)
            assert our[3] == pytest.approx(max(their[3], 0.001), abs=1e-6)


@st.composite
def playable(draw: st.DrawFn) -> Performance:
    """Draw what one piano can play: no key twice at once, onsets of a key more than 30 ms apart, any fine time."""
    notes: list[tuple[float, float, int, int, int]] = []
    for pitch in draw(st.lists(st.integers(0, 127), unique=True, max_size=6)):
        now_s = 0.0
        for _ in range(draw(st.integers(0, 5))):
            onset_s = now_s + draw(st.floats(0.0, 3.0))
            length_s = draw(st.floats(0.001, 3.0))
            notes.append((onset_s, length_s, pitch, draw(st.integers(1, 127)), 0))
            now_s = max(onset_s + length_s, onset_s + 0.032)
    steps = draw(st.lists(st.floats(0.002, 2.0), max_size=8))
    pedals = [(time_s, index % 2 == 0) for index, time_s in enumerate(np.cumsum(steps).tolist())]
    return Performance(sort_notes(np.array(notes, NOTE)), np.array(pedals, PEDAL))


@given(st.lists(playable(), min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_reading_back_what_was_written(tmp_path_factory: pytest.TempPathFactory, played: list[Performance]) -> None:
    file = tmp_path_factory.mktemp("written") / "duet.mid"
    write_performance(file, [MidiTrack(f"track {index}", performance) for index, performance in enumerate(played)])
    tracks = read_tracks(file)
    assert [track.name for track in tracks] == [f"track {index}" for index in range(len(played))]
    for index, (track, before) in enumerate(zip(tracks, played, strict=True)):
        after = track.performance
        assert after.notes["track"].tolist() == [index] * before.notes.size
        was, now = (p.notes[np.lexsort((p.notes["onset_s"], p.notes["pitch"]))] for p in (before, after))
        assert now["pitch"].tolist() == was["pitch"].tolist()
        assert now["velocity"].tolist() == was["velocity"].tolist()
        np.testing.assert_allclose(now["onset_s"], was["onset_s"], rtol=0, atol=0.0005)
        end_now, end_was = (notes["onset_s"] + notes["duration_s"] for notes in (now, was))
        np.testing.assert_allclose(end_now, end_was, rtol=0, atol=0.0005)
        np.testing.assert_allclose(after.pedals["time_s"], before.pedals["time_s"], rtol=0, atol=0.0005)
        assert after.pedals["down"].tolist() == before.pedals["down"].tolist()


def test_written_file_message_by_message(tmp_path: Path) -> None:
    notes = np.array([(0.0, 0.1, 60, 64, 0), (0.1, 0.1, 60, 65, 0)], NOTE)
    pedals = np.array([(0.0, True), (0.15, False)], PEDAL)
    write_performance(tmp_path / "two.mid", [MidiTrack("own", Performance(notes, pedals))])
    file = mido.MidiFile(tmp_path / "two.mid")
    assert (file.type, file.ticks_per_beat) == (1, 1000)
    now = 0
    seen: list[tuple[int, str | int, int]] = []
    for message in file.tracks[0]:
        now += message.time
        if message.type in ("note_on", "note_off"):
            seen.append((now, message.type, message.note))
        elif message.type == "control_change":
            seen.append((now, message.control, message.value))
        elif message.type == "program_change":
            assert message.program == 0
    assert seen == [
        (0, 64, 127),
        (0, "note_on", 60),
        (200, "note_off", 60),  # the release comes before the same key's onset
        (200, "note_on", 60),
        (300, 64, 0),
        (400, "note_off", 60),
    ]
    assert [message.name for message in file.tracks[0] if message.type == "track_name"] == ["own"]


def test_many_tracks_keep_off_the_drum_channel(tmp_path: Path) -> None:
    note = Performance(np.array([(0.0, 0.1, 60, 64, 0)], NOTE))
    write_performance(tmp_path / "many.mid", [MidiTrack(str(index), note) for index in range(20)])
    assert [track.performance.notes.size for track in read_tracks(tmp_path / "many.mid")] == [1] * 20


def test_unwritable_output_is_named(tmp_path: Path) -> None:
    with pytest.raises(MidiFileError, match=r"out\.mid: cannot be written"):
        write_performance(tmp_path / "missing" / "out.mid", [MidiTrack("", Performance(no_notes()))])


@pytest.mark.parametrize(
    ("onset_s", "pitch", "velocity"), [(-0.1, 60, 64), (0.0, 128, 64), (0.0, 60, 0), (0.0, 60, 128)]
)
def test_impossible_notes_are_misuse(tmp_path: Path, onset_s: float, pitch: int, velocity: int) -> None:
    notes = np.array([(onset_s, 1.0, pitch, velocity, 0)], NOTE)
    with pytest.raises(ValueError, match="track 'x'"):
        write_performance(tmp_path / "x.mid", [MidiTrack("x", Performance(notes))])
    with pytest.raises(ValueError, match="at least one track"):
        write_performance(tmp_path / "x.mid", [])
