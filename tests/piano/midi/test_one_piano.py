"""One piano out of many tracks: doubles, overlaps, shortest notes, and pedals of several sources."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.midi.one_piano import DOUBLE_S, SHORTEST_S, merge_notes, merge_pedals
from piano.notes import NOTE, PEDAL, NoteArray, PedalArray, no_pedals


def notes(*rows: tuple[float, float, int, int, int]) -> NoteArray:
    """Return notes of (onset, duration, pitch, velocity, track)."""
    return np.array(list(rows), NOTE)


def pedals(*rows: tuple[float, bool]) -> PedalArray:
    """Return pedal changes of (time, down)."""
    return np.array(list(rows), PEDAL)


def test_double_takes_first_onset_last_end_highest_velocity_lowest_track() -> None:
    merged = merge_notes(notes((1.0, 0.5, 60, 50, 2), (1.02, 0.9, 60, 70, 1)))
    assert merged.tolist() == [(1.0, 0.9199999999999999, 60, 70, 1)]


def test_doubles_are_counted_from_the_first_of_them() -> None:
    merged = merge_notes(notes((1.0, 0.5, 60, 50, 0), (1.02, 0.5, 60, 50, 0), (1.04, 0.5, 60, 50, 0)))
    assert merged["onset_s"].tolist() == [1.0, 1.04]


def test_note_ends_where_the_same_key_is_struck_again() -> None:
    merged = merge_notes(notes((0.0, 5.0, 60, 50, 0), (1.0, 1.0, 60, 50, 1), (0.5, 9.0, 61, 50, 0)))
    assert merged["onset_s"].tolist() == [0.0, 0.5, 1.0]
    assert merged["duration_s"].tolist() == [1.0, 9.0, 1.0]


_ROW = st.tuples(
    st.integers(0, 400).map(lambda ms: ms / 100),
    st.integers(0, 300).map(lambda ms: ms / 100),
    st.integers(60, 62),
    st.integers(1, 127),
    st.integers(0, 3),
)


@given(st.lists(_ROW, max_size=30))
@settings(deadline=None, max_examples=40)
def test_merged_notes_can_be_played_and_stay_as_they_are(rows: list[tuple[float, float, int, int, int]]) -> None:
    merged = merge_notes(notes(*rows))
    assert set(merged["pitch"].tolist()) == {row[2] for row in rows}
    for pitch in np.unique(merged["pitch"]):
        key = merged[merged["pitch"] == pitch]
        ends = key["onset_s"] + key["duration_s"]
        assert (np.diff(key["onset_s"]) > DOUBLE_S).all()
        assert (ends[:-1] <= key["onset_s"][1:] + 1e-9).all()
        assert (key["duration_s"] >= SHORTEST_S).all()
    again = merge_notes(merged)
    np.testing.assert_allclose(again["duration_s"], merged["duration_s"])
    assert again[["onset_s", "pitch", "velocity", "track"]].tolist() == (
        merged[["onset_s", "pitch", "velocity", "track"]].tolist()
    )


def test_pedal_is_down_while_it_is_down_in_any_source() -> None:
    first = pedals((0.0, True), (2.0, False), (5.0, True), (6.0, False))
    second = pedals((1.0, True), (3.0, False), (6.0, True), (7.0, False))
    assert merge_pedals([first, second]).tolist() == [(0.0, True), (3.0, False), (5.0, True), (7.0, False)]


def test_repeats_and_changes_within_a_moment_are_dropped() -> None:
    source = pedals((0.0, False), (1.0, True), (1.0, False), (1.0, True), (2.0, True), (3.0, False))
    assert merge_pedals([source]).tolist() == [(1.0, True), (3.0, False)]
    assert merge_pedals([]).size == merge_pedals([no_pedals(), no_pedals()]).size == 0
