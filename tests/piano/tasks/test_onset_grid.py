"""A grid is found in noisy onsets where there is one, tells where they were, and says nothing where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.notes import NOTE, NoteArray
from piano.solve.cleaning import cleaned
from piano.tasks.note_noise import NoteNoise
from piano.tasks.onset_grid import FARTHEST_S, FEWEST_NOTES, grid_evidence, grid_odds
from piano.tasks.onset_noise import CLEAR_NATS, estimated_noise_s

BEAT_S = 0.62


def steady(beats: int = 80, seed: int = 0) -> NoteArray:
    """Return a song in one tempo: chords on beats, a tune on eighths and now and then a sixteenth."""
    rng = np.random.default_rng(seed)
    notes = [
        (BEAT_S * beat, 0.4, pitch, 70, 0) for beat in range(beats) for pitch in (48, 55, 60)[: 1 + 2 * (beat % 2)]
    ]
    notes += [(BEAT_S / 2 * half, 0.2, 72 + int(rng.integers(9)), 80, 0) for half in range(2 * beats)]
    notes += [(BEAT_S * (beat + 0.75), 0.1, 84, 80, 0) for beat in range(beats) if rng.random() < 0.2]
    return np.sort(np.array(notes, NOTE), order=["onset_s", "pitch"])


def free(count: int = 320, seed: int = 0) -> NoteArray:
    """Return notes that come whenever they come."""
    rng = np.random.default_rng(seed)
    notes = np.zeros(count, NOTE)
    notes["onset_s"] = np.cumsum(rng.exponential(0.15, count))
    notes["duration_s"], notes["pitch"], notes["velocity"] = 0.2, rng.integers(40, 90, count), 64
    return notes


def noisy(notes: NoteArray, noise_s: float, seed: int = 1) -> NoteArray:
    read = notes.copy()
    read["onset_s"] += 1 + np.random.default_rng(seed).normal(0, noise_s, notes.size)
    return read


def error_s(found: NoteArray, notes: NoteArray) -> float:
    return float(np.abs(found["onset_s"] - 1 - notes["onset_s"]).mean())


@pytest.mark.parametrize(("noise_s", "left"), [(0.02, 0.4), (0.04, 0.4), (0.08, 0.7)])
def test_what_is_off_a_steady_beat_comes_back_to_it(noise_s: float, left: float) -> None:
    notes = steady()
    read = noisy(notes, noise_s)
    for told_s in (noise_s, estimated_noise_s(read["onset_s"])):
        assert error_s(cleaned(read, NoteNoise(told_s)), notes) < left * error_s(read, notes)


@pytest.mark.parametrize("noise_s", [0.02, 0.04, 0.08])
def test_where_there_is_no_grid_none_is_found(noise_s: float) -> None:
    onset_s = noisy(free(), noise_s)["onset_s"]
    assert grid_evidence(onset_s, [noise_s])[0] < CLEAR_NATS
    odds = grid_odds(onset_s, noise_s, noise_s * np.linspace(-2.5, 2.5, 33))
    assert np.abs(odds - 1).mean() < 0.15


@pytest.mark.parametrize("noise_s", [0.02, 0.04, 0.08])
def test_noise_about_a_grid_is_told_from_the_onsets(noise_s: float) -> None:
    told_s = [estimated_noise_s(noisy(steady(seed=seed), noise_s, seed)["onset_s"]) for seed in range(3)]
    assert 0.6 * noise_s < np.mean(told_s) < 1.4 * noise_s
    assert estimated_noise_s(steady()["onset_s"]) == 0.0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 120), st.floats(1.0, 60.0), st.sampled_from([0.001, 0.05, 0.3]))
def test_odds_are_those_of_each_note_in_any_order(seed: int, count: int, length_s: float, noise_s: float) -> None:
    rng = np.random.default_rng(seed)
    onset_s, moves_s = rng.uniform(0, length_s, count), noise_s * np.linspace(-2.5, 2.5, 9)
    odds = grid_odds(onset_s, noise_s, moves_s)
    assert odds.shape == (count, 9)
    assert np.isfinite(odds).all()
    assert (odds > 0).all()
    order = rng.permutation(count)
    np.testing.assert_allclose(grid_odds(onset_s[order], noise_s, moves_s), odds[order], rtol=1e-9)


def test_more_noise_than_any_beat_leaves_tells_nothing() -> None:
    onset_s = noisy(steady(), 0.03)["onset_s"]
    assert (grid_odds(onset_s, 1.01 * FARTHEST_S, np.linspace(-0.3, 0.3, 5)) == 1).all()


def test_odds_are_one_on_the_average() -> None:
    onset_s = noisy(steady(), 0.03)["onset_s"]
    odds = grid_odds(onset_s, 0.03, np.linspace(-BEAT_S, BEAT_S, 400, endpoint=False))
    assert 0.85 < odds.mean() < 1.15
    assert odds.max() > 3


def test_few_notes_and_what_lies_behind_a_long_silence_tell_nothing_of_each_other() -> None:
    few = noisy(steady(), 0.03)["onset_s"][: FEWEST_NOTES - 1]
    assert (grid_odds(few, 0.03, np.zeros(1)) == 1).all()
    onset_s, moves_s = noisy(steady(), 0.03)["onset_s"], np.linspace(-0.08, 0.08, 5)
    both = grid_odds(np.concatenate([onset_s, onset_s + 3600]), 0.03, moves_s)
    np.testing.assert_allclose(both[: onset_s.size], grid_odds(onset_s, 0.03, moves_s))
    assert grid_evidence(np.concatenate([few, few + 1e6]), [0.03])[0] == 0.0
