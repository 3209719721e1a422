"""Charts: as players write them, in any key, going round with the bars; what is no chord is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.changes import bar_text, read_chart, read_chord, roots_in, scale_tones
from piano.cue_arrays import transposed
from piano.cues import CUES, FIRST_CHORD, NO_CHORD, cue_name, tones
from piano.errors import PianodError
from piano.known_changes import KNOWN

KEYS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("Dm7", "D:min7"), ("G7", "G:7"), ("Cmaj7", "C:maj7"), ("F#m7b5", "Gb:hdim7"), ("Bb^7", "Bb:maj7"),
        ("C-7", "C:min7"), ("Eo7", "E:dim7"), ("Eh7", "E:hdim7"), ("G7b9", "G:7"), ("G13", "G:7"), ("Am/G", "A:min"),
        ("C6", "C:maj"), ("Gsus4", "G:sus4"), ("G7sus4", "G:sus4"), ("C+", "C:aug"), ("AmM7", "A:min"), ("B", "B:maj"),
        ("dm7", "D:min7"), ("bbmaj7", "Bb:maj7"), ("b7", "B:7"), ("f#m7b5", "Gb:hdim7"),
    ],
)  # fmt: skip
def test_chords_as_players_write_them(symbol: str, name: str) -> None:
    assert cue_name(read_chord(symbol)) == f"CHORD_{name}"


def test_a_chart_of_bars_shares_and_repeats() -> None:
    chart = read_chart("Dm7 G7 | Cmaj7 | % | N.C.")
    names = [cue_name(chart.chord_at(beat, 4)) for beat in range(0, 16, 2)]
    assert names == [f"CHORD_{name}" for name in ("D:min7", "G:7", *["C:maj7"] * 4, "N", "N")]
    assert chart.chord_at(16, 4) == chart.chord_at(0, 4)
    assert chart.words == ("Dm7 G7", "Cmaj7", "Cmaj7", "N.C.")


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("key", range(12))
def test_known_ones_move_with_the_key(name: str, key: int) -> None:
    in_c = np.array([code for bar in read_chart(name).bars for code in bar], np.uint8)
    moved = [code for bar in read_chart(name, KEYS[key]).bars for code in bar]
    assert transposed(in_c, key).tolist() == moved


def test_a_blues_has_twelve_bars_and_a_ii_v_i_says_what_it_is() -> None:
    assert len(read_chart("blues", "F").bars) == 12
    assert read_chart(" Blues ", "F") == read_chart("blues", "F")
    assert read_chart("ii-V-I", "Bb") == read_chart("ii-V-I", "Bb")
    assert read_chart("ii7 | V7 | Imaj7 | %", "Bb").bars == read_chart("Cm7 | F7 | Bbmaj7 | Bbmaj7").bars


@given(st.integers(NO_CHORD, CUES - 1))
def test_a_scale_holds_the_tones_of_its_chord(code: int) -> None:
    if code >= FIRST_CHORD:
        assert tones(code) <= scale_tones(code)
    else:
        assert scale_tones(code) == frozenset(range(12))


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_chart_or_told_to_be_none(text: str) -> None:
    try:
        assert read_chart(text).bars
    except PianodError:
        with pytest.raises(PianodError, match="write it as in"):
            read_chart(text)


@pytest.mark.parametrize("key", ["H", "", "C7"])
def test_what_is_no_key_is_told(key: str) -> None:
    with pytest.raises(PianodError, match="no key"):
        read_chart("blues", key)


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("C", "C Db D Eb E F Gb G Ab A Bb B"),
        ("F#", "C C# D D# E E# F# G G# A A# B"),
        ("Gb", "C Db D Eb E F Gb G Ab A Bb Cb"),
        ("A", "C C# D Eb E F F# G G# A Bb B"),
        ("Bb", "C Db D Eb E F Gb G Ab A Bb B"),
    ],
)
def test_chords_are_spelt_as_in_their_key(key: str, names: str) -> None:
    assert roots_in(key) == tuple(names.split())
    for bar in read_chart("blues", key).bars:
        written = bar_text(bar, roots_in(key))
        assert read_chart(written).bars == (tuple(dict.fromkeys(bar)),)
