"""What a loop is made of: layers of notes and pedal at offsets in whole nanoseconds, and the cues that play them.

Plain data without a thread. Nothing of a layer lasts beyond the loop's length: at the seam everything is up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from piano.events import Event, NoteOff, NoteOn, Pedal, TimedEvent
from piano.notes import NOTE, NoteArray, sort_notes

_NS_PER_S = 1e9
_UP, _DOWN, _STRUCK = range(3)
"""What comes first at one moment."""


class Cue(NamedTuple):
    """An event of one voice, at an offset from the beginning of a pass."""

    offset_ns: int
    rank: int
    voice: int
    event: Event


@dataclass(frozen=True, slots=True)
class LoopNote:
    """A note of a layer, by offsets from the beginning of a pass."""

    onset_ns: int
    end_ns: int
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Layer:
    """What was played in one go: its notes in order, and from when to when the pedal was down.

    It sounds from a pass on; `voice` tells its keys from those of others.
    """

    voice: int
    first_pass: int
    notes: tuple[LoopNote, ...]
    pedals: tuple[tuple[int, int], ...]

    def cues(self) -> Iterable[Cue]:
        """Yield its events, in no order."""
        for note in self.notes:
            yield cue_of(note.onset_ns, self.voice, NoteOn(note.pitch, note.velocity))
            yield cue_of(note.end_ns, self.voice, NoteOff(note.pitch))
        for down_ns, up_ns in self.pedals:
            yield cue_of(down_ns, self.voice, Pedal(down=True))
            yield cue_of(up_ns, self.voice, Pedal(down=False))


class Recorder:
    """Writes one layer down as it is played, from a moment on."""

    def __init__(self, start_ns: int, voice: int, first_pass: int = 0, *, pedal: bool = False) -> None:
        """Begin; `pedal` says whether the pedal is down already."""
        self.start_ns = start_ns
        self._voice, self._first_pass = voice, first_pass
        self._notes: list[LoopNote] = []
        self._down: dict[int, tuple[int, int]] = {}  # by pitch: onset and velocity
        self._pedals: list[tuple[int, int]] = []
        self._pedal_ns: int | None = 0 if pedal else None

    def hear(self, timed: TimedEvent) -> None:
        """Take what was played; what came before the beginning counts as played there."""
        at_ns = max(0, timed.at_ns - self.start_ns)
        match timed.event:
            case NoteOn(pitch, velocity):
                self._end(pitch, at_ns)
                self._down[pitch] = at_ns, velocity
            case NoteOff(pitch):
                self._end(pitch, at_ns)
            case Pedal(down) if down and self._pedal_ns is None:
                self._pedal_ns = at_ns
            case Pedal(down) if not down and self._pedal_ns is not None:
                self._pedals.append((self._pedal_ns, at_ns))
                self._pedal_ns = None

    def layer(self, length_ns: int) -> Layer:
        """Return what was played so far; what is still down is held to the end of the loop, and no longer."""
        held = [LoopNote(onset_ns, length_ns, pitch, loud) for pitch, (onset_ns, loud) in self._down.items()]
        notes = [
            LoopNote(note.onset_ns, min(note.end_ns, length_ns), note.pitch, note.velocity)
            for note in (*self._notes, *held)
            if note.onset_ns < length_ns
        ]
        pedals = self._pedals if self._pedal_ns is None else [*self._pedals, (self._pedal_ns, length_ns)]
        return Layer(
            self._voice,
            self._first_pass,
            tuple(sorted(notes, key=lambda note: (note.onset_ns, note.pitch))),
            tuple((down_ns, min(up_ns, length_ns)) for down_ns, up_ns in pedals if down_ns < min(up_ns, length_ns)),
        )

    def _end(self, pitch: int, at_ns: int) -> None:
        if pitch in self._down:
            onset_ns, velocity = self._down.pop(pitch)
            self._notes.append(LoopNote(onset_ns, max(at_ns, onset_ns + 1), pitch, velocity))


class Voices:
    """One keyboard under several voices: whoever struck a key last lifts it; the pedal is down while any holds it."""

    def __init__(self) -> None:
        self._holder: dict[int, int] = {}  # by pitch
        self._on_pedal: set[int] = set()

    def play(self, voice: int, event: Event) -> Event | None:
        """Return the event if it changes what sounds."""
        match event:
            case NoteOn(pitch):
                self._holder[pitch] = voice
                return event
            case NoteOff(pitch):
                return event if self._lift(voice, pitch) else None
            case Pedal(True):
                is_first = not self._on_pedal
                self._on_pedal.add(voice)
                return event if is_first else None
        return event if self._release_voice(voice) else None

    def release(self, staying: Iterable[int] = ()) -> list[Event]:
        """Return what releases all that voices hold, but for those that stay."""
        stay = set(staying)
        gone = [(voice, pitch) for pitch, voice in self._holder.items() if voice not in stay]
        released: list[Event] = [NoteOff(pitch) for voice, pitch in gone if self._lift(voice, pitch)]
        if self._on_pedal and not self._on_pedal & stay:
            released.append(Pedal(down=False))
        self._on_pedal &= stay
        return released

    def copy(self) -> "Voices":
        """Return an independent copy."""
        other = Voices()
        other._holder, other._on_pedal = dict(self._holder), set(self._on_pedal)
        return other

    def _lift(self, voice: int, pitch: int) -> bool:
        if self._holder.get(pitch) != voice:
            return False
        del self._holder[pitch]
        return True

    def _release_voice(self, voice: int) -> bool:
        """Take one voice off the pedal; say whether it comes up by that."""
        was_on = voice in self._on_pedal
        self._on_pedal.discard(voice)
        return was_on and not self._on_pedal


def cue_of(offset_ns: int, voice: int, event: Event) -> Cue:
    """Return the cue of an event."""
    match event:
        case NoteOn():
            return Cue(offset_ns, _STRUCK, voice, event)
        case Pedal(True):
            return Cue(offset_ns, _DOWN, voice, event)
    return Cue(offset_ns, _UP, voice, event)


def loop_cues(layers: Sequence[Layer]) -> list[Cue]:
    """Return the events of layers in the order in which they are played."""
    return sorted((cue for layer in layers for cue in layer.cues()), key=lambda cue: cue[:3])


def loop_events(layers: Sequence[Layer]) -> list[tuple[int, Event]]:
    """Return what is heard of layers that sound together, by offset: one keyboard's events."""
    voices = Voices()
    heard = ((cue.offset_ns, voices.play(cue.voice, cue.event)) for cue in loop_cues(layers))
    return [(offset_ns, event) for offset_ns, event in heard if event is not None]


def loop_notes(layers: Sequence[Layer]) -> NoteArray:
    """Return the notes of layers, in seconds from the beginning of a pass."""
    rows = [
        (note.onset_ns / _NS_PER_S, (note.end_ns - note.onset_ns) / _NS_PER_S, note.pitch, note.velocity, 0)
        for layer in layers
        for note in layer.notes
    ]
    return sort_notes(np.array(rows, NOTE))
