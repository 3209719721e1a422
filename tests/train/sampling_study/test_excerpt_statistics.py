"""The statistics of an excerpt on music that is made by hand, each against what can be counted by eye."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.notes import NOTE, PEDAL, NoteArray, Performance, sort_notes
from tests.train.conftest import random_performance
from train.sampling_study.excerpt_statistics import (
    chords_of,
    correlation,
    equal_waits,
    excerpt_statistics,
    lag_correlation,
    pulse,
    rounded,
    share_returned,
    top_line,
)

LENGTH_S = 25.0


def notes_of(onsets_s: list[float], pitches: list[int], *, velocity: int = 64, duration_s: float = 0.1) -> NoteArray:
    made = np.zeros(len(onsets_s), NOTE)
    made["onset_s"], made["pitch"] = onsets_s, pitches
    made["velocity"], made["duration_s"] = velocity, duration_s
    return sort_notes(made)


def of(notes: NoteArray, pedal: list[tuple[float, bool]] | None = None) -> dict[str, float]:
    return excerpt_statistics(Performance(notes, np.array(pedal or [], PEDAL)), LENGTH_S)


def test_an_empty_excerpt_has_numbers_throughout() -> None:
    found = of(notes_of([], []))
    assert all(np.isfinite(value) for value in found.values())
    assert found["notes/s"] == 0
    assert found["silence"] == 1
    assert len(found) >= 60


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(1, 60))
def test_any_excerpt_has_the_same_finite_numbers(seed: int, notes: int) -> None:
    music = rounded(random_performance(seed, notes), LENGTH_S)
    found = excerpt_statistics(music, LENGTH_S)
    assert found.keys() == of(notes_of([], [])).keys()
    assert all(np.isfinite(value) for value in found.values())


def test_what_is_rounded_once_stays_and_lasts_no_longer_than_the_excerpt() -> None:
    music = Performance(notes_of([3.004, 3.506, 30.0], [60, 64, 67], velocity=81, duration_s=40.0))
    once = rounded(music, LENGTH_S)
    assert once.notes["onset_s"].tolist() == pytest.approx([0.0, 0.5])
    assert once.notes["velocity"].tolist() == [82, 82]
    assert (once.notes["onset_s"] + once.notes["duration_s"]).max() == pytest.approx(LENGTH_S - 3.0)
    again = rounded(once, LENGTH_S)
    assert np.array_equal(again.notes, once.notes)


def test_keys_that_hang_in_the_air() -> None:
    notes = notes_of([0.5 * index for index in range(10)], [60 + index for index in range(10)])
    notes["duration_s"][:3] = [4.5, 2.5, 1.5]
    found = of(notes)
    assert (found["notes over 4 s"], found["notes over 2 s"], found["notes over 1 s"]) == (0.1, 0.2, 0.3)
    assert found["most keys held"] == 4


def test_a_figure_that_returns_and_one_that_does_not() -> None:
    assert share_returned([1, 2, 3, 4] * 3, 4) == pytest.approx(1 - 4 / 9)
    assert share_returned(list(range(20)), 4) == 0
    assert share_returned([1, 2], 4) == 0
    figure = [60, 64, 67, 64, 72]
    twice = of(notes_of([0.2 * index for index in range(10)], figure + [pitch + 2 for pitch in figure]))
    once = of(notes_of([0.2 * index for index in range(10)], [60, 63, 61, 70, 55, 40, 80, 62, 50, 51]))
    assert twice["figures of 4 intervals returned"] > 0
    assert once["figures of 4 intervals returned"] == 0


def test_the_top_line_is_the_highest_of_each_chord() -> None:
    notes = notes_of([0.0, 0.01, 0.5, 0.52, 1.0], [60, 72, 74, 55, 76])
    assert chords_of(notes).tolist() == [0, 0, 1, 1, 2]
    assert top_line(notes, chords_of(notes)).tolist() == [72, 74, 76]
    found = of(notes)
    assert found["notes a chord"] == pytest.approx(5 / 3)
    assert found["top line steps"] == 1


def test_a_metronome_has_a_pulse_and_chance_has_none() -> None:
    rng = np.random.default_rng(1)
    even, lag_s = pulse(np.linspace(0.0, 23.6, 60))
    by_chance, _ = pulse(np.cumsum(rng.exponential(0.4, 60)))
    assert even > 0.9
    assert lag_s == pytest.approx(0.4, abs=0.011)
    assert by_chance < 0.4
    assert pulse(np.zeros(2)) == (0.0, 0.0)


def test_waits_that_are_equal() -> None:
    assert equal_waits(np.array([0.2, 0.21, 0.4, 0.2])) == pytest.approx(1 / 3)
    assert equal_waits(np.array([0.2])) == 0


def test_velocities_that_follow_each_other() -> None:
    swell = notes_of([0.1 * index for index in range(40)], [60] * 40)
    swell["velocity"] = 20 + 2 * np.arange(40)
    assert of(swell)["velocity lag-1"] == pytest.approx(1)
    assert lag_correlation(np.array([1.0, 2, 1, 2, 1, 2])) == pytest.approx(-1)
    assert correlation(np.ones(5), np.arange(5.0)) == 0
    hands = notes_of([0.1 * index for index in range(8)], [40, 80] * 4)
    hands["velocity"] = [50, 70] * 4
    assert of(hands)["right hand louder by"] == 20


def test_the_pedal() -> None:
    found = of(notes_of([0.0, 1.0, 5.0], [60, 62, 64]), [(1.25, True), (3.25, False), (5.25, True), (8.25, False)])
    assert found["pedal presses a s"] == 2 / LENGTH_S
    assert found["pedal down"] == pytest.approx(5 / LENGTH_S)
    assert found["pedal after onset (s)"] == pytest.approx(0.25)


def test_a_key_that_is_struck_again() -> None:
    found = of(notes_of([0.0, 0.5, 0.9, 5.0], [60, 62, 60, 60]))
    assert found["keys again in 1 s"] == 0.25


def test_trends() -> None:
    rising = notes_of([5.0, 6.0, 15.0, 16.0, 17.0, 18.0, 19.0], [50, 50, 60, 60, 60, 60, 60])
    found = of(rising)
    assert found["pitch trend"] == 10
    assert found["density trend"] == pytest.approx(np.log(6 / 3))
