"""Keyboards by script, each with its fault, and what the doctor says of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.doctor.finding import Grade
from realtime.doctor.keyboard import keyboard_findings
from realtime.midi.port_events import Received

S, MS = 1_000_000_000, 1_000_000


def keys(velocities: list[int], *, channel: int = 0, every_ms: int = 200) -> list[Received]:
    """A scale, a key for each velocity."""
    played = []
    for number, velocity in enumerate(velocities):
        at_ns = number * every_ms * MS
        played.append(Received(at_ns, bytes((0x90 + channel, 60 + number % 24, velocity))))
        played.append(Received(at_ns + 100 * MS, bytes((0x80 + channel, 60 + number % 24, 64))))
    return played


def pedal(*moves: tuple[float, int]) -> list[Received]:
    return [Received(int(at_s * S), bytes((0xB0, 64, value))) for at_s, value in moves]


LIVELY = [20, 35, 50, 64, 70, 82, 95, 104, 66, 40]
FINE_PEDAL = pedal((3.0, 127), (3.4, 0), (4.0, 127), (4.3, 0))


def said(messages: list[Received], duration_s: float = 10.0) -> dict[str, Grade]:
    found = keyboard_findings(sorted(messages, key=lambda one: one.at_ns), int(duration_s * S))
    for one in found:
        assert (one.grade is Grade.GOOD) or one.remedy, one
    return {one.says: one.grade for one in found}


def test_a_good_keyboard_is_told_to_be_one() -> None:
    assert said(keys(LIVELY) + FINE_PEDAL) == {
        "10 keys on channel 1": Grade.GOOD,
        "velocities from 20 to 104": Grade.GOOD,
        "a pedal that is up or down, 2 presses": Grade.GOOD,
    }


@pytest.mark.parametrize(
    ("messages", "says", "grade"),
    [
        ([], "no key was heard", Grade.FAULT),
        ([Received(number * S, b"\xfe") for number in range(9)], "switched on and connected", Grade.FAULT),
        (FINE_PEDAL, "no key came, but other messages did", Grade.NOTE),
        (keys(LIVELY, channel=9), "channel 10, which is that of drums", Grade.FAULT),
        (keys(LIVELY) + keys([60], channel=9, every_ms=1), "some keys came on channel 10", Grade.NOTE),
        (keys(LIVELY) + keys(LIVELY, channel=1), "two sounds are layered", Grade.FAULT),
        (keys(LIVELY) + keys(LIVELY), "10 keys came twice within 30 ms", Grade.FAULT),
        (keys([64] * 10), "every key has velocity 64", Grade.FAULT),
        (keys([60, 62, 64, 66] * 3), "velocities lie between 60 and 66 only", Grade.NOTE),
        (keys([127] * 7 + [40, 60, 80]), "half of the keys or more have the highest velocity", Grade.NOTE),
        (keys([5, 10, 20, 30, 40, 50, 12, 33]), "no key is louder than velocity 50", Grade.NOTE),
        (keys([64, 30]), "2 keys are too few", Grade.NOTE),
        (keys(LIVELY), "no pedal was heard", Grade.NOTE),
        (pedal((1.0, 0), (1.3, 127), (2.0, 0), (2.3, 127)), "it is reversed", Grade.FAULT),
        (pedal((1.0, 127), (1.3, 40), (2.0, 127), (2.3, 40)), "never comes up below 40", Grade.FAULT),
        (pedal((1.0, 127), (2.0, 127)), "the pedal sent nothing but 127", Grade.NOTE),
        ([Received(number * 2 * MS, b"\xf8") for number in range(5000)], "a flood", Grade.NOTE),
        ([Received(number * 20 * MS, b"\xf8") for number in range(500)], "a MIDI clock comes in", Grade.NOTE),
    ],
)
def test_each_fault_is_found_and_told_with_what_to_do(messages: list[Received], says: str, grade: Grade) -> None:
    found = {text: rating for text, rating in said(messages).items() if says in text}
    assert list(found.values()) == [grade]


def test_a_pedal_that_knows_half_way_is_no_fault() -> None:
    slow = pedal(*((1.0 + number / 50, value) for number, value in enumerate([10, 40, 80, 127, 90, 50, 3])))
    assert said(keys(LIVELY) + slow)["a pedal that knows half-way, 1 presses"] is Grade.GOOD


MESSAGES = st.builds(Received, st.integers(0, 10 * S), st.binary(min_size=1, max_size=3))


@given(st.lists(MESSAGES, max_size=60))
def test_whatever_comes_something_can_be_said(messages: list[Received]) -> None:
    assert said(messages)
