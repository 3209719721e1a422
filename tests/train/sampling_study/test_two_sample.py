"""The two-sample test finds what is there to be found, and nothing where there is nothing."""

import numpy as np
import pytest

from piano.errors import PianodError
from piano.notes import NOTE, Performance, sort_notes
from train.sampling_study.excerpt_statistics import excerpt_statistics
from train.sampling_study.two_sample import Sample, area, tell_apart

TREES = 40
EXCERPTS = 24
LENGTH_S = 8.0


def music(seed: int) -> Performance:
    """Return a walk in a steady rhythm of long and short, with swells of loudness: tempo and register differ."""
    rng = np.random.default_rng(seed)
    waits = np.tile([0.3, 0.1, 0.2], 14) * rng.uniform(0.8, 1.2)
    notes = np.zeros(waits.size, NOTE)
    notes["onset_s"] = np.cumsum(waits) - waits[0]
    notes["duration_s"] = 0.15
    notes["pitch"] = 60 + rng.integers(-8, 8) + np.cumsum(rng.integers(-2, 3, waits.size)) % 12
    notes["velocity"] = 64 + rng.integers(-8, 8) + 20 * np.sin(np.arange(waits.size) / 6 + rng.uniform(0, 6))
    return Performance(sort_notes(notes))


def with_shuffled_waits(seed: int) -> Performance:
    notes, rng = music(seed).notes, np.random.default_rng(seed)
    notes["onset_s"][1:] = np.cumsum(rng.permutation(np.diff(notes["onset_s"])))
    return Performance(notes)


def with_shuffled_velocities(seed: int) -> Performance:
    notes = music(seed).notes
    notes["velocity"] = np.random.default_rng(seed).permutation(notes["velocity"])
    return Performance(notes)


def sample(pieces: list[Performance], first: int = 0) -> Sample:
    rows = [list(excerpt_statistics(piece, LENGTH_S).values()) for piece in pieces]
    return Sample(np.array(rows), tuple(str(first + index) for index in range(len(pieces))))


@pytest.fixture(scope="module")
def real() -> Sample:
    return sample([music(seed) for seed in range(EXCERPTS)])


def names() -> list[str]:
    return list(excerpt_statistics(music(0), LENGTH_S))


def test_shuffled_waits_are_found_by_the_rhythm(real: Sample) -> None:
    told = tell_apart(real, sample([with_shuffled_waits(seed) for seed in range(EXCERPTS)]), trees=TREES)
    assert told.auc > 0.9
    best = {names()[column] for column in np.argsort(-np.abs(told.single - 0.5))[:6]}
    assert best & {"pulse", "rhythms returned", "waits lag-1"}


def test_shuffled_velocities_are_found_by_the_touch(real: Sample) -> None:
    told = tell_apart(real, sample([with_shuffled_velocities(seed) for seed in range(EXCERPTS)]), trees=TREES)
    assert told.auc > 0.9
    best = {names()[column] for column in np.argsort(-np.abs(told.single - 0.5))[:3]}
    assert best & {"velocity lag-1", "velocity step", "velocity lag-4"}


def test_more_of_the_same_music_is_not_told(real: Sample) -> None:
    others = sample([music(seed) for seed in range(1000, 1000 + EXCERPTS)], first=1000)
    told = tell_apart(real, others, trees=TREES)
    assert abs(told.auc - 0.5) < 3 * told.error
    assert told.error < 0.15
    assert told.excerpts == (EXCERPTS, EXCERPTS)


def test_the_area_under_the_curve() -> None:
    kinds = np.array([False, False, True, True])
    assert area(np.array([1.0, 2, 3, 4]), kinds) == 1
    assert area(np.array([4.0, 3, 2, 1]), kinds) == 0
    assert area(np.array([1.0, 1, 1, 1]), kinds) == 0.5
    assert area(np.array([1.0, 3, 2, 4]), kinds) == 0.75


def test_too_few_pieces_are_told(real: Sample) -> None:
    few = Sample(real.values[:6], tuple("a" * 6))
    with pytest.raises(PianodError, match="too few"):
        tell_apart(real, few)
    with pytest.raises(ValueError, match="one for each"):
        Sample(real.values, ("a",))
