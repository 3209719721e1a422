"""What a player or a program may tell the engine, beside the notes: the records of the control seam.

Each is carried out on the engine's thread, in the order in which they came, between two events.
"""

from dataclasses import dataclass


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
class Quit:
    """End the engine."""


Command = HandOver | StopPlaying | NewPiece | Panic | Quit
"""A command as it is put into the engine's inbox."""
