"""What comes back does not come back for ever, and what was heard tires nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.sampling.drawn_share import RECENT
from piano.sampling.recall_guard import OFTEN, OFTEN_ALONE, RecallGuard

shares = st.lists(st.floats(0, 1), max_size=2 * RECENT)


def drawn(repetitions: list[float], guard: RecallGuard | None = None) -> RecallGuard:
    guard = guard or RecallGuard()
    for repetition in repetitions:
        guard.push(repetition)
    return guard


def heard(repetitions: list[float]) -> RecallGuard:
    guard = RecallGuard()
    for repetition in repetitions:
        guard.hear()
        guard.push(repetition)
    return guard


def test_the_more_repeats_the_less_the_past_is_believed() -> None:
    assert drawn([OFTEN_ALONE / 2] * RECENT).share_left(is_free=True) == 1
    assert drawn([0.7] * RECENT).share_left(is_free=True) == pytest.approx((OFTEN_ALONE / 0.7) ** 2)
    assert drawn([0.9] * RECENT).share_left(is_free=True) < drawn([0.7] * RECENT).share_left(is_free=True)
    assert drawn([0.9] * (RECENT // 5)).share_left(is_free=True) == 1, "a figure or two"
    assert drawn([0.9] * RECENT + [0.0] * RECENT).share_left(is_free=True) == 1, "long ago"


def test_an_answer_may_repeat_as_much_as_the_phrase_does() -> None:
    assert drawn([0.7] * RECENT, heard([0.8] * 200)).share_left(is_free=True) == 1
    assert drawn([0.7] * RECENT, heard([0.1] * 200)).share_left(is_free=True) == pytest.approx((OFTEN / 0.7) ** 2)
    assert drawn([0.7] * RECENT).share_left(is_free=True) < drawn([0.7] * RECENT, heard([0.1] * 200)).share_left(
        is_free=True
    )


def test_what_plays_along_may_repeat_more_than_a_new_piece() -> None:
    assert drawn([0.5] * RECENT).share_left(is_free=False) == 1
    assert drawn([0.5] * RECENT).share_left(is_free=True) < 1


def test_what_was_heard_does_not_count_and_what_is_drawn_after_it_does() -> None:
    assert heard([1.0] * RECENT).share_left(is_free=True) == 1, "nothing has been drawn"
    assert drawn([1.0] * RECENT, heard([0.0] * RECENT)).share_left(is_free=True) == pytest.approx(OFTEN**2)
    again = drawn([1.0] * RECENT, heard([]))
    again.hear()
    assert drawn([1.0], again).share_left(is_free=True) == 1, "a key of the player's begins it anew"


@given(shares, shares, shares)
def test_what_is_taken_back_leaves_no_trace(before: list[float], kept: list[float], taken_back: list[float]) -> None:
    guard = drawn(kept + taken_back, heard(before))
    copy = guard.copy()
    guard.rollback(len(before) + len(kept))
    assert guard.share_left(is_free=True) == drawn(kept, heard(before)).share_left(is_free=True)
    assert copy.share_left(is_free=True) == drawn(kept + taken_back, heard(before)).share_left(is_free=True)
