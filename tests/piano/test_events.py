"""Live events are plain frozen records."""

from dataclasses import FrozenInstanceError

import pytest

from piano.events import NoteOff, NoteOn, Pedal, Role, TimedEvent


def test_an_event_cannot_be_changed() -> None:
    event = NoteOn(60, 64)
    with pytest.raises(FrozenInstanceError):
        event.pitch = 61  # type: ignore[misc]


def test_events_are_equal_by_what_they_say() -> None:
    assert TimedEvent(5, NoteOff(60)) == TimedEvent(5, NoteOff(60), Role.OWN)
    assert TimedEvent(5, NoteOff(60)) != TimedEvent(5, NoteOff(60), Role.GIVEN)
    assert len({Pedal(True), Pedal(down=True), Pedal(False)}) == 2


def test_the_numbers_of_the_roles_are_those_of_the_vocabulary() -> None:
    assert [int(role) for role in Role] == [0, 1]
    assert (Role.OWN, Role.GIVEN) == (0, 1)
