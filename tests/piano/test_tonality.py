"""The key of music: found in every key, from tokens, whoever plays."""

import numpy as np
import pytest

from piano.events import Role
from piano.tokens.vocabulary import VOCABULARY
from piano.tonality import Tonality, sounding_s, tonality_of


def chords(*chords: tuple[int, ...], role: Role = Role.OWN) -> list[int]:
    """Return tokens of chords of a second each."""
    tokens = []
    for chord in chords:
        for pitch in chord:
            tokens += [VOCABULARY.on(role, pitch), VOCABULARY.velocity(16)]
        tokens.append(VOCABULARY.time(100))
        tokens += [VOCABULARY.off(role, pitch) for pitch in chord]
    return tokens


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_is_in_its_key(tonic: int, role: Role) -> None:
    major = chords((60, 64, 67), (60, 65, 69), (59, 62, 67), (60, 64, 67), role=role)
    minor = chords((60, 63, 67), (60, 65, 68), (59, 62, 67), (60, 63, 67), role=role)
    for tokens, is_minor in ((major, False), (minor, True)):
        found = tonality_of(np.roll(sounding_s(tokens), tonic))
        assert found == Tonality(tonic, is_minor)


def test_nothing_has_the_key_of_c_and_a_key_that_is_still_down_sounds() -> None:
    assert tonality_of(np.zeros(12)) == Tonality(0, is_minor=False)
    down = [VOCABULARY.on(Role.OWN, 69), VOCABULARY.velocity(9), VOCABULARY.time(50)]
    later = [VOCABULARY.on(Role.OWN, 60), VOCABULARY.velocity(9), VOCABULARY.time(50)]
    assert sounding_s(down + later)[9] == pytest.approx(0.5), "what is waited for behind it is not known yet"


def test_the_tonics_chord_has_the_third_of_its_mode() -> None:
    assert Tonality(9, is_minor=True).chord == {9, 0, 4}
    assert Tonality(9, is_minor=False).chord == {9, 1, 4}
