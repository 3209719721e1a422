"""What an exercise is: a performance in which some things are given, some asked, and some known beforehand."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from piano.events import Role
from piano.notes import NoteArray, NoteMask, Performance
from piano.tokens.encoding import RoleArray


class Asked(Enum):
    """Which tokens of a window the model has to find; all others are forced."""

    OWN_EVENTS = "own events"
    """Every event of the role OWN, with its time."""
    VELOCITIES = "velocities"
    """The velocity of each note and nothing else."""


class PreviewClock(Enum):
    """How the times of a preview belong to those of the window that it announces."""

    SHARED = "shared"
    """One clock for both: a note is shown where it will be played, or (noisy onsets) near it."""
    ORDER = "order"
    """The preview has a time of its own; its notes are those of the performance, one by one, in their order."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a performance, in seconds, in which all notes that begin are asked."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known before it is played; a preview is always shown in the role GIVEN.

    Onset, pitch and, if `shows_velocity`, velocity of `notes` are shown; releases and pedal never are. `margin_s` is
    how far, in seconds, a shown onset may lie from the one that will be played.
    """

    notes: NoteArray
    shows_velocity: bool = True
    clock: PreviewClock = PreviewClock.SHARED
    margin_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Exercise:
    """A performance with a role for each note and pedal change: together they are the whole original.

    `asked` says which of its tokens the model must find. `preview` is None where nothing can be known beforehand
    (a duet). `gaps` are the stretches before each of which a preview stands; without any, previews stand at regular
    distances. `readings` are the velocities as a keyboard reported them, where velocities are asked: they stand in the
    stream in place of the true ones.
    """

    task: str
    performance: Performance
    roles: RoleArray  # (notes,)
    pedal_roles: RoleArray  # (pedals,)
    asked: Asked = Asked.OWN_EVENTS
    preview: Preview | None = None
    gaps: tuple[Gap, ...] = ()
    readings: NDArray[np.uint8] | None = None  # (notes,)

    @property
    def as_heard(self) -> Performance:
        """Return the performance with the velocities that stand in the stream."""
        if self.readings is None:
            return self.performance
        notes = self.performance.notes.copy()
        notes["velocity"] = self.readings
        return Performance(notes, self.performance.pedals, self.performance.cues)

    @property
    def asked_notes(self) -> int:
        """Return how many notes have something that is asked."""
        return int((self.roles == Role.OWN).sum())

    @property
    def given_notes(self) -> int:
        """Return how many notes stand as they are."""
        return int((self.roles == Role.GIVEN).sum())


def roles_of(own: NoteMask) -> RoleArray:
    """Return the role of each note (or pedal change) from whether it is the model's own."""
    return np.where(own, np.uint8(Role.OWN), np.uint8(Role.GIVEN))
