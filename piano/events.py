"""Instantaneous events of the piano, as they come from a keyboard and as the model makes them.

An event has no time of its own; `TimedEvent` puts one on a clock in integer nanoseconds: the monotonic clock
live, any origin offline.
"""

from dataclasses import dataclass
from enum import IntEnum

LOWEST_PITCH = 21
"""A0, the lowest of the 88 keys."""

HIGHEST_PITCH = 108
"""C8, the highest of the 88 keys."""


class Role(IntEnum):
    """Who plays an event, as the model sees it."""

    OWN = 0
    """What the model plays; in plain music and call and response, everything."""
    GIVEN = 1
    """What stands: the human's part, or the voice that is given."""


@dataclass(frozen=True, slots=True)
class NoteOn:
    """A key goes down: MIDI pitch 0 to 127, velocity 1 to 127."""

    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class NoteOff:
    """A key comes up."""

    pitch: int


@dataclass(frozen=True, slots=True)
class Pedal:
    """The sustain pedal changes."""

    down: bool


Event = NoteOn | NoteOff | Pedal


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """An event at a moment, in nanoseconds of the clock in use."""

    at_ns: int
    event: Event
    role: Role = Role.OWN
