"""A performance as a player's messages: what goes over the wire, and when."""

from piano.events import Event, NoteOff, NoteOn, Pedal
from piano.notes import Performance
from realtime.midi.message import bytes_of

_NS_PER_S = 1_000_000_000
_OFF, _PEDAL_UP, _PEDAL_DOWN, _ON = range(4)
"""What comes first at one moment."""

TimedMessage = tuple[int, bytes]
"""A moment in nanoseconds and a message."""


def messages_of(performance: Performance, origin_ns: int = 0) -> list[TimedMessage]:
    """Return the messages of a performance that begins at a moment, in order of time; releases come first."""
    events: list[tuple[int, int, Event]] = []

    def add(at_s: float, rank: int, event: Event) -> None:
        events.append((origin_ns + round(at_s * _NS_PER_S), rank, event))

    for onset_s, duration_s, pitch, velocity, _ in performance.notes.tolist():
        add(onset_s, _ON, NoteOn(pitch, velocity))
        add(max(onset_s + duration_s, onset_s + 1e-9), _OFF, NoteOff(pitch))
    for at_s, down in performance.pedals.tolist():
        add(at_s, _PEDAL_DOWN if down else _PEDAL_UP, Pedal(down))
    events.sort(key=lambda event: event[:2])
    return [(at_ns, bytes_of(event)) for at_ns, _, event in events]
