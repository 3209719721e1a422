"""The bytes of a track chunk as events: what stands where. See `piano.midi.events` for what is done with them."""

from typing import NamedTuple

from piano.midi.chunks import EMPTY_TEXT, END_OF_TRACK
from piano.midi.faults import DamageError

NOTE_OFF, NOTE_ON, CONTROL, PROGRAM = 0x80, 0x90, 0xB0, 0xC0
META = 0xFF
META_NAME, META_END, META_TEMPO = 0x03, 0x2F, 0x51
SYSEX = (0xF0, 0xF7)
DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
LONGEST_WAIT = (1 << 28) - 1
_LONGEST_NUMBER = 4

MOST_EVENTS = 1_000_000
"""A file with more events than this is refused: it is some thirty hours of dense playing with pedal."""


class TooMuchError(DamageError):
    """A file that is sound and has more in it than anything is done with."""


class MidiEvent(NamedTuple):
    """One event of a track: when, and where its bytes stand in the chunk's body."""

    tick: int
    start: int
    """Where its delta time begins."""
    data: int
    """Where the bytes after its status begin: behind the length, for a meta event."""
    end: int
    status: int
    """The status in force; META for all meta events."""
    runs: bool
    """Whether its status is the one before (running status)."""


def too_many() -> TooMuchError:
    """Return the error of a file with too many events."""
    return TooMuchError(f"there are more than {MOST_EVENTS:,} events in it, which is too many")


def scan(body: bytes, *, ends_early: bool, most: int = MOST_EVENTS) -> tuple[MidiEvent, ...]:
    """Return the events of a body without fault; DamageError says what is wrong with another one.

    With more events than `most` it is a TooMuchError.
    """
    events: list[MidiEvent] = []
    at, tick, status, size = 0, 0, 0, len(body)
    try:
        while at < size:
            start = at
            delta = body[at]
            at += 1
            if delta >= 0x80:
                delta, at = read_number(body, start)
            tick += delta
            said = body[at]
            runs = said < 0x80
            if runs:
                said = status
            else:
                at += 1
            if said < 0x80:
                raise DamageError("begins within an event")
            if said < 0xF0:
                status = said
                data, at = at, at + DATA_BYTES[said & 0xF0]
                if body[data] >= 0x80 or body[at - 1] >= 0x80:
                    raise DamageError(f"is damaged (a value of {max(body[data:at])} is more than 127)")
            elif said == META:
                length, data = read_number(body, at + 1)
                at = data + length
            elif said in SYSEX:
                length, data = read_number(body, at)
                at = data + length
            else:
                raise DamageError(f"is damaged (status {said:#04x} cannot stand in a file)")
            if at > size:
                raise DamageError("ends within an event")
            events.append(MidiEvent(tick, start, data, at, said, runs))
            if len(events) > most:
                raise too_many()
            if ends_early and said == META and body[start:at].endswith(END_OF_TRACK):
                break
    except IndexError as error:
        raise DamageError("ends within an event") from error
    return tuple(events)


def read_number(body: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length and where it ends."""
    value = 0
    for index in range(at, at + _LONGEST_NUMBER):
        byte = body[index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, index + 1
    raise DamageError("is damaged (a number is longer than four bytes)")


def variable_length(value: int) -> bytes:
    """Return a number, 0 to 2**28 - 1, as a MIDI file writes lengths and delta times."""
    if not 0 <= value <= LONGEST_WAIT:
        raise ValueError(f"a MIDI file holds numbers from 0 to {LONGEST_WAIT}, not {value}")
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def wait_bytes(ticks: int) -> bytes:
    """Return a delta time; one that is too long for a file is broken up by empty texts."""
    steps, rest = divmod(max(ticks, 0), LONGEST_WAIT)
    return (variable_length(LONGEST_WAIT) + EMPTY_TEXT) * steps + variable_length(rest)
