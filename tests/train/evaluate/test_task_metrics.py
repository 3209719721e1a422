"""The measures of tasks: perfect of anything against itself, and worse with each kind of damage."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from piano.notes import NOTE, NoteArray, sort_notes
from tests.train.conftest import random_performance
from train.evaluate.task_metrics import (
    DISTRIBUTIONS,
    METRICS,
    VELOCITY_METRICS,
    deviation_ratio,
    onset_error_s,
    repeats,
    score,
    score_velocities,
    tempo_kept,
    together_ratio,
)

PERFECT = {
    **{name: 1.0 for name in METRICS if name.startswith("f1") or name.endswith(("_intersection", "_ratio"))},
    **{name: 0.0 for name in METRICS if name.endswith(("_mae", "_ms", "_wasserstein", "_excess"))},
    "tempo_kept": 1.0,
}

Damage = Callable[[NoteArray], NoteArray]


def chord_per_second(count: int = 30) -> NoteArray:
    """Return C major triads, one a second, each a little louder and longer than the last."""
    notes = np.zeros(3 * count, NOTE)
    notes["onset_s"] = np.repeat(np.arange(count, dtype=np.float64), 3)
    notes["pitch"] = np.tile([60, 64, 67], count)
    notes["duration_s"] = 0.2 + 0.01 * np.arange(notes.size)
    notes["velocity"] = 20 + np.arange(notes.size)
    return notes


def changed(column: str, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Damage:
    def damage(notes: NoteArray) -> NoteArray:
        damaged = notes.copy()
        damaged[column] = change(notes[column].astype(np.float64))
        return sort_notes(damaged)

    return damage


def test_every_measure_says_what_is_perfect() -> None:
    assert set(PERFECT) == set(METRICS)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(12, 60))  # two in one moment have no tempo
def test_everything_is_perfect_against_itself(seed: int, count: int) -> None:
    notes = random_performance(seed, count).notes
    notes["velocity"][:2] = 20, 90  # a deviation of nothing has no ratio
    assert score(notes, notes, notes) == pytest.approx(PERFECT)
    assert score_velocities(notes, notes["velocity"]) == pytest.approx(
        {name: PERFECT[name] for name in VELOCITY_METRICS}
    )


@pytest.mark.parametrize(
    ("damage", "worse"),
    [
        (changed("onset_s", lambda onset_s: onset_s + 0.06), {"f1", "f1_velocity", "onset_error_ms", "together_ratio"}),
        (changed("onset_s", lambda onset_s: onset_s + 0.04), {"onset_error_ms"}),
        (changed("pitch", lambda pitch: pitch + 1), {"f1", "f1_velocity", "onset_error_ms", "key", "pitch"}),
        (
            changed("velocity", lambda velocity: velocity * 0 + 64),
            {"f1_velocity", "velocity_mae", "deviation_ratio", "velocity"},
        ),
        (changed("velocity", lambda velocity: velocity + 9), {"velocity_mae", "velocity"}),
        (changed("duration_s", lambda duration_s: duration_s * 3), {"duration"}),
        (
            changed("onset_s", lambda onset_s: onset_s * 1.5),
            {"f1", "f1_velocity", "onset_error_ms", "inter_onset", "tempo_kept", "together_ratio"},
        ),
        (lambda notes: notes[::2], {"f1", "f1_velocity", "onset_error_ms", "density_ratio"}),
        (lambda notes: sort_notes(np.concatenate([notes, notes])), {"f1", "f1_velocity", "repeats_excess"}),
    ],
    ids=["late", "a bit late", "sharp", "flat", "loud", "long", "slow", "half missing", "everything twice"],
)
def test_damage_is_seen_where_it_is(damage: Damage, worse: set[str]) -> None:
    notes = chord_per_second()
    found = score(notes, damage(notes), notes)
    for name in worse:
        if name in DISTRIBUTIONS:
            assert found[f"{name}_intersection"] < 0.999
            assert found[f"{name}_wasserstein"] > 0.001
        elif PERFECT[name] == 1.0:
            assert found[name] < 0.999
        else:
            assert found[name] > 0.001


@pytest.mark.parametrize("measure", ["f1", "f1_velocity", "onset_error_ms", "velocity_mae"])
def test_more_damage_is_worse(measure: str) -> None:
    notes, rng = chord_per_second(), np.random.default_rng(5)
    found = []
    for share in (0.1, 0.3, 0.6):
        damaged = notes.copy()
        hit = rng.random(notes.size) < share
        damaged["onset_s"][hit] += rng.uniform(0.1, 0.4, int(hit.sum()))
        damaged["velocity"] = np.clip(notes["velocity"] + share * rng.normal(0, 60, notes.size), 1, 127)
        found.append(score(notes, sort_notes(damaged))[measure])
    assert found == sorted(found, reverse=measure.startswith("f1"))
    assert len(set(found)) == 3


def test_known_figures() -> None:
    notes = chord_per_second()
    late = changed("onset_s", lambda onset_s: onset_s + 0.02)(notes)
    assert score(notes, late)["onset_error_ms"] == pytest.approx(20)
    assert score(notes, notes[::2])["f1"] == pytest.approx(2 / 3)  # all that was played is right, half is missing
    louder = changed("velocity", lambda velocity: velocity + 7)(notes)
    assert score(notes, louder)["velocity_mae"] == pytest.approx(7)
    assert score(notes, louder)["velocity_wasserstein"] == pytest.approx(7)
    assert score(notes, louder)["f1_velocity"] == 1.0  # mir_eval maps loudness first
    up = changed("pitch", lambda pitch: pitch + 7)(notes)
    assert score(notes, up)["key_wasserstein"] == pytest.approx(1)  # a fifth up is one place on the circle
    assert score(notes, changed("pitch", lambda pitch: pitch - 3)(notes))["pitch_wasserstein"] == pytest.approx(3)


def test_density_repeats_and_tempo_are_counted() -> None:
    notes = chord_per_second()
    assert score(notes, notes[::2])["density_ratio"] == pytest.approx(0.5)
    trill = changed("onset_s", lambda onset_s: onset_s * 0.2)(notes)
    assert repeats(trill) == pytest.approx(29 / 30)  # each key but its first time
    assert score(trill, notes)["repeats_excess"] == pytest.approx(-29 / 30)
    late_half = changed("onset_s", lambda onset_s: np.where(onset_s < 16, onset_s, 16 + (onset_s - 16) * 1.2))(notes)
    assert tempo_kept(notes, late_half) == pytest.approx(0.5)
    assert math.isnan(tempo_kept(notes, notes[1:]))
    assert math.isnan(score(notes, notes)["together_ratio"])
    assert math.isnan(together_ratio(notes, notes, notes[:0]))


def test_onsets_before_the_beginning_count_too() -> None:
    notes = chord_per_second()
    early = changed("onset_s", lambda onset_s: onset_s - 0.02)(notes)
    assert early["onset_s"].min() < 0
    assert score(notes, early)["f1"] == score(early, notes)["f1"] == 1.0


def test_nothing_answered_is_no_error_and_no_success() -> None:
    notes = chord_per_second()
    found = score(notes, notes[:0])
    assert found["f1"] == found["f1_velocity"] == found["pitch_intersection"] == 0.0
    assert found["onset_error_ms"] == 1000.0
    assert math.isnan(found["velocity_mae"])
    assert math.isnan(found["duration_wasserstein"])
    with pytest.raises(ValueError, match="nothing was asked"):
        score(notes[:0], notes)


def test_an_onset_has_its_own_partner() -> None:
    """Two notes of one key cannot both be taken for the same one."""
    notes = chord_per_second(1)[[0, 0]]
    notes["onset_s"] = [1.0, 1.2]
    assert onset_error_s(notes, notes[:1]) == pytest.approx(0.5)


def test_a_flattened_line_has_no_deviation() -> None:
    assert deviation_ratio(np.array([1.0, 3.0]), np.array([2.0, 2.0])) == 0.0
    assert math.isnan(deviation_ratio(np.array([2.0, 2.0]), np.array([1.0, 3.0])))
