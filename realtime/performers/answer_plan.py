"""What is being played of an answer, or of a turn of bars, and what it answers. Plain state, on the engine's thread."""

from dataclasses import dataclass, field

from piano.events import NoteOn, TimedEvent
from piano.sampling.ending import Ending
from piano.solve.stream_state import StreamPlace
from realtime.performers.joining import Joining

REST_NS = 300_000_000
"""A rest as long as this ends an answer that has been long enough."""

LONGEST_OVERTIME = 0.6
"""An answer that finds no rest ends after this share of its length beyond it."""


@dataclass(slots=True)
class Answer:
    """An answer that is being played."""

    from_ns: int
    enough_ns: int | None
    epoch: int
    planned_ns: int
    """The moment of the last event that was sampled."""
    notes_per_s: float
    """How busy it is to be."""
    first_note_ns: int | None = None
    last_note_ns: int | None = None
    is_complete: bool = False
    """Whether nothing more is to be sampled."""
    joining: Joining = field(default_factory=Joining)
    ending: Ending | None = None
    """Where it is being brought to an end: from when, and by when."""

    def is_over(self, proposed: TimedEvent, own_keys: frozenset[int]) -> bool:
        """Say whether an answer that was long enough ends before a proposed event; `own_keys` sound after it."""
        if self.enough_ns is None or not isinstance(proposed.event, NoteOn):
            return False
        if proposed.at_ns < self.enough_ns or proposed.at_ns == self.last_note_ns:  # a chord is played whole
            return False
        is_rest = not own_keys - {proposed.event.pitch} and proposed.at_ns - self.planned_ns >= REST_NS
        length_ns = self.enough_ns - self.from_ns
        return is_rest or proposed.at_ns >= self.enough_ns + LONGEST_OVERTIME * length_ns


@dataclass(frozen=True, slots=True)
class AnswerPrompt:
    """What the last answer answered."""

    mark: StreamPlace
    from_ns: int
    length_ns: int | None
    """How long the phrase was; None where nothing was played, and a piece begins."""


@dataclass(slots=True)
class Solo:
    """A turn of pianod's that is being played."""

    number: int
    from_ns: int
    ends_ns: int
    planned_ns: int
    notes_per_s: float
    has_entered: bool = False
    is_complete: bool = False
    ending: Ending | None = None
    """Where it is being brought to an end."""
