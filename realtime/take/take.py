"""A take: all that was played and answered, as it went over the wire, kept in memory.

Each of its logs has one writing thread, which only appends; whoever reads, on any thread, sees what is there. On
disk it is a journal (`journal.py`), and at the end a MIDI file (`take_midi.py`).
"""

import heapq
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from piano.events import NoteOn, Pedal, TimedEvent
from piano.midi.file import MidiTrack
from piano.notes import NOTE, PEDAL, Performance, sort_notes
from realtime.midi.message import DRUM_CHANNEL, MessageKind, bytes_of, channel_of, event_of, kind_of, on_channel
from realtime.take.message_log import MessageLog

PLAYER, PIANOD, PASSED_ON = "player", "pianod", "passed on"


class TakeSource(StrEnum):
    """Where a message of a take comes from."""

    PLAYED = "played"
    """From the player's keyboard, as it came."""
    OWN = "own"
    """From the model, as it went out."""
    PASSED = "passed"
    """From the player's keyboard, as it went on to the output: with another velocity, in velocity mode."""


@dataclass(frozen=True, slots=True)
class TakeRecord:
    """One message of a take, with its moment in nanoseconds of the clock in use."""

    at_ns: int
    source: TakeSource
    data: bytes


@dataclass(frozen=True, slots=True)
class TakePlace:
    """How far a reader of a take is."""

    played: int = 0
    sent: int = 0


class Take:
    """What the player did and what went out, with moments in nanoseconds of one clock."""

    def __init__(self) -> None:
        self._music = MessageLog()
        self._played = MessageLog()
        self._playing = threading.Lock()
        self.sent = MessageLog()
        """What went out, in order; for any thread."""

    def play(self, at_ns: int, data: bytes) -> None:
        """Keep a message of the player's as it came; for the input thread and those that play in its place."""
        if is_kept(data):
            with self._playing:
                self._played.append(at_ns, data)

    def hear(self, timed: TimedEvent) -> None:
        """Keep an event that the model takes for the player's music; for the engine's thread."""
        self._music.append(timed.at_ns, bytes_of(timed.event))

    def send(self, at_ns: int, data: bytes) -> None:
        """Keep a message of ours that went out; for the output thread."""
        self.sent.append(at_ns, data, mark=True)

    def pass_on(self, at_ns: int, data: bytes) -> None:
        """Keep a message of the player's that was passed on; for the output thread."""
        self.sent.append(at_ns, data)

    @property
    def heard(self) -> list[TimedEvent]:
        """Return what the model took for the player's music."""
        return _events(self._music)

    def answered(self) -> list[TimedEvent]:
        """Return what went out, as events of the piano."""
        return _events(self.sent)

    @property
    def place(self) -> TakePlace:
        """Return the place of what comes next."""
        return TakePlace(len(self._played), len(self.sent))

    def since(self, place: TakePlace, end: TakePlace | None = None) -> Iterator[TakeRecord]:
        """Yield what came over the wire from one place to another, or to what is there now, in order of time."""
        end = end or self.place
        played = (
            TakeRecord(at_ns, TakeSource.PLAYED, data)
            for at_ns, data, _ in self._played.between(place.played, end.played)
        )
        sent = (
            TakeRecord(at_ns, TakeSource.OWN if own else TakeSource.PASSED, data)
            for at_ns, data, own in self.sent.between(place.sent, end.sent)
            if is_kept(data)
        )
        return heapq.merge(played, sent, key=lambda record: record.at_ns)

    def last(self, since_ns: int) -> list[TakeRecord]:
        """Return what came over the wire from a moment on; for any thread."""
        place = TakePlace(self._played.place_at(since_ns), self.sent.place_at(since_ns))
        return [record for record in self.since(place) if record.at_ns >= since_ns]

    def tracks(self) -> list[MidiTrack]:
        """Return the player's music and all that went out, from the first event of either on."""
        heard, answered = self.heard, self.answered()
        origin_ns = min((timed.at_ns for timed in heard[:1] + answered[:1]), default=0)
        return [
            MidiTrack(name, performance_of(events, origin_ns)) for name, events in ((PLAYER, heard), (PIANOD, answered))
        ]


def is_kept(data: bytes) -> bool:
    """Say whether a message belongs into a take: all that concerns a channel; not the clock, not what is no message."""
    return 2 <= len(data) <= 3 and data[0] < 0xF0 and kind_of(data) is not MessageKind.MALFORMED


def on_a_piano(data: bytes) -> bytes:
    """Return a message of ours on a channel that is read as a piano's: where we play on channel 10, on channel 1."""
    return on_channel(data, 0) if channel_of(data) == DRUM_CHANNEL else data


def _events(log: MessageLog) -> list[TimedEvent]:
    events = ((at_ns, event_of(on_a_piano(data) if own else data)) for at_ns, data, own in log.between(0, len(log)))
    return [TimedEvent(at_ns, event) for at_ns, event in events if event is not None]


def performance_of(events: Sequence[TimedEvent], origin_ns: int) -> Performance:
    """Return events in order of time as notes and changes of the pedal, in seconds from an origin.

    A key that goes down again ends its earlier note; one that never comes up ends with the last event.
    """
    notes: list[tuple[float, float, int, int, int]] = []
    pedals: list[tuple[float, bool]] = []
    down: dict[int, tuple[float, int]] = {}

    def end(pitch: int, at_s: float) -> None:
        onset_s, velocity = down.pop(pitch)
        notes.append((onset_s, max(at_s - onset_s, 0.001), pitch, velocity, 0))

    at_s = 0.0
    for timed in events:
        at_s = (timed.at_ns - origin_ns) / 1e9
        event = timed.event
        if isinstance(event, Pedal):
            if event.down != (bool(pedals) and pedals[-1][1]):
                pedals.append((at_s, event.down))
            continue
        if event.pitch in down:
            end(event.pitch, at_s)
        if isinstance(event, NoteOn):
            down[event.pitch] = (at_s, event.velocity)
    for pitch in sorted(down):
        end(pitch, at_s)
    return Performance(sort_notes(np.array(notes, NOTE)), np.array(pedals, PEDAL))
