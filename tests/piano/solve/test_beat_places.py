"""Where within the beat keys go down: as the notes of the file lie there, whatever their division is."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from piano.solve.beat_places import OFF_GRID, TWELFTHS, BeatPlaces, beat_places

QUARTER_S = 0.6
BEATS = 32
STEPS = round(QUARTER_S * BEATS / 0.01)
TWELFTHS_S = np.arange(BEATS * TWELFTHS + 1) * QUARTER_S / TWELFTHS
NOTHING = np.zeros(0)


def on(places: Sequence[float], late: float = 0.0, beats: range = range(BEATS - 1)) -> NDArray[np.float64]:
    return np.array([(beat + place + late) * QUARTER_S for beat in beats for place in places])


def told(standing: NDArray[np.float64], replaced: NDArray[np.float64] = NOTHING) -> BeatPlaces:
    return beat_places(standing, replaced, TWELFTHS_S, STEPS)


def weights_at(found: BeatPlaces, places: Sequence[float], late: float = 0.0, beats: range = range(4, 28)) -> float:
    return float(found.weights[np.rint(on(places, late, beats) / 0.01).astype(int)].mean())


DIVISIONS = {
    "eighths": ((0, 1 / 2), (1 / 4, 3 / 4, 1 / 3)),
    "triplets": ((0, 1 / 3, 2 / 3), (1 / 4, 1 / 2, 3 / 4)),
    "swing": ((0, 2 / 3), (1 / 4, 1 / 3, 1 / 2)),
    "sixteenths": ((0, 1 / 4, 1 / 2, 3 / 4), (1 / 3, 2 / 3, 1 / 8)),
}


@pytest.mark.parametrize("late", [0.0, 0.17, 0.4])
@pytest.mark.parametrize("division", DIVISIONS)
def test_the_division_is_that_of_the_notes_wherever_they_begin(division: str, late: float) -> None:
    used, others = DIVISIONS[division]
    found = told(on(used[:1], late), on(used, late))
    assert found.sure > 0.999
    assert weights_at(found, used, late) > 0.5
    assert weights_at(found, others, late) < 2 * OFF_GRID


def test_what_is_replaced_tells_more_than_what_stands() -> None:
    found = told(on((0, 1 / 4, 1 / 2, 3 / 4)), on((0, 1 / 2)))
    assert weights_at(found, (0, 1 / 2)) > 0.9
    assert OFF_GRID < weights_at(found, (1 / 4, 3 / 4)) < 0.4


def test_bars_in_sixteenths_among_eighths_are_in_sixteenths() -> None:
    standing = np.concatenate([on((0, 1 / 2)), on((1 / 4, 3 / 4), beats=range(20, 31))])
    found = told(standing, standing)
    assert weights_at(found, (1 / 4, 3 / 4), beats=range(24, 28)) > 0.5
    assert weights_at(found, (1 / 4, 3 / 4), beats=range(2, 8)) < 0.35


def test_where_nothing_is_replaced_beats_may_be_halved() -> None:
    assert 0.2 < weights_at(told(on((0,))), (1 / 2,)) < 0.4
    assert weights_at(told(on((0, 1 / 2))), (1 / 4, 3 / 4)) < 2 * OFF_GRID


def test_a_tempo_that_nobody_follows_tells_nothing() -> None:
    for seed in range(20):
        assert told(np.random.default_rng(seed).uniform(0, 18, 60)).sure < 0.05
    assert told(np.arange(40, dtype=np.float64) * 0.437).sure < 0.05  # steady, in another tempo
    assert told(NOTHING).sure == 0.0
    assert beat_places(on((0,)), NOTHING, NOTHING, 100).sure == 0.0


def test_tempo_changes_are_followed() -> None:
    slower = np.concatenate([[0.0], np.cumsum(np.repeat(np.linspace(0.4, 0.9, BEATS), TWELFTHS) / TWELFTHS)])
    standing = np.concatenate([slower[0:-TWELFTHS:TWELFTHS], slower[6:-TWELFTHS:TWELFTHS]])
    found = beat_places(standing, standing, slower, round(slower[-1] / 0.01))
    assert found.sure > 0.999
    assert found.weights[np.rint(standing / 0.01).astype(int)].mean() > 0.5
    assert found.weights[np.rint(slower[3:-TWELFTHS:6] / 0.01).astype(int)].mean() < 0.1
