"""Performances as data: when they end, and the order of notes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from piano.notes import NOTE, Performance, no_notes, no_pedals, sort_notes

ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(21, 24), st.integers(1, 127), st.just(0)))


def test_nothing_played_ends_at_zero() -> None:
    nothing = Performance(no_notes())
    assert nothing.end_s == 0.0
    assert nothing.pedals.dtype == no_pedals().dtype
    assert nothing.pedals.size == 0


def test_the_last_key_to_come_up_ends_a_performance() -> None:
    notes = np.array([(0.0, 9.0, 60, 64, 0), (5.0, 1.0, 62, 64, 0)], NOTE)
    assert Performance(notes).end_s == 9.0


@given(ROWS)
def test_notes_are_sorted_by_onset_then_pitch_and_none_is_lost(rows: list[tuple[int, ...]]) -> None:
    notes = np.array(rows, NOTE)
    ordered = sort_notes(notes)
    places = list(zip(ordered["onset_s"].tolist(), ordered["pitch"].tolist(), strict=True))
    assert places == sorted(places)
    assert sorted(ordered.tolist()) == sorted(notes.tolist())
