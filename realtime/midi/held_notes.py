"""What sounds according to the messages alone, and what would release it: the guardian's own account of a port.

It knows nothing of who plays: that is for `realtime.output.voice_tracker`, beside which this is the second book.
"""

from piano.events import NoteOff
from realtime.midi.message import (
    ALL_NOTES_OFF,
    SOSTENUTO,
    SUSTAIN,
    MessageKind,
    bytes_of,
    channel_of,
    control_bytes,
    kind_of,
)

_PEDALS = (SUSTAIN, SOSTENUTO)
_WITHOUT_CHANNEL = (MessageKind.SYSEX, MessageKind.SYSTEM_COMMON, MessageKind.REAL_TIME, MessageKind.MALFORMED)


class Ledger:
    """The account of one output. Not safe for threads: the caller holds a lock."""

    def __init__(self) -> None:
        self._notes: set[tuple[int, int]] = set()
        self._pedals: set[tuple[int, int]] = set()
        self._channels: set[int] = set()

    def __len__(self) -> int:
        """Return how many notes and pedals are down."""
        return len(self._notes) + len(self._pedals)

    def write_down(self, data: bytes) -> None:
        """Take note of a message that goes out."""
        kind = kind_of(data)
        if kind in _WITHOUT_CHANNEL:
            return
        channel = channel_of(data)
        self._channels.add(channel)
        if kind is MessageKind.NOTE_ON:
            self._notes.add((channel, data[1]))
        elif kind is MessageKind.NOTE_OFF:
            self._notes.discard((channel, data[1]))
        elif kind is MessageKind.SILENCE:
            self._notes = {note for note in self._notes if note[0] != channel}
        elif kind is MessageKind.RESET:
            self._pedals = {pedal for pedal in self._pedals if pedal[0] != channel}
        elif data[0] & 0xF0 == 0xB0 and data[1] in _PEDALS:
            (self._pedals.add if data[2] else self._pedals.discard)((channel, data[1]))

    def holds(self, release: bytes) -> bool:
        """Say whether something is down that a release would end: a note-off, a controller of 0, or a mode message."""
        channel = channel_of(release)
        if kind_of(release) is Kind.NOTE_OFF:
            return (channel, release[1]) in self._notes
        if release[1] in _PEDALS:
            return (channel, release[1]) in self._pedals
        return any(used == channel for used, _ in self._notes | self._pedals)

    def release(self) -> list[bytes]:
        """Return what ends all that is down, and hold it for done: note-offs, pedals up, all notes off.

        Nothing where nothing is down.
        """
        if not len(self):
            return []
        messages = [bytes_of(NoteOff(pitch), channel) for channel, pitch in sorted(self._notes)]
        for channel in sorted(self._channels):
            messages += [control_bytes(number, 0, channel) for number in (*_PEDALS, ALL_NOTES_OFF)]
        self._notes.clear()
        self._pedals.clear()
        return messages
