"""Cleaning: the 88 keys, the beginning at 0 s, and silences."""

import numpy as np
import pytest

from piano.cue_arrays import CUE
from piano.notes import NOTE, PEDAL, Performance
from train.corpus.cleaning import clean


def performance(onsets: list[tuple[float, float, int]], pedals: list[tuple[float, bool]] | None = None) -> Performance:
    """Return a performance of (onset, duration, pitch) and pedal changes."""
    rows = [(onset_s, duration_s, pitch, 64, 0) for onset_s, duration_s, pitch in onsets]
    return Performance(np.array(rows, NOTE), np.array(pedals or [], PEDAL))


def test_notes_off_the_keyboard_are_counted_and_left_out() -> None:
    cleaned = clean(performance([(0.0, 1.0, 20), (0.0, 1.0, 21), (0.0, 1.0, 108), (0.0, 1.0, 109)]))
    assert cleaned.performance.notes["pitch"].tolist() == [21, 108]
    assert cleaned.off_keyboard == 2


def test_nothing_on_the_keyboard_leaves_nothing() -> None:
    cleaned = clean(performance([(3.0, 1.0, 5)], [(1.0, True)]))
    assert (cleaned.performance.notes.size, cleaned.performance.pedals.size) == (0, 0)


def test_leading_silence_is_cut_and_the_pedal_before_it_is_kept_as_a_state() -> None:
    cleaned = clean(performance([(268.0, 1.0, 60)], [(1.0, True), (2.0, False), (200.0, True), (268.5, False)]))
    assert cleaned.performance.notes["onset_s"].tolist() == [0.0]
    assert cleaned.performance.pedals.tolist() == [(0.0, True), (0.5, False)]
    assert cleaned.silence_cut_s == 268.0


def test_long_silence_is_shortened_from_the_last_release_on() -> None:
    played = performance(
        [(1.0, 9.0, 60), (2.0, 1.0, 62), (30.0, 1.0, 64), (33.0, 1.0, 65), (60.0, 1.0, 66)],
        [(12.0, True), (20.0, False), (31.0, True), (90.0, False)],
    )
    cleaned = clean(played, longest_silence_s=5.0)
    # 10 to 30 s is silent: 15 s are cut after 15 s; 34 to 60 s: 21 s; and 1 s at the beginning.
    assert cleaned.performance.notes["onset_s"].tolist() == [0.0, 1.0, 14.0, 17.0, 23.0]
    assert cleaned.performance.notes["duration_s"].tolist() == [9.0, 1.0, 1.0, 1.0, 1.0]
    assert cleaned.performance.pedals.tolist() == [(11.0, True), (14.0, False), (15.0, True), (29.0, False)]
    assert cleaned.silence_cut_s == 37.0


@pytest.mark.parametrize("gap_s", [4.9, 5.0])
def test_silence_that_is_not_too_long_stays(gap_s: float) -> None:
    cleaned = clean(performance([(0.0, 1.0, 60), (1.0 + gap_s, 1.0, 60)]), longest_silence_s=5.0)
    assert cleaned.performance.notes["onset_s"].tolist() == [0.0, 1.0 + gap_s]


def test_cues_move_with_the_music_and_go_with_what_is_cut() -> None:
    notes = np.array([(2.0, 1.0, 60, 64, 0), (20.0, 1.0, 62, 64, 0)], NOTE)  # the silence from 3 s on keeps 5 s: to 8 s
    cues = np.array([(1.0, 0), (2.0, 1), (3.5, 0), (12.0, 0), (20.0, 1), (20.5, 0), (40.0, 0)], CUE)
    kept = clean(Performance(notes, cues=cues)).performance.cues
    assert kept["code"].tolist() == [1, 0, 1, 0]
    np.testing.assert_allclose(kept["time_s"], [0.0, 1.5, 6.0, 6.5])
