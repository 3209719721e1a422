"""What is down according to the messages alone, and what lifts it: notes and pedals, by channel.

It knows nothing of who plays: whatever may have to end what somebody else began keeps one. The guardian's stands beside
`realtime.output.voice_tracker` as a second, independent account of an output.
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
    control_of,
    kind_of,
)

PEDALS = (SUSTAIN, SOSTENUTO)
_WITHOUT_CHANNEL = (MessageKind.SYSEX, MessageKind.SYSTEM_COMMON, MessageKind.REAL_TIME, MessageKind.MALFORMED)


class HeldNotes:
    """Keys and pedals that are down; a pedal is from the value `pedal_from` up. Not safe for threads.

    held = HeldNotes()
    held.push(bytes.fromhex("903c40"))
    held.lift()    # [80 3c 40], and nothing is down any more
    """

    def __init__(self, pedal_from: int = 1) -> None:
        self._pedal_from = pedal_from
        self._notes: set[tuple[int, int]] = set()  # (channel, pitch)
        self._pedals: set[tuple[int, int]] = set()  # (channel, controller)
        self._channels: set[int] = set()

    def __len__(self) -> int:
        """Return how many notes and pedals are down."""
        return len(self._notes) + len(self._pedals)

    def push(self, data: bytes) -> None:
        """Take note of a message."""
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
        elif (control := control_of(data)) is not None and control[0] in PEDALS:
            (self._pedals.add if control[1] >= self._pedal_from else self._pedals.discard)((channel, control[0]))

    def ends(self, data: bytes) -> bool:
        """Say whether a message would end something that is down."""
        kind = kind_of(data)
        if kind is MessageKind.NOTE_OFF:
            return (channel_of(data), data[1]) in self._notes
        if kind in (MessageKind.SILENCE, MessageKind.RESET):
            down = self._notes if kind is MessageKind.SILENCE else self._pedals
            return any(channel == channel_of(data) for channel, _ in down)
        control = control_of(data)
        return control is not None and control[1] < self._pedal_from and (channel_of(data), control[0]) in self._pedals

    def holds(self, release: bytes) -> bool:
        """Say whether something is down that a release would end: a note-off, a controller of 0, or a mode message."""
        channel = channel_of(release)
        if kind_of(release) is MessageKind.NOTE_OFF:
            return (channel, release[1]) in self._notes
        if release[1] in PEDALS:
            return (channel, release[1]) in self._pedals
        return any(used == channel for used, _ in self._notes | self._pedals)

    def lift(self) -> list[bytes]:
        """Return what ends all that is down, note by note and pedal by pedal, and hold it for done."""
        messages = [bytes_of(NoteOff(pitch), channel) for channel, pitch in sorted(self._notes)]
        messages += [control_bytes(controller, 0, channel) for channel, controller in sorted(self._pedals)]
        self._notes.clear()
        self._pedals.clear()
        return messages

    def silence(self) -> list[bytes]:
        """Return what ends all that is down, and whatever else may sound on the channels that were used.

        Nothing where nothing is down.
        """
        if not len(self):
            return []
        messages = [bytes_of(NoteOff(pitch), channel) for channel, pitch in sorted(self._notes)]
        for channel in sorted(self._channels):
            messages += [control_bytes(number, 0, channel) for number in (*PEDALS, ALL_NOTES_OFF)]
        self._notes.clear()
        self._pedals.clear()
        return messages
