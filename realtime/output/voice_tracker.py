"""What sounds on the wire and who holds it: the one place that knows which notes still need a note-off.

Two sources share the wire: *own*, what the model plays, on one channel; and *thru*, what the player plays, passed on
as it came. Every method returns the messages that are to be sent, in order. The laws, which the tests hold:

- Per channel and pitch, note-on and note-off alternate: a note that is struck again is released first.
- A note-off goes out when the last holder lets go: releasing an own note never cuts the player's, nor the reverse.
- The sustain pedal of a channel is the lower of the two: ours or the player's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from piano.events import NoteOff, NoteOn
from realtime.midi.message import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    CHANNELS,
    SOSTENUTO,
    SUSTAIN,
    MessageKind,
    bytes_of,
    channel_of,
    control_bytes,
    kind_of,
)

LONGEST_SYSEX = 16_000
"""Longer system-exclusive messages are lost on their way through JACK: they are left out and counted."""


@dataclass(frozen=True, slots=True)
class SoundingNotes:
    """What sounds: own pitches, the player's (channel, pitch), whether our pedal is down."""

    own: tuple[int, ...] = ()
    thru: tuple[tuple[int, int], ...] = ()
    own_pedal: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """An own note or pedal that is down: when it was due, and the epoch that proposed it."""

    due_ns: int
    epoch: int


