"""A key is changed where it was likely missed, and what is changed does not get in the way of what is not."""

import numpy as np

from piano.notes import NOTE
from piano.solve.slip_decision import RIGHT, decided

NOTES = np.array([(0.0, 1.0, 60, 64, 0), (0.5, 1.0, 59, 64, 0), (3.0, 1.0, 62, 64, 0)], NOTE)


def test_a_key_that_was_likely_read_right_stays() -> None:
    found = np.array([61, 59, 63], np.uint8)
    assert decided(NOTES, found, np.array([RIGHT - 0.1, 1.0, RIGHT + 0.1])).tolist() == [61, 59, 62]
    assert decided(NOTES, found, np.zeros(3)).tolist() == found.tolist()
    assert found.tolist() == [61, 59, 63]


def test_what_is_changed_to_a_key_that_stays_after_all_stays_too() -> None:
    found = np.array([61, 60, 63], np.uint8)
    assert decided(NOTES, found, np.array([1.0, 0.0, 0.0])).tolist() == [60, 59, 63]


def test_no_notes_are_no_trouble() -> None:
    assert decided(NOTES[:0], np.zeros(0, np.uint8), np.zeros(0)).size == 0
