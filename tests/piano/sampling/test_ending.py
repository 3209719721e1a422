"""The last chord: in the key and the register of what was played; and what leads there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Role
from piano.sampling.ending import LAST_KEYS, Ending, LastChord
from piano.tokens.vocabulary import VOCABULARY
from piano.tonality import Tonality
from tests.piano.test_tonality import chords

S = 1_000_000_000


@given(st.lists(st.integers(21, 108), max_size=40), st.randoms(use_true_random=False))
def test_whatever_was_played_the_chord_can_be_struck_and_is_whole_with_bass_and_third(
    pitches: list[int], luck: object
) -> None:
    last = LastChord.after(chords(*((pitch,) for pitch in pitches)))
    struck: list[int] = []
    while following := last.following(struck):
        struck.append(luck.choice(sorted(following)))  # type: ignore[attr-defined]
        assert 21 <= struck[-1] <= 108
    assert len(struck) == len(set(struck)) == LAST_KEYS
    assert struck[0] == min(struck)
    assert struck[0] % 12 == last.key.tonic
    assert {pitch % 12 for pitch in struck} <= last.key.chord
    assert last.key.third in {pitch % 12 for pitch in struck}


def test_its_bass_lies_where_the_basses_were_and_is_open_where_it_is_low() -> None:
    last = LastChord.after(chords((36, 64, 67), (41, 65, 69), (43, 62, 71), (36, 64, 72)))
    assert last.key == Tonality(0, is_minor=False)
    assert last.basses == {36}
    assert min(last.following([36])) == 43
    assert min(LastChord.after(chords((60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67))).following([60])) == 64


def test_the_chord_comes_before_the_last_moment_for_a_key_and_without_one_no_key_comes_then() -> None:
    last = LastChord.after([])
    with_chord, without = Ending(S, 7 * S, last), Ending(S, 7 * S)
    assert S < with_chord.chord_ns < with_chord.last_key_ns == without.chord_ns == without.last_key_ns < 7 * S
    with pytest.raises(ValueError, match="not over"):
        Ending(2 * S, S)


def test_keys_foreign_to_the_key_become_less_likely_on_the_way() -> None:
    last = LastChord.after(chords((60, 63, 67), (60, 65, 68), (59, 62, 67), (60, 63, 67)))
    assert last.key == Tonality(0, is_minor=True)
    ending = Ending(0, 10 * S, last)
    early, late = ending.bias(S), ending.bias(5 * S)
    of = [VOCABULARY.on(Role.OWN, pitch) for pitch in (60, 70, 71, 64)]
    assert np.unique(late[of[:3]]).size == 1  # both sevenths are of the key
    assert late[of[3]] < late[of[0]] - 1
    assert early[of[3]] - early[of[0]] > late[of[3]] - late[of[0]]
