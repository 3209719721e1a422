"""What a player or a program may tell the engine, beside the notes: the records of the control seam.

Each is carried out on the engine's thread, in the order in which they came, between two events.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from realtime.midi.ports import Direction

if TYPE_CHECKING:
    from realtime.engine.mode_chooser import ModeChooser
    from realtime.engine.trigger import Trigger
    from realtime.performers.call_and_response import AnswerSettings
    from realtime.performers.duet import DuetSettings
    from realtime.performers.loop.performer import LoopSettings
    from realtime.performers.velocity_repair import VelocitySettings


class Mode(StrEnum):
    """A way of playing."""

    ANSWER = "answer"
    """Call and response: wait for the end of a phrase, then go on in its manner."""
    DUET = "duet"
    """Play along, another voice of the same music."""
    LOOP = "loop"
    """Repeat a phrase, and play the missing voice over each pass of it."""
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
class Keep:
    """Hold on to this answer of a loop, and make what is played from now on part of it."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the last change of a loop back: a layer, an answer, at last the recording."""


@dataclass(frozen=True, slots=True)
class ChangePlaying:
    """Listen and answer in another way from the next event on; what is planned beyond it is planned anew."""

    answers: "AnswerSettings"
    head: tuple[int, ...]
    """How the stream begins: its styles."""
    mode: Mode = Mode.ANSWER
    duet: "DuetSettings | None" = None
    """How to play along; as by default if not given."""
    loop: "LoopSettings | None" = None
    """How to loop; as by default if not given."""
    velocity: "VelocitySettings | None" = None
    """How to find velocities; as by default if not given."""


@dataclass(frozen=True, slots=True)
class ChangeListening:
    """Listen to another channel, and take other messages for a wish or for the choice of a mode."""

    channel: int | None
    trigger: "Trigger"
    modes: "ModeChooser"


@dataclass(frozen=True, slots=True)
class ChoosePort:
    """Listen to another port, or play on another: by its name, or one of our own making (None)."""

    direction: Direction
    name: str | None


@dataclass(frozen=True, slots=True)
class ExchangeModel:
    """Go on with another model, which is loaded: `exchange` does that, or tells by itself why it cannot be."""

    exchange: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Quit:
    """End the engine."""


Command = (
    HandOver
    | StopPlaying
    | NewPiece
    | Panic
    | Retry
    | Keep
    | Undo
    | ChangePlaying
    | ChangeListening
    | ChoosePort
    | ExchangeModel
    | Quit
)
"""A command as it is put into the engine's inbox."""
