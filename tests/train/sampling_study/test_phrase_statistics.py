"""How what is played on lies to what was heard: music that stays, that moves, that is none."""

import numpy as np
import pytest

from piano.notes import Performance
from tests.train.conftest import random_performance
from train.sampling_study.phrase_statistics import phrase_statistics, share_known

HEARD = random_performance(1, 120)


def moved(semitones: int = 0, louder: int = 0, longer: float = 1.0) -> Performance:
    notes = HEARD.notes.copy()
    notes["pitch"] = notes["pitch"].astype(int) + semitones
    notes["velocity"] = np.clip(notes["velocity"].astype(int) + louder, 1, 127)
    notes["duration_s"] *= longer
    return Performance(notes)


def of(played: Performance) -> dict[str, float]:
    return phrase_statistics(HEARD, played, HEARD.end_s)


def test_what_only_repeats_has_its_figures_and_moves_as_little_as_its_parts_differ() -> None:
    same = of(moved())
    assert same["figures of the phrase"] == same["top line of the phrase"] == 1.0
    assert same["key kept soon"] > 0.3
    assert same["pitch moved soon"] < 6


def test_what_moves_is_seen_where_it_moves() -> None:
    same, higher = of(moved()), of(moved(semitones=12))
    assert higher["figures of the phrase"] == 1.0, "intervals are the same an octave higher"
    assert higher["key kept late"] == pytest.approx(same["key kept late"])
    assert higher["pitch moved late"] >= 12 - same["pitch moved late"]
    assert of(moved(semitones=1))["key kept soon"] < same["key kept soon"]
    assert of(moved(louder=40))["loudness moved soon"] > same["loudness moved soon"] + 10
    assert of(moved(longer=5.0))["lengths moved late"] > same["lengths moved late"] + 1


def test_other_music_has_hardly_a_figure_of_it() -> None:
    assert of(random_performance(2, 120))["figures of the phrase"] < 0.1


def test_too_little_music_is_no_number_that_is_none() -> None:
    nothing = Performance(HEARD.notes[:0])
    for heard, played in ((nothing, HEARD), (HEARD, nothing), (nothing, nothing)):
        found = phrase_statistics(heard, played, 10.0)
        assert set(found) == set(of(moved()))
        assert np.isfinite(list(found.values())).all()
    assert share_known(np.zeros(0), np.zeros(0), 3) == 0.0
