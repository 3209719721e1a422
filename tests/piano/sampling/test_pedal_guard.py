"""The pedal of a new piece leans back to how much pianists use it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Role
from piano.sampling.pedal_guard import PIANISTS_SHARE, PedalGuard, with_lift
from piano.tokens.vocabulary import VOCABULARY

FLAT = np.zeros(VOCABULARY.size, np.float32)
PRESS, LIFT = (VOCABULARY.pedal(Role.OWN, down=down) for down in (True, False))
keys = st.lists(st.booleans(), max_size=60)


def guard(own: list[bool]) -> PedalGuard:
    made = PedalGuard()
    for down in own:
        made.push(pedal_is_down=down)
    return made


def test_dry_music_is_led_back_to_the_pedal_and_drowned_music_away_from_it() -> None:
    dry, wet = (guard([down] * 100).adjust(FLAT, 1.0) for down in (False, True))
    assert dry[PRESS] > 0 > dry[LIFT]
    assert wet[LIFT] > 0 > wet[PRESS]
    assert np.count_nonzero(dry) == 2, "all else stays as it is"
    assert guard([False] * 100).adjust(FLAT, 2.0)[PRESS] == pytest.approx(2 * dry[PRESS])


def test_at_the_aim_and_without_strength_nothing_changes() -> None:
    usual = [index < 100 * PIANISTS_SHARE for index in range(100)]
    assert guard(usual).adjust(FLAT, 1.0)[PRESS] == pytest.approx(0, abs=1e-6)
    assert guard([]).adjust(FLAT, 1.0)[PRESS] == pytest.approx(0, abs=1e-6)
    assert guard([False] * 100).adjust(FLAT, 0.0) is FLAT


@given(keys, keys)
def test_what_is_taken_back_leaves_no_trace(own: list[bool], taken_back: list[bool]) -> None:
    both = guard(own + taken_back)
    copy = both.copy()
    both.rollback(len(own))
    assert np.array_equal(both.adjust(FLAT, 1.0), guard(own).adjust(FLAT, 1.0))
    assert np.array_equal(copy.adjust(FLAT, 1.0), guard(own + taken_back).adjust(FLAT, 1.0))


def test_a_pedal_under_which_many_keys_were_struck_comes_up_however_unlikely_the_model_thinks_it() -> None:
    forgotten = FLAT.copy()
    forgotten[LIFT] = -40
    may = np.ones(VOCABULARY.size, np.bool_)
    likely = [float(with_lift(forgotten, keys, may)[LIFT] - np.log(VOCABULARY.size)) for keys in (16, 30, 45, 200)]
    assert likely == sorted(likely)
    assert np.exp(likely[2]) == pytest.approx(0.02, rel=0.05)
    assert likely[3] == likely[2]
    assert with_lift(forgotten, 15, may) is forgotten
    assert with_lift(forgotten, 45, np.arange(VOCABULARY.size) != LIFT) is forgotten, "somebody's foot is on it"
    assert forgotten[LIFT] == -40, "never in place"
