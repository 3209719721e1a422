"""Lead sheets: the chords that MIDI files and MusicXML name, or that are in their notes, are charts."""

import zipfile
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


def check_refused(chart: Path, says: str) -> None:
    """A chart is refused, in words that say why."""
    with pytest.raises(ConfigError, match=says):
        chart_of(ChangesGroup(chart_file=chart))


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


NOTES = bytes.fromhex("00903c40 83603c00 00903440 83603400") * 8
END = bytes.fromhex("00ff2f00")
FAR = bytes.fromhex("ffffff7f")


def midi_of(body: bytes, ticks: int = 480, file_type: int = 1) -> bytes:
    """Return a file of one track."""
    header = b"MThd\0\0\0\x06" + b"".join(number.to_bytes(2) for number in (file_type, 1, ticks))
    return header + b"MTrk" + len(body).to_bytes(4) + body


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(midi_of(NOTES + FAR + b"\xff\x2f\0", 1), "hours", id="an end after years"),
        pytest.param(midi_of(bytes.fromhex("00ff060143 00ff060146") + FAR + END, 1), "hours", id="named chords"),
        pytest.param(midi_of(NOTES + bytes.fromhex("84a5a840") + END, 1000), "bars", id="two thousand bars"),
        pytest.param(midi_of(NOTES + END, 480, 2), "type 2", id="patterns"),
        pytest.param(midi_of(NOTES + END, 0xE728), "no beats", id="seconds"),
    ],
)
def test_a_midi_file_that_is_longer_than_any_chart_is_refused_before_it_takes_memory(
    tmp_path: Path, data: bytes, says: str
) -> None:
    (tmp_path / "song.mid").write_bytes(data)
    check_refused(tmp_path / "song.mid", says)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(midi_of(bytes.fromhex("00ff5804ffff1808") + NOTES + END), id="a metre that no music has"),
        pytest.param(midi_of(bytes.fromhex("00ff580400001808") + NOTES + END), id="a metre of no beats"),
        pytest.param(midi_of(NOTES + b"\0\xfe" + END), id="active sensing"),
        pytest.param(midi_of(NOTES + END).replace(b"MTrk", b"XXXX\0\0\0\2abMTrk"), id="a chunk of another kind"),
        pytest.param(b"RIFF\x60\0\0\0RMIDdata\x60\0\0\0" + midi_of(NOTES + END), id="a wrapper"),
    ],
)
def test_a_midi_file_that_the_commands_read_gives_a_chart_too(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "song.mid").write_bytes(data)
    assert read_chart(chart_text(tmp_path / "song.mid")).bars


YEARS = "<note><rest/><duration>100000000000</duration></note>"


def score(body: str, beats: str = "4", times: str = "") -> str:
    """Return a score of one bar, with what else is to stand in it."""
    again = f'<barline><repeat direction="backward" times="{times}"/></barline>' if times else ""
    return f"""<?xml version="1.0"?><score-partwise version="3.0"><part-list><score-part id="P1">
<part-name>p</part-name></score-part></part-list><part id="P1"><measure number="1"><attributes>
<divisions>1</divisions><time><beats>{beats}</beats><beat-type>4</beat-type></time></attributes><harmony><root><root-step>C</root-step></root>
<kind>major</kind></harmony><note><rest/><duration>4</duration></note>{body}{again}</measure></part></score-partwise>"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(score("", times="1000000"), "with its repeats", id="a million repeats"),
        pytest.param(score(YEARS + '</measure><measure number="2">' + YEARS), "bars", id="a rest of years"),
        pytest.param(score("", beats="1000000000"), "metre", id="a metre that no music has"),
        pytest.param(score("", beats="60+60"), "metre", id="a metre in parts"),
        pytest.param(score("<a>" * 3), "MusicXML", id="no XML"),
    ],
)
def test_a_score_that_is_longer_than_any_chart_is_refused_before_it_takes_memory(
    tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "song.musicxml").write_text(text)
    check_refused(tmp_path / "song.musicxml", says)


def test_repeats_within_repeats_are_counted_before_they_are_played_out(tmp_path: Path) -> None:
    forward, backward = (f'<barline><repeat direction="{way}"/></barline>' for way in ("forward", "backward"))
    (tmp_path / "song.musicxml").write_text(score(forward * 12 + backward * 12))
    with pytest.raises(ConfigError, match="with its repeats"):
        chart_of(ChangesGroup(chart_file=tmp_path / "song.musicxml"))


def test_an_archive_that_unpacks_to_more_than_a_chart_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.mxl"
    for blanks, says in ((11_000_000, "unpacks to more than 10,000,000 bytes"), (10, None)):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            container = '<container><rootfiles><rootfile full-path="song.xml"/></rootfiles></container>'
            archive.writestr("META-INF/container.xml", container)
            archive.writestr("song.xml", score(" " * blanks))
        if says is None:
            assert chart_text(path) == "C"
        else:
            with pytest.raises(ConfigError, match=says):
                chart_of(ChangesGroup(chart_file=path))
