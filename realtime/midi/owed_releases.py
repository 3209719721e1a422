"""Releases that nobody heard: what would end a note or lift a pedal, kept until somebody listens.

A virtual port begins with nobody connected to it, and a synthesiser that held notes of the port before it holds them
until it is told. Not safe for threads: the caller holds a lock.
"""

from realtime.midi.held_notes import HeldNotes
from realtime.midi.message import MessageKind, channel_of, control_of, kind_of

_FIRST_MODE_MESSAGE = 120


class OwedReleases:
    """The releases of one output that went out while nobody listened; of each the last, in their order."""

    def __init__(self) -> None:
        self._owed: dict[tuple[int, int], bytes] = {}

    def __len__(self) -> int:
        """Return how many there are; no more than there are keys and controllers."""
        return len(self._owed)

    def note(self, data: bytes) -> None:
        """Take note of a message that nobody heard; one that ends nothing is not owed."""
        kind = kind_of(data)
        if kind is MessageKind.NOTE_OFF:
            key = (0x80 | channel_of(data), data[1])
        elif (control := control_of(data)) is not None and (control[0] >= _FIRST_MODE_MESSAGE or not control[1]):
            key = (data[0], data[1])
        else:
            return
        self._owed.pop(key, None)
        self._owed[key] = data

    def take(self, held: HeldNotes) -> list[bytes]:
        """Return what is owed, and owe it no more: not of what is down again, whose release is still to come."""
        owed, self._owed = list(self._owed.values()), {}
        return [data for data in owed if not held.holds(data)]
