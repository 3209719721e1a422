"""MIDI messages as bytes and as events: what each message on the wire means to us.

A piano needs three kinds of message: key down, key up, sustain pedal. Everything else is recognised, so that it has a
defined way (on to the output as it is, or left out), but is no event. Messages are whole, status byte first; `split`
makes them so. Follows the MIDI 1.0 specification; controller 88 is CA-031, the high-resolution velocity prefix.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from piano.events import HIGHEST_PITCH, LOWEST_PITCH, Event, NoteOff, NoteOn, Pedal

CHANNELS = 16
DRUM_CHANNEL = 9
"""Channel 10 as people count: drums, which are not notes of a piano."""

SUSTAIN = 64
SOSTENUTO = 66
VELOCITY_PREFIX = 88
ALL_SOUND_OFF = 120
RESET_CONTROLLERS = 121
ALL_NOTES_OFF = 123
PEDAL_THRESHOLD = 64
"""Controller 64 from this value up is a pedal that is down."""

NOTE_OFF, NOTE_ON, CONTROL_CHANGE, PROGRAM_CHANGE = 0x80, 0x90, 0xB0, 0xC0
"""Status bytes of channel 1."""
_SYSEX, _END_OF_SYSEX = 0xF0, 0xF7
_SHORT = 3


class MessageKind(Enum):
    """What a message is, as far as it matters here."""

    NOTE_ON = auto()
    NOTE_OFF = auto()
    """Also a note-on of velocity 0."""
    SUSTAIN = auto()
    VELOCITY_PREFIX = auto()
    """Controller 88: more bits of velocity for the note that follows; passed on right before that, not used."""
    SILENCE = auto()
    """All sound off, all notes off, or a mode change, which implies it."""
    RESET = auto()
    """Reset all controllers: the pedals come up."""
    CHANNEL = auto()
    """Any other channel message: passed on."""
    SYSEX = auto()
    SYSTEM_COMMON = auto()
    REAL_TIME = auto()
    """Clock, start, stop, active sensing, reset: says nothing about notes, comes in floods, goes nowhere."""
    MALFORMED = auto()
    """Not one whole message: goes nowhere."""


@dataclass(frozen=True, slots=True)
class MessageForm:
    """What the specification says of one status: its name, its bytes after the status, and what it is to us."""

    name: str
    data_bytes: tuple[str, ...]
    kind: MessageKind


MESSAGES: Mapping[int, MessageForm] = {
    NOTE_OFF: MessageForm("note off", ("pitch", "velocity"), MessageKind.NOTE_OFF),
    NOTE_ON: MessageForm("note on", ("pitch", "velocity"), MessageKind.NOTE_ON),
    0xA0: MessageForm("polyphonic aftertouch", ("pitch", "pressure"), MessageKind.CHANNEL),
    CONTROL_CHANGE: MessageForm("control change", ("controller", "value"), MessageKind.CHANNEL),
    PROGRAM_CHANGE: MessageForm("program change", ("program",), MessageKind.CHANNEL),
    0xD0: MessageForm("aftertouch", ("pressure",), MessageKind.CHANNEL),
    0xE0: MessageForm("pitch bend", ("low", "high"), MessageKind.CHANNEL),
    0xF1: MessageForm("time code", ("quarter frame",), MessageKind.SYSTEM_COMMON),
    0xF2: MessageForm("song position", ("low", "high"), MessageKind.SYSTEM_COMMON),
    0xF3: MessageForm("song select", ("song",), MessageKind.SYSTEM_COMMON),
    0xF6: MessageForm("tune request", (), MessageKind.SYSTEM_COMMON),
    **{status: MessageForm("real time", (), MessageKind.REAL_TIME) for status in range(0xF8, 0x100)},
}
"""All messages but system exclusive, by status; a channel message stands for its sixteen channels."""

CONTROLLERS: Mapping[int, MessageKind] = {
    SUSTAIN: MessageKind.SUSTAIN,
    VELOCITY_PREFIX: MessageKind.VELOCITY_PREFIX,
    ALL_SOUND_OFF: MessageKind.SILENCE,
    RESET_CONTROLLERS: MessageKind.RESET,
    **dict.fromkeys(range(ALL_NOTES_OFF, 128), MessageKind.SILENCE),
}
"""What a control change is, by controller, where it is more than passed on."""


def kind_of(data: bytes) -> MessageKind:
    """Say what a message is: `90 3c 40` is NOTE_ON, `90 3c 00` NOTE_OFF, `b0 40 7f` SUSTAIN, `90 3c` MALFORMED."""
    return _short_kind_of(data) if len(data) <= _SHORT else _kind_of(data)


@lru_cache(maxsize=4096)
def _short_kind_of(data: bytes) -> MessageKind:
    """Say the same of a short message: on its way through, each is asked of some ten times."""
    return _kind_of(data)


def _kind_of(data: bytes) -> MessageKind:
    if not data or data[0] < 0x80:
        return MessageKind.MALFORMED
    status = data[0]
    if status == _SYSEX:
        is_whole = len(data) >= 2 and data[-1] == _END_OF_SYSEX and max(data[1:-1], default=0) <= 127
        return MessageKind.SYSEX if is_whole else MessageKind.MALFORMED
    form = MESSAGES.get(status if status > _SYSEX else status & 0xF0)
    if form is None or len(data) != 1 + len(form.data_bytes) or max(data[1:], default=0) > 127:
        return MessageKind.MALFORMED
    if form.kind is MessageKind.NOTE_ON and not data[2]:
        return MessageKind.NOTE_OFF
    return CONTROLLERS.get(data[1], form.kind) if status & 0xF0 == CONTROL_CHANGE else form.kind


def is_panic(data: bytes) -> bool:
    """Say whether a message is all sound off: what the panic button of a keyboard sends."""
    return kind_of(data) is MessageKind.SILENCE and data[1] == ALL_SOUND_OFF


def split(data: bytes) -> tuple[bytes, ...]:
    """Return the whole messages in what a port gave as one: several at once, running status, real time in between.

    What is no message stays a piece of its own, malformed.
    """
    if kind_of(data) is not MessageKind.MALFORMED:
        return (data,)
    messages: list[bytes] = []
    current, running = bytearray(), 0
    for byte in data:
        if byte >= 0xF8:
            messages.append(bytes((byte,)))
            continue
        if byte >= 0x80 and byte != _END_OF_SYSEX:
            messages += [bytes(current)] if current else []
            current, running = bytearray(), byte if byte < _SYSEX else 0
        elif not current and running:
            current.append(running)
        current.append(byte)
        if kind_of(bytes(current)) is not MessageKind.MALFORMED:
            messages.append(bytes(current))
            current = bytearray()
    return (*messages, bytes(current)) if current else tuple(messages)


def channel_of(data: bytes) -> int:
    """Return the channel, 0 to 15, of a channel message."""
    return data[0] & 0x0F


def on_channel(data: bytes, channel: int) -> bytes:
    """Return a channel message on another channel, 0 to 15."""
    return bytes((data[0] & 0xF0 | channel, *data[1:]))


def control_of(data: bytes) -> tuple[int, int] | None:
    """Return the controller and the value of a control change; None for any other message."""
    return (data[1], data[2]) if len(data) == 3 and data[0] & 0xF0 == CONTROL_CHANGE else None


def program_of(data: bytes) -> int | None:
    """Return the program of a program change, from 0; None for any other message."""
    return data[1] if len(data) == 2 and data[0] & 0xF0 == PROGRAM_CHANGE else None


def event_of(data: bytes) -> Event | None:
    """Return what a message means to the piano; None for all that is no event of one of its 88 keys or its pedal.

    The inverse of `bytes_of`. The pedal's position is reported for every message, changed or not: `PianoReader`
    leaves the repetitions out.
    """
    kind = kind_of(data)
    if kind not in _EVENT_KINDS or channel_of(data) == DRUM_CHANNEL:
        return None
    if kind is MessageKind.SUSTAIN:
        return Pedal(down=data[2] >= PEDAL_THRESHOLD)
    if not LOWEST_PITCH <= data[1] <= HIGHEST_PITCH:
        return None
    return NoteOn(data[1], data[2]) if kind is MessageKind.NOTE_ON else NoteOff(data[1])


_EVENT_KINDS = frozenset((MessageKind.NOTE_ON, MessageKind.NOTE_OFF, MessageKind.SUSTAIN))


def bytes_of(event: Event, channel: int = 0) -> bytes:
    """Return the message of an event; the inverse of `event_of`."""
    match event:
        case NoteOn(pitch, velocity):
            return bytes((NOTE_ON | channel, pitch, velocity))
        case NoteOff(pitch):
            return bytes((NOTE_OFF | channel, pitch, 64))
        case Pedal(down):
            return control_bytes(SUSTAIN, 127 if down else 0, channel)


def control_bytes(controller: int, value: int, channel: int) -> bytes:
    """Return a control change."""
    return bytes((CONTROL_CHANGE | channel, controller, value))


class PianoReader:
    """Read messages as events, and remember what is held: some messages end many keys at once.

    The pedal is told only where it changes: a half-pedal sends its position all the time.
    """

    def __init__(self) -> None:
        self._held: dict[int, int] = {}  # pitch -> the channel on which it was struck last
        self._pedal_is_down = False

    def events_of(self, data: bytes) -> tuple[Event, ...]:
        """Return what a message means to the piano, often nothing.

        All notes off, and what implies it, lifts the keys struck on that channel; reset-all-controllers the pedal.
        """
        kind = kind_of(data)
        if kind is MessageKind.SILENCE:
            channel = channel_of(data)
            return self._lift([pitch for pitch, struck_on in self._held.items() if struck_on == channel])
        event = Pedal(down=False) if kind is MessageKind.RESET else event_of(data)
        match event:
            case NoteOn(pitch):
                self._held[pitch] = channel_of(data)
            case NoteOff(pitch):
                self._held.pop(pitch, None)
            case Pedal(down):
                if down == self._pedal_is_down:
                    return ()
                self._pedal_is_down = down
        return () if event is None else (event,)

    def release(self) -> tuple[Event, ...]:
        """Return what lifts all that is held: nobody will tell when it ends."""
        events = self._lift(list(self._held))
        if self._pedal_is_down:
            self._pedal_is_down = False
            events = (*events, Pedal(down=False))
        return events

    def _lift(self, pitches: list[int]) -> tuple[Event, ...]:
        for pitch in pitches:
            del self._held[pitch]
        return tuple(NoteOff(pitch) for pitch in sorted(pitches))
