"""The left hand leads: what the player holds under a split is the chord. For the engine's thread.

A chord is known when keys of three names are held, and stays until others are: what comes up changes nothing. Its keys
need not go down together: it counts from when they have been the same for a moment.
"""

from piano.chords import chord_of
from piano.cues import NO_CHORD
from piano.events import NoteOff, NoteOn, TimedEvent

SETTLES_NS = 60_000_000
"""So long after the last of its keys went down a chord counts."""


class HeldChord:
    """Follows the keys under the split. See `piano.solve.guidance.ChordSource`."""

    def __init__(self) -> None:
        self.below: int | None = None
        """The split, a MIDI pitch that is no longer under it; None if nothing is."""
        self.first_beat = 0
        self._held: set[int] = set()
        self._chord = NO_CHORD
        self._next: tuple[int, int] | None = None  # from when on there is another one, and which

    def hear(self, timed: TimedEvent) -> None:
        """Take what the player did, in order of time."""
        match timed.event:
            case NoteOn(pitch):
                self._held.add(pitch)
                self._name(timed.at_ns)
            case NoteOff(pitch):
                self._held.discard(pitch)

    def _name(self, at_ns: int) -> None:
        self._chord = self.chord_at(at_ns)
        below = self.below
        code = NO_CHORD if below is None else chord_of([pitch for pitch in self._held if pitch < below])
        self._next = None if code in (NO_CHORD, self._chord) else (at_ns + SETTLES_NS, code)

    def chord_at(self, at_ns: int) -> int:
        """Return the code of the chord of a moment, as far as it is known; "no chord" before the first."""
        if self._next is not None and at_ns >= self._next[0]:
            return self._next[1]
        return self._chord

    def forget(self) -> None:
        """Know no chord any more."""
        self._chord, self._next = NO_CHORD, None
