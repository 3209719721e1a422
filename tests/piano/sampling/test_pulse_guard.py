"""What is steady goes on steadily, by as much as the phrase was; chords and free music stay as they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import LOWEST_PITCH, Role
from piano.sampling.pulse_guard import PulseGuard
from piano.tokens.vocabulary import KEYS, LONGEST_TIME_STEPS, VOCABULARY

FLAT = np.zeros(VOCABULARY.size, np.float32)
FLAT.flags.writeable = False
KEY = VOCABULARY.on(Role.OWN, LOWEST_PITCH)
TIME = slice(VOCABULARY.first_time, VOCABULARY.first_time + LONGEST_TIME_STEPS)
STEADY = [25] * 40
FREE = [9, 41, 17, 66, 23, 31, 12, 57, 38, 20, 74, 15, 46, 28, 11, 63, 34, 19, 52, 26] * 2


def guard(heard: list[int], drawn: list[int]) -> tuple[PulseGuard, int]:
    """Return a guard that heard keys so many steps after each other and then had others drawn, and the last step."""
    followed, step = PulseGuard(), 0
    for number, wait in enumerate([*heard, *drawn]):
        step += wait
        if number < len(heard):
            followed.hear()
        followed.push(step)
    return followed, step


def waits(followed: PulseGuard, step: int, strength: float = 1.0) -> np.ndarray:
    """Return what each wait gains, by its length in steps; the first is none."""
    return np.concatenate([[0.0], followed.adjust(FLAT, step, strength)[TIME]])


def test_a_wait_to_the_next_beat_gains_and_one_between_loses() -> None:
    followed, step = guard(STEADY, [25] * 4)
    gains = waits(followed, step)
    assert min(gains[25], gains[50]) > gains[37] + 0.5
    assert gains[1:36].argmax() == 24
    later = waits(followed, step + 10)
    assert later[15] - later[27] == pytest.approx(gains[25] - gains[37], abs=1e-5), "the same moments"
    due = followed.adjust(FLAT, step + 25, 1.0)
    assert due[KEY] > 0.3, "a key that is due gains"
    assert due[VOCABULARY.off(Role.OWN, 60)] == due[KEY], "and releases with it: keys would hang"
    between = followed.adjust(FLAT, step + 37, 1.0)
    assert between[KEY] < -0.3, "one between beats loses"
    assert between[VOCABULARY.off(Role.OWN, 60)] == 0


def test_what_comes_late_does_not_move_the_beat() -> None:
    """The wait after a late key is short: the pulse is of the last seconds, not of the last key."""
    followed, step = guard(STEADY, [25, 25, 29])
    gains = waits(followed, step)
    assert gains[15:35].argmax() + 15 == 21


def test_that_another_key_joins_the_chord_stays_as_likely() -> None:
    followed, step = guard(STEADY, [25] * 4)
    adjusted = followed.adjust(FLAT, step, 1.0)
    assert not adjusted[KEY : KEY + KEYS].any()
    assert np.logaddexp.reduce(adjusted[TIME]) == pytest.approx(np.logaddexp.reduce(FLAT[TIME]), abs=1e-5)


def test_a_free_phrase_is_held_to_less() -> None:
    steady, step = guard(STEADY, [25] * 4)
    free, other = guard(FREE, [25] * 8)
    assert np.ptp(waits(free, other)) < 0.7 * np.ptp(waits(steady, step))


def test_it_does_nothing_at_strength_0_or_with_few_keys() -> None:
    followed, step = guard(STEADY, [25] * 4)
    assert followed.adjust(FLAT, step, 0.0) is FLAT
    few, step = guard([25] * 4, [])
    assert few.adjust(FLAT, step, 1.0) is FLAT
    alone, step_alone = guard([], [25] * 40)
    assert alone.adjust(FLAT, step_alone, 1.0) is FLAT, "nobody's phrase is gone on from"
    assert PulseGuard().adjust(FLAT, 0, 1.0) is FLAT
    assert followed.adjust(FLAT, step + 100_000, 1.0) is FLAT, "after a long rest any moment will do"


def test_music_to_be_played_like_stands_for_a_phrase_until_one_is_heard() -> None:
    steady, free = PulseGuard(), PulseGuard()
    steady.learn(np.cumsum(STEADY).tolist())
    free.learn(np.cumsum(FREE).tolist())
    for number in range(12):
        steady.push(25 * number)
        free.push(25 * number)
    assert np.ptp(waits(free, 275)) < 0.7 * np.ptp(waits(steady, 275))
    for other in (steady, free):
        other.hear()
        other.push(300)
    assert (waits(free, 300) == waits(steady, 300)).all()


keys = st.lists(st.integers(0, 120), max_size=60)


@given(keys, keys, keys)
def test_what_is_taken_back_leaves_no_trace(heard: list[int], kept: list[int], taken_back: list[int]) -> None:
    plain, step = guard(heard, kept)
    copied = plain.copy()
    waits(copied, step)
    at = step
    for wait in taken_back:
        at += wait
        copied.push(at)
        copied.adjust(FLAT, at, 1.0)
    copied.rollback(len(heard) + len(kept))
    for later in (step, step + 2, step + 30):
        assert (copied.adjust(FLAT, later, 1.0) == plain.adjust(FLAT, later, 1.0)).all()
