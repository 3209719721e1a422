"""The events of one track chunk of a MIDI file, each with its bytes, and the chunk again with some of them changed.

What stays keeps its bytes: its delta time where the event before it stays too, its running status where that still
holds. What follows an early end of track is read as events where it is such, as `piano.midi_file` does.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple

from piano.midi_chunks import EMPTY_TEXT, END_OF_TRACK, DamageError

NOTE_OFF, NOTE_ON, CONTROL, PROGRAM = 0x80, 0x90, 0xB0, 0xC0
META = 0xFF
META_NAME, META_END, META_TEMPO = 0x03, 0x2F, 0x51
_SYSEX = (0xF0, 0xF7)
_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_LONGEST_VLQ = 4
_LONGEST_WAIT = (1 << 28) - 1


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


class NewEvent(NamedTuple):
    """An event to put in: its tick, whether it stands before what the tick holds already, and its bytes."""

    tick: int
    is_first: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class TrackEvents:
    """A track chunk's body, with its events in their order; bytes behind the last event are nobody's."""

    body: bytes
    events: tuple[MidiEvent, ...]

    @property
    def end_tick(self) -> int:
        """Return the tick of the last event."""
        return self.events[-1].tick if self.events else 0

    def payload(self, event: MidiEvent) -> bytes:
        """Return the bytes of an event after its status, and after the length where it has one."""
        return self.body[event.data : event.end]

    def is_meta(self, event: MidiEvent, kind: int) -> bool:
        """Say whether an event is a meta event of a kind."""
        return event.status == META and self._kind(event) == kind

    def _kind(self, event: MidiEvent) -> int:
        at = event.start
        while self.body[at] >= 0x80:  # the delta time
            at += 1
        return self.body[at + 2]

    @property
    def name(self) -> str:
        """Return the name that the track gives itself, or an empty text."""
        for event in self.events:
            if self.is_meta(event, META_NAME):
                return _text(self.payload(event))
        return ""

    def patched(self, bytes_at: Mapping[int, int]) -> "TrackEvents":
        """Return the track with single bytes changed, by their place in the body; all events stay where they are."""
        body = bytearray(self.body)
        for at, value in bytes_at.items():
            body[at] = value
        return TrackEvents(bytes(body), self.events)

    def edited(
        self, dropped: Set[int], added: Iterable[NewEvent] = (), replaced: Mapping[int, bytes] | None = None
    ) -> "TrackEvents":
        """Return the track without some events (by index), with some put in, and some with other bytes.

        What is put in comes before the end of track, which moves if need be.
        """
        writer = _Writer(self.body)
        swaps = replaced or {}
        waiting = sorted(added, key=lambda new: (new.tick, not new.is_first))
        keys = [(new.tick, not new.is_first) for new in waiting]
        put = 0
        for index, event in enumerate(self.events):
            is_end = index == len(self.events) - 1 and self.is_meta(event, META_END)
            upto = len(waiting) if is_end else bisect_left(keys, (event.tick, True))
            for new in waiting[put:upto]:
                writer.add(new.tick, new.data)
            put = max(put, upto)
            if index in swaps:
                writer.add(event.tick, swaps[index])
            elif index not in dropped:
                writer.keep(event)
        for new in waiting[put:]:
            writer.add(new.tick, new.data)
        tail = self.body[self.events[-1].end :] if self.events else self.body
        return read_events(bytes(writer.out) + tail, 0)


class _Writer:
    """Puts events one behind the other: old ones with the bytes that they have, where these still say the same."""

    def __init__(self, body: bytes) -> None:
        self.out = bytearray()
        self._body = body
        self._old_end = 0
        self._tick = 0
        self._status: int | None = None

    def keep(self, event: MidiEvent) -> None:
        body = self._body
        behind_delta = event.start
        while body[behind_delta] >= 0x80:
            behind_delta += 1
        behind_delta += 1
        follows = event.start == self._old_end
        self.out += body[event.start : behind_delta] if follows else _wait(event.tick - self._tick)
        if event.runs and self._status != event.status:
            self.out.append(event.status)
        self.out += body[behind_delta : event.end]
        self._old_end = event.end
        self._tick = max(event.tick, self._tick)
        if event.status < 0xF0:
            self._status = event.status
        elif not follows:  # a running status does not outlast it, save where the file has it so
            self._status = None

    def add(self, tick: int, data: bytes) -> None:
        self.out += _wait(tick - self._tick) + data
        self._old_end = -1
        self._tick = max(tick, self._tick)
        self._status = data[0] if data[0] < 0xF0 else None


def _wait(ticks: int) -> bytes:
    """Return a delta time; one that is too long for a file is broken up by empty texts."""
    steps, rest = divmod(max(ticks, 0), _LONGEST_WAIT)
    return (variable_length(_LONGEST_WAIT) + EMPTY_TEXT) * steps + variable_length(rest)


def read_events(body: bytes, index: int) -> TrackEvents:
    """Read the body of a track chunk, the index-th of its file; DamageError if it breaks off within an event.

    An end of track before the end of the body ends the track only if what follows it is no events.
    """
    try:
        return TrackEvents(body, tuple(_scan(body, 0, 0, ends_early=False)))
    except DamageError as damage:
        if 0 <= body.find(END_OF_TRACK) < len(body) - len(END_OF_TRACK):
            return TrackEvents(body, tuple(_scan(body, 0, 0, ends_early=True)))
        raise DamageError(f"track {index + 1} {damage}") from damage


def _scan(body: bytes, at: int, tick: int, *, ends_early: bool) -> Iterable[MidiEvent]:
    status = 0
    size = len(body)
    try:
        while at < size:
            start = at
            delta, at = _vlq(body, at)
            tick += delta
            runs = body[at] < 0x80
            if not runs:
                said = body[at]
                at += 1
            else:
                said = status
            if said < 0x80:
                raise DamageError("begins within an event")
            if said < 0xF0:
                status = said
                data, at = at, at + _DATA_BYTES[said & 0xF0]
                if max(body[data:at], default=0) >= 0x80:
                    raise DamageError(f"is damaged (a value of {max(body[data:at])} is more than 127)")
            elif said == META:
                length, data = _vlq(body, at + 1)
                at = data + length
            elif said in _SYSEX:
                length, data = _vlq(body, at)
                at = data + length
            else:
                raise DamageError(f"is damaged (status {said:#04x} cannot stand in a file)")
            if at > size:
                raise DamageError("ends within an event")
            yield MidiEvent(tick, start, data, at, said, runs)
            if ends_early and said == META and body[start:at].endswith(END_OF_TRACK):
                return
    except IndexError as error:
        raise DamageError("ends within an event") from error


def _vlq(body: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length and where it ends."""
    value = 0
    for index in range(at, at + _LONGEST_VLQ):
        byte = body[index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, index + 1
    raise DamageError("is damaged (a number is longer than four bytes)")


def variable_length(value: int) -> bytes:
    """Return a number, 0 to 2**28 - 1, as a MIDI file writes lengths and delta times."""
    if not 0 <= value <= _LONGEST_WAIT:
        raise ValueError(f"a MIDI file holds numbers from 0 to {_LONGEST_WAIT}, not {value}")
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def new_track(name: str, events: Iterable[NewEvent]) -> TrackEvents:
    """Return a track of its own with a name."""
    text = name.encode("utf-8")
    head = b"\x00\xff\x03" + variable_length(len(text)) + text
    return read_events(head + b"\x00" + END_OF_TRACK, 0).edited(frozenset(), events)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8").strip("\0 ")
    except UnicodeDecodeError:
        return data.decode("latin-1").strip("\0 ")
