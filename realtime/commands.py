"""What a player or a program may tell the engine, beside the notes: the records of the control seam.

Each is carried out on the engine's thread, in the order in which they came, between two events.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime.call_and_response import AnswerSettings
    from realtime.trigger import Trigger


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


@dataclass(frozen=True, slots=True)
class ChangeListening:
    """Listen to another channel, and take another key or controller for a wish."""

    channel: int | None
    trigger: "Trigger"


@dataclass(frozen=True, slots=True)
class Quit:
    """End the engine."""


Command = HandOver | StopPlaying | NewPiece | Panic | Retry | ChangePlaying | ChangeListening | Quit
"""A command as it is put into the engine's inbox."""
