"""A take as the bytes of a MIDI file: each message as it went over the wire, on a named track for each who played.

Half-pedals, other controllers and channels are kept, which notes and a pedal that is up or down would lose. What still
sounds at the end, as after a crash, is released there.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from piano.midi.chunks import EMPTY_TEXT, END_OF_TRACK
from piano.midi.scan import variable_length
from realtime.midi.held_notes import HeldNotes
from realtime.midi.message import MessageKind, channel_of, kind_of
from realtime.take.take import PASSED_ON, PIANOD, PLAYER, Take, TakePlace, TakeRecord, TakeSource, on_a_piano

_TICKS_PER_QUARTER = 1000
_NS_PER_TICK = 500_000
_TEMPO = b"\xff\x51\x03" + (_TICKS_PER_QUARTER * _NS_PER_TICK // 1000).to_bytes(3)
_LONGEST_DELTA = (1 << 28) - 1

_NAMES = {TakeSource.PLAYED: PLAYER, TakeSource.OWN: PIANOD, TakeSource.PASSED: PASSED_ON}


def midi_of(records: Iterable[TakeRecord]) -> bytes | None:
    """Return a take as a MIDI file of type 1, a tick being half a millisecond; None if no note is in it.

    Its tracks are the player's, ours, and what was passed on, where that is more than a copy of what was played.
    """
    rest: Iterator[TakeRecord] = iter(records)
    first = next(rest, None)
    if first is None:
        return None
    tracks = {source: _Track(name) for source, name in _NAMES.items()}
    tracks[TakeSource.PLAYED].set_tempo()
    for record in chain((first,), rest):
        tracks[record.source].add((record.at_ns - first.at_ns) // _NS_PER_TICK, record)
    if not any(track.struck for track in tracks.values()):
        return None
    if not tracks[TakeSource.PASSED].struck - tracks[TakeSource.PLAYED].struck:
        del tracks[TakeSource.PASSED]
    end_tick = max(track.tick for track in tracks.values())
    bodies = [track.finish(end_tick) for track in tracks.values()]
    header = b"MThd" + struct.pack(">IHHH", 6, 1, len(bodies), _TICKS_PER_QUARTER)
    return header + b"".join(b"MTrk" + struct.pack(">I", len(body)) + body for body in bodies)


def take_bytes(take: Take) -> bytes | None:
    """Return the take as a MIDI file; None if nothing was played. Takes a moment: for a thread beside the loop."""
    return midi_of(take.since(TakePlace()))


def excerpt_of(records: Sequence[TakeRecord]) -> bytes | None:
    """Return a part of a take as a MIDI file; None if no note begins in it. What began before it is left out."""
    begun: set[tuple[TakeSource, int, int]] = set()
    kept = []
    for record in records:
        kind, key = kind_of(record.data), (record.source, channel_of(record.data), record.data[1])
        if kind is MessageKind.NOTE_ON:
            begun.add(key)
        if kind is not MessageKind.NOTE_OFF or key in begun:
            kept.append(record)
    return midi_of(kept)


class _Track:
    """One track as it is written, event by event."""

    def __init__(self, name: str) -> None:
        text = name.encode("ascii")
        self._body = bytearray(b"\x00\xff\x03" + variable_length(len(text)) + text)
        self._held = HeldNotes()
        self.tick = 0
        self.struck: Counter[bytes] = Counter()
        """Key and velocity of each note."""

    def set_tempo(self) -> None:
        """Write the tempo of the file, which belongs at the start of the first track."""
        self._write(0, _TEMPO)

    def add(self, tick: int, record: TakeRecord) -> None:
        """Write a message; one that is stamped earlier than the one before stands beside that."""
        data = on_a_piano(record.data) if record.source is TakeSource.OWN else record.data
        kind = kind_of(data)
        if kind is MessageKind.NOTE_ON:
            self.struck[data] += 1
        if kind not in (MessageKind.SILENCE, MessageKind.RESET):  # which not every reader of files knows
            self._held.push(data)
        self._write(tick, data)

    def finish(self, tick: int) -> bytes:
        """Release what is held at the end of the take, and return the track."""
        for data in self._held.lift():
            self._write(tick, data)
        self._write(tick, END_OF_TRACK)
        return bytes(self._body)

    def _write(self, tick: int, event: bytes) -> None:
        delta = max(tick - self.tick, 0)
        self.tick += delta
        while delta > _LONGEST_DELTA:
            self._body += variable_length(_LONGEST_DELTA) + EMPTY_TEXT
            delta -= _LONGEST_DELTA
        self._body += variable_length(delta) + event
