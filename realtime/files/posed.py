"""What a task on a file is, before it is solved and after."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from piano.midi.document import MidiDocument
from piano.midi.file import MidiTrack
from piano.midi.piano_part import PianoPart
from piano.notes import NoteArray
from piano.sampling.sampler import SamplingSettings
from piano.solve.solver import Solution, SolveRequest
from piano.tasks.exercise import Exercise

KEPT_NAME, NEW_NAME, BEFORE_NAME = "kept", "new", "as it was"
"""How the picture calls what is given and what is new."""


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """How the model plays, whatever the task: the settings in force. `strength` is how far it goes, 0 to 1."""

    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    styles: tuple[str, ...] = ()
    strength: float = 0.5


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """A changed file, what there is to see in it, how many notes were asked for, and what there is to say.

    `warning` is what the musician should know before keeping it.
    """

    document: MidiDocument
    picture: tuple[MidiTrack, ...]
    notes: int
    shows_velocities: bool = False
    says: str = ""
    warning: str = ""


def says_of_doubles(part: PianoPart, notes: NoteArray) -> str:
    """Return what becomes of keys that several tracks strike at once where notes, (notes,), go into a file."""
    struck, keys = part.struck_at_once(notes)
    return f"{struck} notes that strike the same key at once became {keys}" if keys else ""


@dataclass(frozen=True, slots=True)
class Posed:
    """A task on a file: the exercises to be solved, each as the request says, and what their answers make of it."""

    exercises: tuple[Exercise, ...]
    request: SolveRequest
    outcome: Callable[[Sequence[Solution]], TaskOutcome]

    @property
    def asked_notes(self) -> int:
        """Return how many notes are asked for, or are given to go by, where those are all there is."""
        return sum(exercise.asked_notes or exercise.given_notes for exercise in self.exercises)
