"""The end of a phrase: how long a pause must be, by how it was played."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import NoteOff, NoteOn, Pedal, TimedEvent
from realtime.performers.phrase_detector import PhraseDetector
from realtime.performers.play_settings import PauseSettings
from tests.support.scripted_play import MS, S

PAUSES = PauseSettings(700 * MS, 1500 * MS)


def after(onset_ms: list[int], held_ms: int = 40) -> PhraseDetector:
    listener = PhraseDetector(PAUSES)
    for at_ms in onset_ms:
        listener.hear(TimedEvent(at_ms * MS, NoteOn(60, 60)))
        listener.hear(TimedEvent((at_ms + held_ms) * MS, NoteOff(60)))
    return listener


@pytest.mark.parametrize(
    ("gap_ms", "pause_ms"), [(100, 700), (300, 700), (400, 800), (600, 1200), (740, 1480), (800, 1500), (2000, 1500)]
)
def test_the_pause_follows_the_pace_within_its_bounds(gap_ms: int, pause_ms: int) -> None:
    listener = after([index * gap_ms for index in range(8)])
    assert listener.pause_ns() == pause_ms * MS
    assert listener.ends_ns() == (7 * gap_ms + 40 + pause_ms) * MS
    assert listener.length_ns == (7 * gap_ms + 40) * MS


def test_the_slower_of_the_intervals_decide() -> None:
    long_short = after([0, 100, 600, 700, 1200, 1300, 1800, 1900, 2400])
    assert long_short.pause_ns() == 1000 * MS


def test_a_chord_is_one_onset() -> None:
    chords = [start + spread for start in range(0, 4000, 500) for spread in (0, 10, 20)]
    assert after(chords, 1).pause_ns() == 1000 * MS


def test_with_few_notes_nothing_is_known_of_the_pace() -> None:
    assert after([0, 100, 200]).pause_ns() == 1500 * MS
    assert after([0, 100, 200, 300]).pause_ns() == 700 * MS


def test_while_a_key_is_held_the_longest_pause_must_pass() -> None:
    listener = after([index * 100 for index in range(8)])
    listener.hear(TimedEvent(S, NoteOn(64, 60)))
    assert listener.ends_ns() == S + 1500 * MS
    assert listener.held == {64}
    listener.hear(TimedEvent(2 * S, NoteOff(64)))
    assert listener.ends_ns() == 2 * S + 700 * MS


def test_nothing_played_is_no_phrase_and_a_pedal_is_not_playing() -> None:
    listener = PhraseDetector(PAUSES)
    listener.hear(TimedEvent(S, Pedal(down=True)))
    listener.hear(TimedEvent(S, NoteOff(60)))
    assert listener.ends_ns() is None
    assert listener.pedal_is_down
    assert listener.length_ns == 0


def test_after_an_answer_a_new_phrase_begins_at_the_pace_that_is_known() -> None:
    listener = after([index * 100 for index in range(8)])
    listener.answered()
    assert listener.ends_ns() is None
    listener.hear(TimedEvent(9 * S, NoteOn(60, 60)))
    listener.hear(TimedEvent(9 * S + MS, NoteOff(60)))
    assert listener.start_ns == 9 * S
    assert listener.pause_ns() == 700 * MS


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=40).map(sorted))
def test_the_pause_keeps_to_its_bounds(onset_ms: list[int]) -> None:
    assert PAUSES.shortest_ns <= after(onset_ms).pause_ns() <= PAUSES.longest_ns
