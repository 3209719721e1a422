"""Keys that come again and again become less likely, once more of them do than with pianists; and nothing else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Role
from piano.sampling.drawn_share import RECENT
from piano.sampling.restrike_guard import MUCH, RestrikeGuard
from piano.tokens.vocabulary import VOCABULARY
from tests.piano.sampling.strike_laws import FLAT, Strikes, check_rollback

strikes = st.lists(st.tuples(st.integers(60, 63), st.integers(0, 60)), max_size=150)


def guard(keys: list[tuple[int, int]], *, heard: int = 0) -> RestrikeGuard:
    """Return a guard after keys, each with the steps that went by before it; so many of them were heard."""
    made, step = RestrikeGuard(), 0
    for number, (pitch, wait) in enumerate(keys):
        step += wait
        if number < heard:
            made.hear()
        made.push(pitch, step)
    return made


def loss(made: RestrikeGuard, pitch: int, step: int) -> float:
    return float(-made.adjust(FLAT, step)[VOCABULARY.on(Role.OWN, pitch)])


def test_one_key_for_ever_becomes_less_likely_and_the_others_do_not() -> None:
    hammered = guard([(60, 10)] * RECENT)
    assert loss(hammered, 60, 10 * RECENT + 1) > 1.5
    assert loss(hammered, 61, 10 * RECENT + 1) == 0
    assert np.flatnonzero(hammered.adjust(FLAT, 10 * RECENT + 1)).tolist() == [VOCABULARY.on(Role.OWN, 60)]
    assert hammered.adjust(FLAT, 10 * RECENT + 200) is not FLAT
    assert loss(hammered, 60, 10 * RECENT + 200) == 0, "a second later it is free again"
    assert not FLAT.any(), "never in place"


def test_what_pianists_do_is_left_as_it_is() -> None:
    often = int(MUCH * RECENT)
    fresh = [(30 + 2 * number, 20) for number in range(RECENT - often)]
    assert guard([(20 + 1, 10)] * often + fresh).adjust(FLAT, 10_000) is FLAT
    slow = [(60, 120)] * RECENT  # the same key, but not within a second
    assert guard(slow).adjust(FLAT, 120 * RECENT + 1) is FLAT
    assert guard([(60, 10)] * (often - 1)).adjust(FLAT, 10 * often) is FLAT, "too few to tell"


def test_a_phrase_that_does_so_itself_may_be_gone_on_from_so() -> None:
    phrase = [(60, 10)] * 210
    assert guard(phrase + [(60, 10)] * RECENT, heard=210).adjust(FLAT, 2700) is FLAT
    assert loss(guard([(30 + number % 60, 10) for number in range(200)] + [(60, 10)] * RECENT, heard=200), 60, 2601) > 1


@given(strikes, strikes)
def test_what_is_taken_back_leaves_no_trace(kept: Strikes, taken_back: Strikes) -> None:
    check_rollback(guard, kept, taken_back)
