"""What a player or a program may tell the engine, beside the notes: the records of the control seam.

Each is carried out on the engine's thread, in the order in which they came, between two events.
"""

from collections.abc import Callable
from dataclasses import dataclass

from realtime.midi.ports import Direction
from realtime.performers.play_settings import PlaySettings


@dataclass(frozen=True, slots=True)
class HandOver:
    """Answer now."""


@dataclass(frozen=True, slots=True)
class StopPlaying:
    """Stop the answer and listen."""


@dataclass(frozen=True, slots=True)
class ComeToEnd:
    """Bring what is played to an end within some seconds, and listen."""


@dataclass(frozen=True, slots=True)
class NewPiece:
    """Stop, and forget what was played so far."""


@dataclass(frozen=True, slots=True)
class Panic:
    """Silence everything. Who gives it silences the output first: the engine may be waiting for a model that hangs."""


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

    settings: PlaySettings


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
class Tap:
    """A tap of the tempo at a moment."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class BeatsMoved:
    """The beats lie elsewhere than before; the musical clock tells where."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End the engine."""


Command = (
    HandOver
    | StopPlaying
    | ComeToEnd
    | NewPiece
    | Panic
    | Retry
    | Keep
    | Undo
    | ChangePlaying
    | ChoosePort
    | ExchangeModel
    | Tap
    | BeatsMoved
    | Quit
)
"""A command as it is put into the engine's inbox."""
