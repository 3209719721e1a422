"""Lead sheets: the chords that MIDI files and MusicXML name, or that are in their notes, are charts."""

from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.changes import bar_text, chord_name, read_chart, read_chord
from piano.cues import CUES, NO_CHORD
from piano.errors import ConfigError, PianodError
from realtime.beat.lead_sheet import chart_text
from realtime.engine.from_settings import chart_of
from realtime.settings import ChangesGroup

SHEETS = Path(__file__).parent / "sheets"
BEAT = 480


@given(st.integers(NO_CHORD, CUES - 1))
def test_the_name_of_a_chord_is_read_as_that_chord(code: int) -> None:
    assert read_chord(chord_name(code)) == code


@given(st.lists(st.sampled_from([read_chord(name) for name in ("C", "Dm7", "G7", "N.C.")]), min_size=1, max_size=12))
def test_a_bar_as_it_is_written_has_its_chords_at_their_beats(codes: list[int]) -> None:
    chart, beats = read_chart(bar_text(codes)), len(codes)
    assert [chart.chord_at(beat, beats) for beat in range(beats)] == codes


def midi(path: Path, *messages: tuple[float, mido.Message | mido.MetaMessage]) -> Path:
    """Write messages at beats; the file ends eight beats in, or with the last."""
    file = mido.MidiFile(ticks_per_beat=BEAT)
    track = mido.MidiTrack()
    at = 0
    for beat, message in sorted([*messages, (8.0, mido.MetaMessage("end_of_track"))], key=lambda both: both[0]):
        tick = round(beat * BEAT)
        track.append(message.copy(time=tick - at))
        at = tick
    file.tracks.append(track)
    file.save(path)
    return path


@pytest.mark.parametrize("kind", ["marker", "text", "lyrics"])
def test_chords_that_a_midi_file_names(tmp_path: Path, kind: str) -> None:
    named = [(0.0, "Dm7"), (2.0, "G7"), (4.0, "C^7")]
    messages = [(beat, mido.MetaMessage(kind, text=name)) for beat, name in named]
    title = (0.0, mido.MetaMessage("text" if kind == "marker" else "marker", text="A Song"))
    assert chart_text(midi(tmp_path / "named.mid", title, *messages)) == "Dm7 G7 | Cmaj7"


def test_three_beats_in_a_bar(tmp_path: Path) -> None:
    signature = mido.MetaMessage("time_signature", numerator=3, denominator=4)
    named = [(0.0, "F"), (2.0, "C7"), (3.0, "F"), (6.0, "Bb")]
    messages = [(beat, mido.MetaMessage("marker", text=name)) for beat, name in named]
    assert chart_text(midi(tmp_path / "waltz.mid", (0.0, signature), *messages)) == "F / C7 | F | Bb"


def test_where_none_is_named_chords_are_found_in_the_notes(tmp_path: Path) -> None:
    chords = [(0.0, (36, 52, 55, 60)), (4.0, (43, 53, 59, 65)), (8.0, (36, 52, 55, 60))]
    keys = [
        (beat + later, mido.Message(kind, note=key, velocity=70))
        for beat, keys in chords
        for key in keys
        for later, kind in ((0.0, "note_on"), (3.9, "note_off"))
    ]
    tempo = (0.0, mido.MetaMessage("set_tempo", tempo=700_000))
    assert chart_text(midi(tmp_path / "played.mid", tempo, *keys)) == "C | G7 | C"


def test_musicxml_with_its_repeat() -> None:
    chart = chart_text(SHEETS / "four-bars.musicxml")
    assert chart == "Bbmaj7 G7 | Cm7 F7 | Bbmaj7 G7 | Cm7 F7 | F7 | Gbm7b5"


@pytest.mark.parametrize(("name", "content"), [
    ("empty.mid", b""), ("broken.mid", b"MThd\x00\x00\x00\x06\x00"), ("text.musicxml", b"<score"), ("none.txt", b"H7"),
])  # fmt: skip
def test_what_gives_no_chart_is_told_with_its_file(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"{name} gives no chart"):
        chart_of(ChangesGroup(chart_file=path))


def test_a_file_without_chords_is_told(tmp_path: Path) -> None:
    path = midi(tmp_path / "drums.mid", (0.0, mido.Message("note_on", channel=9, note=40)))
    with pytest.raises(PianodError):
        chart_text(path)