class VoiceTracker:
    """The notes that sound at the far end of one output port. Not safe for threads: one owner."""

    def __init__(self, channel: int = 0) -> None:
        if not 0 <= channel < CHANNELS:
            raise ValueError(f"a MIDI channel is 0 to {CHANNELS - 1}, not {channel}")
        self._channel = channel
        self._own: dict[int, Held] = {}  # in order of their start
        self._own_pedal: Held | None = None
        self._thru: set[tuple[int, int]] = set()
        self._thru_pedal: dict[int, int] = {}  # channel -> value of the sustain controller
        self._prefixes: dict[int, bytes] = {}  # channel -> the velocity prefix that waits for its note
        self._touched: set[tuple[int, int]] = set()  # every (channel, pitch) ever struck
        self._channels: set[int] = set()  # every channel ever used
        self.left_out = 0
        """How many of the player's messages could not be passed on: malformed, or too long."""

    @property
    def sounding(self) -> SoundingNotes:
        """Return what sounds now."""
        return SoundingNotes(tuple(self._own), tuple(sorted(self._thru)), self._own_pedal is not None)

    def holds(self, pitch: int) -> bool:
        """Say whether an own note of this pitch sounds."""
        return pitch in self._own

    def holds_thru(self, channel: int, pitch: int) -> bool:
        """Say whether a note of the player's sounds."""
        return (channel, pitch) in self._thru

    def is_used_by_thru(self, channel: int) -> bool:
        """Say whether the player holds anything on a channel: a note, or the sustain pedal."""
        return bool(self._thru_pedal.get(channel)) or any(used == channel for used, _ in self._thru)

    @property
    def own_pedal_down(self) -> bool:
        """Say whether our sustain pedal is down."""
        return self._own_pedal is not None

    def oldest_due_ns(self) -> int | None:
        """Return when the own note or pedal that is held longest was due, or None if none is held."""
        note = next(iter(self._own.values()), None)
        dues = [held.due_ns for held in (note, self._own_pedal) if held is not None]
        return min(dues, default=None)

    def own_on(self, event: NoteOn, held: Held) -> list[bytes]:
        """Strike an own note."""
        messages = [bytes_of(NoteOff(event.pitch), self._channel)] if self._sounds(self._channel, event.pitch) else []
        self._own.pop(event.pitch, None)
        self._own[event.pitch] = held
        self._touch(self._channel, event.pitch)
        return [*messages, bytes_of(event, self._channel)]

    def own_off(self, pitch: int, epoch: int | None = None) -> list[bytes]:
        """Release an own note, if it sounds and is not of a newer epoch than the given one."""
        held = self._own.get(pitch)
        if held is None or (epoch is not None and held.epoch > epoch):
            return []
        del self._own[pitch]
        return [] if self._sounds(self._channel, pitch) else [bytes_of(NoteOff(pitch), self._channel)]

    def pedal_down(self, held: Held) -> list[bytes]:
        """Press our sustain pedal."""
        if self._own_pedal is not None:
            return []
        self._own_pedal = held
        self._channels.add(self._channel)
        return [] if self._thru_pedal.get(self._channel) == 127 else [control_bytes(SUSTAIN, 127, self._channel)]

    def pedal_up(self, epoch: int | None = None) -> list[bytes]:
        """Lift our sustain pedal, if it is down and not of a newer epoch; the player's own position takes over."""
        held = self._own_pedal
        if held is None or (epoch is not None and held.epoch > epoch):
            return []
        self._own_pedal = None
        position = self._thru_pedal.get(self._channel, 0)
        return [] if position == 127 else [control_bytes(SUSTAIN, position, self._channel)]

    def release_own(self, which: Callable[[Held], bool] | None = None) -> list[bytes]:
        """Release the own notes and the own pedal, all of them or those that are chosen."""
        messages: list[bytes] = []
        for pitch in [pitch for pitch, held in self._own.items() if which is None or which(held)]:
            messages += self.own_off(pitch)
        if self._own_pedal is not None and (which is None or which(self._own_pedal)):
            messages += self.pedal_up()
        return messages

    def through(self, data: bytes) -> list[bytes]:
        """Pass on a message of the player's.

        System real-time goes nowhere; a message that is malformed or too long is left out and counted; a note-off of
        nothing is passed on, unless an own note holds the pitch; a velocity prefix goes right before its note.
        """
        kind = kind_of(data)
        if kind in (MessageKind.REAL_TIME, MessageKind.MALFORMED) or (
            kind is MessageKind.SYSEX and len(data) > LONGEST_SYSEX
        ):
            self.left_out += kind is not MessageKind.REAL_TIME
            return []
        if kind in (MessageKind.SYSEX, MessageKind.SYSTEM_COMMON):
            return [data]
        channel = channel_of(data)
        self._channels.add(channel)
        if kind is MessageKind.VELOCITY_PREFIX:
            self._prefixes[channel] = data
            return []
        if kind is MessageKind.NOTE_ON:
            return self._thru_on(data, channel)
        if kind is MessageKind.NOTE_OFF:
            self._thru.discard((channel, data[1]))
            prefix = self.take_prefix(channel)
            return [] if self._sounds(channel, data[1]) else [*prefix, data]
        if kind is MessageKind.SUSTAIN:
            self._thru_pedal[channel] = data[2]
            return [] if self._own_pedal is not None and channel == self._channel else [data]
        if kind in (MessageKind.SILENCE, MessageKind.RESET):
            return [*self._release_channel(channel, notes=kind is MessageKind.SILENCE), data]
        return [data]

    def release_thru(self) -> list[bytes]:
        """Release the player's notes and pedals; own ones stay."""
        gone, self._thru = self._thru, set()
        self._prefixes.clear()
        messages = [
            bytes_of(NoteOff(pitch), channel) for channel, pitch in sorted(gone) if not self._sounds(channel, pitch)
        ]
        pedals, self._thru_pedal = self._thru_pedal, {}
        for channel, position in sorted(pedals.items()):
            is_ours = channel == self._channel and self._own_pedal is not None
            if position and not is_ours:
                messages.append(control_bytes(SUSTAIN, 0, channel))
        return messages

    def release_all(self, *, panic: bool) -> list[bytes]:
        """Release everything on every channel that was used: note-offs, pedals up, all notes off.

        A panic does so on our channel even if it was never used, and cuts what still rings (all sound off).
        """
        messages = [bytes_of(NoteOff(pitch), channel) for channel, pitch in sorted(self._all_notes())]
        for channel in sorted(self._channels | {self._channel} if panic else self._channels):
            messages += [control_bytes(controller, 0, channel) for controller in (SUSTAIN, SOSTENUTO, ALL_NOTES_OFF)]
            if panic:
                messages.append(control_bytes(ALL_SOUND_OFF, 0, channel))
        self._forget()
        return messages

    def start_afresh(self) -> list[bytes]:
        """Return what silences the far end after a port was lost and is back, and hold nothing any more.

        Nobody knows which of the last messages arrived, or whether these will: every note that was ever struck gets a
        note-off, each time.
        """
        messages = [bytes_of(NoteOff(pitch), channel) for channel, pitch in sorted(self._touched - self._all_notes())]
        return messages + self.release_all(panic=False)

    def would_end(self, data: bytes) -> bool:
        """Say whether a note-off, or a pedal that goes up, would end what sounds or lift what is down here."""
        channel = channel_of(data)
        if kind_of(data) is MessageKind.NOTE_OFF:
            return self._sounds(channel, data[1])
        return bool(self._thru_pedal.get(channel)) or (channel == self._channel and self._own_pedal is not None)

    def _sounds(self, channel: int, pitch: int) -> bool:
        return (channel, pitch) in self._thru or (channel == self._channel and pitch in self._own)

    def _all_notes(self) -> set[tuple[int, int]]:
        return self._thru | {(self._channel, pitch) for pitch in self._own}

    def _touch(self, channel: int, pitch: int) -> None:
        self._touched.add((channel, pitch))
        self._channels.add(channel)

    def _thru_on(self, data: bytes, channel: int) -> list[bytes]:
        pitch = data[1]
        messages = [bytes_of(NoteOff(pitch), channel)] if self._sounds(channel, pitch) else []
        self._thru.add((channel, pitch))
        self._touch(channel, pitch)
        return [*messages, *self.take_prefix(channel), data]

    def take_prefix(self, channel: int) -> list[bytes]:
        """Return the velocity prefix that waits on a channel, if there is one, and forget it."""
        prefix = self._prefixes.pop(channel, None)
        return [] if prefix is None else [prefix]

    def _release_channel(self, channel: int, *, notes: bool) -> list[bytes]:
        """Let go of a channel that the player silences (the `notes`, not the pedals) or resets (the pedals alone)."""
        messages: list[bytes] = []
        if not notes:
            self._thru_pedal.pop(channel, None)
            if channel == self._channel:
                messages += self.pedal_up()
        else:
            gone = sorted(note for note in self._all_notes() if note[0] == channel)
            messages += [bytes_of(NoteOff(pitch), channel) for _, pitch in gone]
            self._thru.difference_update(gone)
            if channel == self._channel:
                self._own.clear()
        return messages

    def _forget(self) -> None:
        self._own.clear()
        self._own_pedal = None
        self._prefixes.clear()
        self._thru.clear()
        self._thru_pedal.clear()
