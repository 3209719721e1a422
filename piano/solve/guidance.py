"""What guides a stream beside the notes: the seam between it and whoever knows the time and the changes."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from piano.sampling.harmony import adjust
from piano.session import Logits
from piano.tokens.grammar import Mask


class CueSource(Protocol):
    """Tells cues one by one; see `realtime.beat.beat_cues.BeatCues`."""

    first_beat: int
    """The beat with which the changes begin."""

    def after(self, at_ns: int, code: int) -> tuple[int, int] | None:
        """Return the moment and the code of the cue that follows one that was told; None if none is known."""
        ...


class ChordSource(Protocol):
    """Tells which chord sounds when."""

    first_beat: int
    """The beat with which the changes begin."""

    def chord_at(self, at_ns: int) -> int:
        """Return the code of the chord that sounds at a moment; one that names no chord where none is known."""
        ...


@dataclass(frozen=True, slots=True)
class Guidance:
    """What is told to a model that knows cues, and how strongly keys lean to the chord."""

    cues: CueSource | None = None
    chords: ChordSource | None = None
    strength: float = 0.0
    is_held: bool = False
    """Whether the chords are those that the player holds: no beat tells them before they are there."""

    def begin(self, beat: int) -> None:
        """Let the changes begin with a beat."""
        for source in (self.cues, self.chords):
            if source is not None:
                source.first_beat = beat

    def adjust(self, logits: Logits, mask: Mask, at_ns: int) -> Logits:
        """Return logits, (vocab,), that lean to the chord of a moment."""
        if self.chords is None or self.strength <= 0:
            return logits
        return adjust(logits, mask, self.chords.chord_at(at_ns), self.strength)


@runtime_checkable
class TakesGuidance(Protocol):
    """A performer whose playing can be guided."""

    def guide(self, guidance: Guidance) -> None:
        """Be guided from the next event on."""
        ...
