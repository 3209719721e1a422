"""The pedal leans back to how much it was used: where it was heard, or where a new piece is played."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Role
from piano.sampling.pedal_guard import PIANISTS_SHARE, PedalGuard
from piano.sampling.phrase_guard import FEWEST
from piano.tokens.vocabulary import VOCABULARY

FLAT = np.zeros(VOCABULARY.size, np.float32)
PRESS, LIFT = (VOCABULARY.pedal(Role.OWN, down=down) for down in (True, False))
keys = st.lists(st.booleans(), max_size=60)


def guard(heard: list[bool], own: list[bool]) -> PedalGuard:
    made = PedalGuard()
    for down in heard:
        made.hear(pedal_is_down=down)
    for down in own:
        made.push(pedal_is_down=down)
    return made


def test_a_dry_answer_to_a_phrase_with_pedal_is_led_back_and_the_other_way_round() -> None:
    dry = guard([True] * 40, [False] * 40).lean(FLAT, 1.0, is_alone=False)
    wet = guard([False] * 40, [True] * 40).lean(FLAT, 1.0, is_alone=False)
    assert dry[PRESS] > 0 > dry[LIFT]
    assert wet[LIFT] > 0 > wet[PRESS]
    assert np.count_nonzero(dry) == 2, "all else stays as it is"
    assert guard([True] * 40, [False] * 40).lean(FLAT, 2.0, is_alone=False)[PRESS] > dry[PRESS]


def test_at_the_aim_nothing_changes() -> None:
    phrase = [True, False, False, True] * 10
    assert abs(guard(phrase, [True, False] * 20).lean(FLAT, 1.0, is_alone=False)[PRESS]) < 0.02
    assert guard([], []).lean(FLAT, 1.0, is_alone=True)[PRESS] == 0
    usual = [index < 100 * PIANISTS_SHARE for index in range(100)]
    assert abs(guard([], usual).lean(FLAT, 1.0, is_alone=True)[PRESS]) < 1e-6


def test_without_a_phrase_only_a_new_piece_has_an_aim() -> None:
    assert guard([True] * (FEWEST - 1), [False] * 40).lean(FLAT, 1.0, is_alone=False) is FLAT
    assert guard([], [False] * 40).lean(FLAT, 1.0, is_alone=True)[PRESS] > 0
    assert guard([True] * 40, [False] * 40).lean(FLAT, 0.0, is_alone=True) is FLAT


@given(keys, keys, keys)
def test_what_is_taken_back_leaves_no_trace(heard: list[bool], own: list[bool], taken_back: list[bool]) -> None:
    both = guard(heard, own + taken_back)
    copy = both.copy()
    both.rollback(len(own))
    expected = guard(heard, own).lean(FLAT, 1.0, is_alone=True)
    assert np.array_equal(both.lean(FLAT, 1.0, is_alone=True), expected)
    assert np.array_equal(
        copy.lean(FLAT, 1.0, is_alone=True), guard(heard, own + taken_back).lean(FLAT, 1.0, is_alone=True)
    )
