"""What a player or a program may tell the engine, beside the notes: the records of the control seam.

Each is carried out on the engine's thread, in the order in which they came, between two events.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from realtime.ports import Direction

if TYPE_CHECKING:
    from realtime.call_and_response import AnswerSettings
    from realtime.duet import DuetSettings
    from realtime.trigger import Trigger
    from realtime.velocity_repair import VelocitySettings


class Mode(StrEnum):
    """A way of playing."""

    ANSWER = "answer"
    """Call and response: wait for the end of a phrase, then go on in its manner."""
    DUET = "duet"
    """Play along, another voice of the same music."""
    VELOCITY = "velocity"
    """Give back each key that is played, as hard as it should have been struck."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Answer now."""


@dataclass(frozen=True, slots=True)
class StopPlaying:
    """Stop the answer and listen."""


@dataclass(frozen=True, slots=True)
class NewPiece:
    """Stop, and forget what was played so far."""


@dataclass(frozen=True, slots=True)
class Panic:
    """Silence everything."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Take the last answer back and give another to the same phrase."""


@dataclass(frozen=True, slots=True)
class ChangePlaying:
    """Listen and answer in another way from the next event on; what is planned beyond it is planned anew."""

    answers: "AnswerSettings"
    head: tuple[int, ...]
    """How the stream begins: its styles."""
    mode: Mode = Mode.ANSWER
    duet: "DuetSettings | None" = None
    """How to play along; as by default if not given."""
    velocity: "VelocitySettings | None" = None
    """How to find velocities; as by default if not given."""


@dataclass(frozen=True, slots=True)
class ChangeListening:
    """Listen to another channel, and take another key or controller for a wish."""

    channel: int | None
    trigger: "Trigger"


@dataclass(frozen=True, slots=True)
class ChoosePort:
    """Listen to another port, or play on another: by its name, or one of our own making (None)."""

    direction: Direction
    name: str | None


@dataclass(frozen=True, slots=True)
class Quit:
    """End the engine."""


Command = HandOver | StopPlaying | NewPiece | Panic | Retry | ChangePlaying | ChangeListening | ChoosePort | Quit
"""A command as it is put into the engine's inbox."""
