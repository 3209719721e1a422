"""A key that went down just now is less likely to go down again, and nothing else changes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Role
from piano.sampling.restrikes import RestrikeGuard
from piano.tokens.vocabulary import VOCABULARY

FLAT = np.zeros(VOCABULARY.size, np.float32)
strikes = st.lists(st.tuples(st.integers(60, 64), st.integers(0, 6)), max_size=40)


def guard(keys: list[tuple[int, int]]) -> RestrikeGuard:
    """Return a guard after keys, each with the steps that went by before it."""
    made, step = RestrikeGuard(), 0
    for pitch, wait in keys:
        step += wait
        made.push(pitch, step)
    return made


def test_the_sooner_the_less_likely_and_after_a_while_as_ever() -> None:
    gains = [guard([(60, 0)]).lean(FLAT, step)[VOCABULARY.on(Role.OWN, 60)] for step in (0, 5, 8, 12, 15)]
    assert gains == sorted(gains)
    assert gains[0] < gains[1] < gains[2] < gains[3] < gains[4] == 0


def test_nothing_but_that_key_changes_and_its_last_strike_counts() -> None:
    leaned = guard([(60, 0), (61, 3), (60, 5)]).lean(FLAT, 9)
    changed = {VOCABULARY.on(Role.OWN, pitch) for pitch in (60, 61)}
    assert set(np.flatnonzero(leaned).tolist()) == changed
    assert leaned[VOCABULARY.on(Role.OWN, 60)] == guard([(60, 0)]).lean(FLAT, 1)[VOCABULARY.on(Role.OWN, 60)]
    assert guard([(60, 0)]).lean(FLAT, 100) is FLAT
    assert not FLAT.any(), "never in place"


@given(strikes, strikes)
def test_what_is_taken_back_leaves_no_trace(kept: list[tuple[int, int]], taken_back: list[tuple[int, int]]) -> None:
    step = sum(wait for _, wait in kept)
    both = guard(kept + taken_back)
    copy = both.copy()
    both.rollback(len(kept))
    assert np.array_equal(both.lean(FLAT, step + 2), guard(kept).lean(FLAT, step + 2))
    later = step + sum(wait for _, wait in taken_back)
    assert np.array_equal(copy.lean(FLAT, later + 2), guard(kept + taken_back).lean(FLAT, later + 2))
