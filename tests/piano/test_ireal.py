"""Charts of iReal Pro: links, scrambled or not, and the music alone; what is played is the form, repeats and all."""

from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.changes import read_chart, read_chord
from piano.cues import cue_name
from piano.errors import PianodError
from piano.ireal import _unscrambled, is_ireal, read_ireal

FORM = "*A{T44D-7 |G7sus G7 |N1C^7 | x }  |N2C6 |A7alt]*B[Bh7 E7b9/G# |A-7(C7) |<slower>n Z"
PLAYED = "D-7 | G7sus G7 | C^7 | C^7 | D-7 | G7sus G7 | C6 | A7alt | Bh7 E7b9/G# | A-7 | N.C."


def test_the_form_is_played_out() -> None:
    assert is_ireal(FORM)
    assert read_ireal(FORM) == PLAYED
    names = [cue_name(code) for bar in read_chart(FORM).bars[-3:] for code in bar]
    assert names == ["CHORD_B:hdim7", "CHORD_E:7", "CHORD_A:min7", "CHORD_N"]


def test_slashes_a_chord_over_another_bass_and_two_bars_once_more() -> None:
    assert read_ireal("[T34C-7 pp|W/Bb |F7 |r| ]") == "C-7 / / | C-7/Bb | F7 | C-7/Bb | F7"


def scrambled(music: str) -> str:
    return quote(f"irealb://A Form=Nobody==Medium Swing=C==1r34LbKcu7{_unscrambled(music)}=Jazz=120=3", safe=":/=")


@pytest.mark.parametrize(
    "link", [scrambled(FORM), f"irealbook://A Form=Nobody=Swing=C=n={FORM}", f'<a href="{scrambled(FORM)}">A Form</a>']
)
def test_of_a_link_the_music_is_read(link: str) -> None:
    assert read_ireal(link) == PLAYED


def test_shorthands_of_links_are_bars_and_rests() -> None:
    music = "[T44C^7XyQLZD-7XyQKcl LZG7 Z "
    assert read_ireal(scrambled(music)) == "C^7 | D-7 | D-7 | G7"


@given(st.text(alphabet="ABCDEFG7-^|{}[]xrnpWN12 LZKclXyQ*T4s", max_size=170))
def test_scrambling_undoes_itself_and_nothing_but_a_message_comes_of_nonsense(music: str) -> None:
    assert _unscrambled(_unscrambled(music)) == music
    with suppress(PianodError):
        read_ireal(music)


def test_a_link_without_music_is_told() -> None:
    with pytest.raises(PianodError, match="share the song again"):
        read_ireal("irealb://Nothing=Nobody")


@pytest.mark.parametrize(("symbol", "name"), [
    ("C7b5", "C:7"), ("C7#11", "C:7"), ("A-7b5", "A:hdim7"), ("Ah", "A:hdim7"), ("C^", "C:maj7"), ("C^7#11", "C:maj7"),
    ("F-b6", "F:min"), ("F-69", "F:min"), ("G7b9sus", "G:sus4"), ("Gsus", "G:sus4"), ("Eo", "E:dim"), ("B+", "B:aug"),
])  # fmt: skip
def test_qualities_of_ireal_are_known(symbol: str, name: str) -> None:
    assert cue_name(read_chord(symbol)) == f"CHORD_{name}"
