"""Keys that went down just now, and those beside them, are less likely, and nothing else changes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from piano.events import Role
from piano.sampling.recent_keys import RecentKeysGuard
from piano.tokens.vocabulary import VOCABULARY
from tests.piano.sampling.strike_laws import FLAT, Strikes, check_rollback

strikes = st.lists(st.tuples(st.integers(60, 64), st.integers(0, 6)), max_size=40)


def guard(keys: list[tuple[int, int]]) -> RecentKeysGuard:
    """Return a guard after keys, each with the steps that went by before it."""
    made, step = RecentKeysGuard(), 0
    for pitch, wait in keys:
        step += wait
        made.push(pitch, step)
    return made


def test_the_sooner_the_less_likely_and_after_a_while_as_ever() -> None:
    gains = [guard([(60, 0)]).adjust(FLAT, step)[VOCABULARY.on(Role.OWN, 60)] for step in (0, 5, 8, 12, 15)]
    assert gains == sorted(gains)
    assert gains[0] < gains[1] < gains[2] < gains[3] < gains[4] == 0


def changed(leaned: NDArray[np.float32]) -> list[int]:
    return [int(VOCABULARY.values[token]) for token in np.flatnonzero(leaned)]


def test_a_key_struck_together_with_others_is_hardly_beside_one() -> None:
    leaned = guard([(60, 0), (76, 1)]).adjust(FLAT, 1)
    assert changed(leaned) == [47, 49, 58, 59, 60, 61, 62, 74, 75, 76, 77, 78, 87, 89]
    assert changed(guard([(60, 0)]).adjust(FLAT, 3)) == [60], "a run is not struck together"
    assert all(VOCABULARY.roles[token] == Role.OWN for token in np.flatnonzero(leaned))


def test_the_last_strike_of_a_key_counts() -> None:
    leaned = guard([(60, 0), (61, 3), (60, 5)]).adjust(FLAT, 12)
    assert changed(leaned) == [60, 61]
    assert leaned[VOCABULARY.on(Role.OWN, 60)] == guard([(60, 0)]).adjust(FLAT, 4)[VOCABULARY.on(Role.OWN, 60)]
    assert guard([(60, 0)]).adjust(FLAT, 100) is FLAT
    assert not FLAT.any(), "never in place"


@given(strikes, strikes)
def test_what_is_taken_back_leaves_no_trace(kept: Strikes, taken_back: Strikes) -> None:
    check_rollback(guard, kept, taken_back)
