"""A take: all that was played and answered, as it went over the wire, and the MIDI file that becomes of it.

Threads append to lists of their own (an append is atomic); whoever reads takes a copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from loguru import logger

from piano.errors import MidiFileError
from piano.events import NoteOn, Pedal, TimedEvent
from piano.midi_file import MidiTrack, write_performance
from piano.notes import NOTE, PEDAL, Performance, sort_notes
from realtime.midi_message import event_of

PLAYER, PIANOD = "player", "pianod"


@dataclass(slots=True)
class Take:
    """What the player did and what went out, with moments in nanoseconds of one clock."""

    heard: list[TimedEvent] = field(default_factory=list)
    sent: list[tuple[int, bytes]] = field(default_factory=list)

    def hear(self, timed: TimedEvent) -> None:
        """Keep an event of the player's; for the engine's thread."""
        self.heard.append(timed)

    def send(self, at_ns: int, data: bytes) -> None:
        """Keep a message that went out; for the output thread."""
        self.sent.append((at_ns, data))

    def answered(self) -> list[TimedEvent]:
        """Return what went out, as events of the piano."""
        events = ((at_ns, event_of(data)) for at_ns, data in self.sent.copy())
        return [TimedEvent(at_ns, event) for at_ns, event in events if event is not None]

    def tracks(self) -> list[MidiTrack]:
        """Return the player's track and ours, from the first event of either on."""
        heard, answered = self.heard.copy(), self.answered()
        origin_ns = min((timed.at_ns for timed in heard[:1] + answered[:1]), default=0)
        return [
            MidiTrack(name, performance_of(events, origin_ns)) for name, events in ((PLAYER, heard), (PIANOD, answered))
        ]

    def write(self, folder: Path) -> Path | None:
        """Write the take as a MIDI file named by the date; None, and a line in the log, if that cannot be done."""
        if not self.heard and not self.sent:
            return None
        path = folder / f"{datetime.now():%Y-%m-%d %H.%M.%S}.mid"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_performance(path, self.tracks())
        except (OSError, MidiFileError) as error:
            logger.error("the take could not be written to {}: {}", path, error)
            return None
        return path


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
