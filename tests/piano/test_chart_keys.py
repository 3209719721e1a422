"""The key of a chart, and its steps: what is written in one key is played in any other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.changes import Chart, chord_name, read_chart
from piano.chart_keys import in_steps, key_of
from piano.cue_arrays import transposed
from piano.cues import CUES, NO_CHORD, ROOTS
from piano.known_changes import KNOWN


@pytest.mark.parametrize("name", ["blues", "ii-V-I", "rhythm"])
@pytest.mark.parametrize("key", ROOTS)
def test_the_key_of_a_known_one_is_found(name: str, key: str) -> None:
    assert key_of(read_chart(name, key)) == key


def test_the_key_of_chords_as_they_are_typed() -> None:
    assert key_of(read_chart("Cm7 | F7 | Bbmaj7 | Ebmaj7 | Am7b5 | D7 | Gm7 | %")) == "Bb"
    assert key_of(read_chart("N.C.")) == "C"


def test_steps_as_players_write_them() -> None:
    assert in_steps(read_chart("Dm7 | G7 | Cmaj7 A7 | Bm7b5 | Ebdim7 | Fsus4 | N.C."), "C") == (
        "ii7", "V7", "Imaj7 VI7", "vii7b5", "biiidim7", "IVsus4", "N.C.",
    )  # fmt: skip


@given(st.lists(st.integers(NO_CHORD, CUES - 1), min_size=1, max_size=8), st.sampled_from(ROOTS), st.integers(0, 11))
def test_steps_in_another_key_are_the_chords_moved(codes: list[int], key: str, moved: int) -> None:
    chart = Chart((tuple(codes),), (" ".join(map(chord_name, codes)),))
    steps = " | ".join(in_steps(chart, key))
    assert read_chart(steps, key).bars == chart.bars
    other = ROOTS[(ROOTS.index(key) + moved) % 12]
    assert read_chart(steps, other).bars[0] == tuple(transposed(np.array(codes, np.uint8), moved).tolist())


@pytest.mark.parametrize("name", KNOWN)
def test_known_ones_are_read_back_from_their_steps(name: str) -> None:
    chart = read_chart(name, "Eb")
    assert read_chart(" | ".join(in_steps(chart, "Eb")), "Eb").bars == chart.bars
