"""Two or three keys that go round become less likely, once they are fewer than with pianists; and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import LOWEST_PITCH, Role
from piano.sampling.few_keys_guard import FEWEST, FewKeysGuard
from piano.tokens.vocabulary import KEYS, VOCABULARY
from tests.piano.sampling.strike_laws import FLAT

ALL = np.ones(VOCABULARY.size, np.bool_)
FIRST = VOCABULARY.on(Role.OWN, LOWEST_PITCH)
OWN_KEYS = np.arange(FIRST, FIRST + KEYS)

pitches = st.lists(st.integers(60, 63), max_size=90)


def guard(pitches: list[int], *, heard: int = 0) -> FewKeysGuard:
    """Return a guard after keys; so many of them were heard."""
    made = FewKeysGuard()
    for number, pitch in enumerate(pitches):
        if number < heard:
            made.hear()
        made.push(pitch)
    return made


def likelihoods(made: FewKeysGuard) -> list[float]:
    return [float(made.adjust(FLAT, ALL)[VOCABULARY.on(Role.OWN, pitch)]) for pitch in (60, 72)]


@pytest.mark.parametrize(("notes", "fewest"), FEWEST.items())
def test_notes_of_fewer_keys_than_pianists_make_those_keys_rarer(notes: int, fewest: int) -> None:
    earlier = list(range(21, 109)) if notes > 12 else []
    enough = earlier + [60 + number % fewest for number in range(notes)]
    if notes == 12:
        assert guard(enough).adjust(FLAT, ALL) is FLAT
        assert guard([60] * (notes - 1)).adjust(FLAT, ALL) is FLAT, "too few to tell"
    few, other = likelihoods(guard(earlier + [60 + number % (fewest - 1) for number in range(notes)]))
    assert few < 0 < other


def test_that_a_key_goes_down_at_all_stays_as_likely_and_nothing_else_changes() -> None:
    adjusted = guard([60, 62] * 30).adjust(FLAT, ALL)
    assert np.logaddexp.reduce(adjusted[OWN_KEYS]) == pytest.approx(np.logaddexp.reduce(FLAT[OWN_KEYS]), abs=1e-4)
    assert not np.delete(adjusted, OWN_KEYS).any()
    assert not FLAT.any(), "never in place"


def test_where_nothing_else_is_allowed_it_may_go_on() -> None:
    only = np.zeros_like(ALL)
    only[[VOCABULARY.on(Role.OWN, 60), VOCABULARY.on(Role.OWN, 62)]] = True
    assert guard([60, 62] * 30).adjust(FLAT, only)[only] == pytest.approx([0, 0], abs=1e-5)
    assert guard([60, 62] * 30).adjust(FLAT, ~ALL) is FLAT


def test_a_phrase_that_was_of_as_few_keys_may_be_gone_on_from_so() -> None:
    vamp = [48, 55] * 40
    assert guard(vamp + vamp, heard=len(vamp)).adjust(FLAT, ALL) is FLAT
    many = list(range(30, 100))
    assert guard(vamp + many + vamp, heard=len(vamp + many)).adjust(FLAT, ALL) is FLAT, "it was so once"
    few, other = likelihoods(guard(many + [60, 62] * 20, heard=len(many)))
    assert few < other - 2


@given(pitches, pitches, st.integers(0, 90))
def test_what_is_taken_back_leaves_no_trace(kept: list[int], taken_back: list[int], heard: int) -> None:
    heard = min(heard, len(kept))
    both = guard(kept + taken_back, heard=heard)
    both.adjust(FLAT, ALL)
    copy = both.copy()
    both.rollback(len(kept))
    assert np.array_equal(both.adjust(FLAT, ALL), guard(kept, heard=heard).adjust(FLAT, ALL))
    assert np.array_equal(copy.adjust(FLAT, ALL), guard(kept + taken_back, heard=heard).adjust(FLAT, ALL))
