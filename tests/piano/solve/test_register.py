"""A part lies where that lay which it replaces."""

import numpy as np

from piano.events import LOWEST_PITCH
from piano.notes import NOTE, NoteArray
from piano.solve.register import register_of
from piano.tokens.vocabulary import KEYS


def bass_and_tenor(seconds: int = 30, bass: int = 40) -> NoteArray:
    rows = [(second + at, 0.4, pitch, 70, 0) for second in range(seconds) for at, pitch in ((0.0, bass), (0.5, 55))]
    return np.array(rows, NOTE)


def test_bass_that_was_left_out_becomes_likelier_and_what_there_was_too_much_of_rarer() -> None:
    register = register_of(bass_and_tenor())
    without = register.bias(1000, [(900 + number, 55) for number in range(12)])
    within = register.bias(1000, [(900 + number, (40, 55)[number % 2]) for number in range(12)])
    bass, tenor = 40 - LOWEST_PITCH, 55 - LOWEST_PITCH
    assert without[bass] > within[bass] + 1
    assert without[tenor] < within[tenor] - 0.3
    assert abs(within[bass] - within[tenor]) < 0.3


def test_keys_that_what_is_replaced_never_had_are_rare() -> None:
    bias = register_of(bass_and_tenor()).bias(1000, [(900 + number, 76) for number in range(12)])
    assert bias[80 - LOWEST_PITCH] <= -2.9
    assert bias[47 - LOWEST_PITCH] > -1, "between the two, a key is a neighbour of both"


def test_the_register_changes_with_the_music() -> None:
    notes = np.concatenate([bass_and_tenor(20, 40), bass_and_tenor(20, 30)])
    notes["onset_s"][40:] += 20
    register = register_of(notes)
    both = [(number, (55, 35)[number % 2]) for number in range(12)]
    early, late = register.bias(500, both), register.bias(3500, both)
    assert early[40 - LOWEST_PITCH] > late[40 - LOWEST_PITCH] + 0.5
    assert late[30 - LOWEST_PITCH] > early[30 - LOWEST_PITCH] + 0.5


def test_keys_off_the_piano_count_for_those_at_its_ends() -> None:
    notes = bass_and_tenor()
    notes["pitch"][::2] = 5
    notes["pitch"][1::2] = 120
    bias = register_of(notes).bias(0, [])
    assert bias.shape == (KEYS,)
    assert min(bias[0], bias[-1]) > bias[40] + 1
