"""The events of a part: a performance as events of a track, and what lets a track's keys and pedals come up."""

import numpy as np

from piano.midi.document import MidiDocument
from piano.midi.events import NewEvent, TrackEvents
from piano.midi.scan import CONTROL, NOTE_OFF, NOTE_ON
from piano.midi.tracks import SUSTAIN
from piano.notes import Performance

PEDALS = (64, 66, 67)
"""The controllers of a piano's pedals: sustain, sostenuto, soft."""


def events_of(document: MidiDocument, track: int, channel: int, performance: Performance) -> list[NewEvent]:
    """Return a performance as events on a channel, at the ticks that a track's clock has for its moments."""
    clock, notes = document.clocks[track], performance.notes
    onset = clock.ticks(notes["onset_s"])
    end = np.maximum(clock.ticks(notes["onset_s"] + notes["duration_s"]), onset + 1)
    events: list[NewEvent] = []
    for tick, until, pitch, velocity in zip(
        onset.tolist(), end.tolist(), notes["pitch"].tolist(), notes["velocity"].tolist(), strict=True
    ):
        events.append(NewEvent(until, True, bytes((NOTE_OFF | channel, pitch, 64))))
        events.append(NewEvent(tick, False, bytes((NOTE_ON | channel, pitch, velocity))))
    pedals = performance.pedals
    for tick, down in zip(clock.ticks(pedals["time_s"]).tolist(), pedals["down"].tolist(), strict=True):
        events.append(NewEvent(tick, not down, bytes((CONTROL | channel, SUSTAIN, 127 if down else 0))))
    return events


def lifted(
    track: TrackEvents, tick: int, keys: set[tuple[int, int]], pedal_channels: set[int], channels: set[int]
) -> tuple[set[int], list[NewEvent]]:
    """Return which events of a track go, and which are put in, so that keys and pedals are up from a tick on.

    `keys` are held then, on some of the track's `channels`; their next release goes.
    """
    values: dict[tuple[int, int], int] = {}
    dropped: set[int] = set()
    waiting = set(keys)
    for number, event in enumerate(track.events):
        kind, channel = event.status & 0xF0, event.status & 0x0F
        if event.status >= 0xF0 or kind not in (NOTE_ON, NOTE_OFF, CONTROL):
            continue
        first, second = track.body[event.data], track.body[event.data + 1]
        if kind == CONTROL and channel in pedal_channels and first in PEDALS:
            if event.tick <= tick:
                values[channel, first] = second
            else:
                dropped.add(number)
        elif event.tick > tick and channel in channels and (channel, first) in waiting:
            waiting.discard((channel, first))
            if kind == NOTE_OFF or not second:
                dropped.add(number)
    added = [NewEvent(tick, True, bytes((NOTE_OFF | channel, pitch, 64))) for channel, pitch in sorted(keys)]
    down = sorted(place for place, value in values.items() if value)
    return dropped, added + [NewEvent(tick, False, bytes((CONTROL | channel, pedal, 0))) for channel, pedal in down]
