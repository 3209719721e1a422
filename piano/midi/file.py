"""Standard MIDI Files (types 0, 1 and 2) to performances and back.

A file is read by `piano.midi.document`, event by event; here its events become music, in double precision.

What reading means, beyond the specification:

- a key that is never released is released at the end of the file; a pitch struck again before its release has
  its earlier note end there, and the next release ends the later note (releases beyond that mean nothing);
- an end of track with events after it does not end the track; with anything else after it, it does;
- channel 10 (drums) is left out; every other channel and program is taken for piano;
- sustain (controller 64) is down from 64 on, up below; other controllers are ignored;
- several tracks and channels become one piano by the rules of `piano.midi.one_piano`;
- what can be read of a damaged file is read, and told in one warning.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from piano.errors import MidiFileError
from piano.midi.document import MidiDocument
from piano.midi.faults import Warn, no_warning
from piano.midi.one_piano import merge_notes, merge_pedals, pedal_changes
from piano.midi.scan import CONTROL
from piano.midi.strikes import DRUMS, StruckArray
from piano.midi.tempo_map import DEFAULT_TEMPO_US
from piano.midi.tracks import PEDAL_DOWN_FROM, SUSTAIN, tracks_as_file
from piano.notes import NOTE, NoteArray, PedalArray, Performance, no_notes
from piano.whole_file import write_whole

_LAST_TRACK = 255


@dataclass(frozen=True, slots=True)
class MidiTrack:
    """One track of a MIDI file: its name and what is played in it (NOTE.track is the track's index in the file)."""

    name: str
    performance: Performance


def read_performance(source: Path | bytes, *, name: str | None = None, warn: Warn = no_warning) -> Performance:
    """Read a MIDI file and return all its tracks as one piano performance, in seconds.

    `source` is a path or the file's bytes, `name` what messages call it; `warn` gets a line if the file is damaged.
    Raises MidiFileError if the file cannot be read, or holds no note.
    """
    document = MidiDocument.read(source, name=name)
    performance = merge_tracks(tracks_of(document))
    if performance.notes.size == 0:
        fault = f"{document.warning}; and there" if document.warning else f"{document.name}: there"
        raise MidiFileError(f"{fault} is no note in it (drums on channel 10 do not count)")
    if document.warning:
        warn(document.warning)
    return performance


def merge_tracks(tracks: Sequence[MidiTrack]) -> Performance:
    """Return the tracks as one performance on one piano; NOTE.track stays as it is."""
    notes = [track.performance.notes for track in tracks]
    pedals = [track.performance.pedals for track in tracks]
    return Performance(merge_notes(np.concatenate(notes) if notes else no_notes()), merge_pedals(pedals))


def read_tracks(source: Path | bytes, *, name: str | None = None, warn: Warn = no_warning) -> tuple[MidiTrack, ...]:
    """Read a MIDI file and return its track chunks in order, those without notes too.

    `warn` gets a line if the file is damaged. Raises MidiFileError if nothing of it can be read.
    """
    document = MidiDocument.read(source, name=name)
    if document.warning:
        warn(document.warning)
    return tracks_of(document)


def tracks_of(document: MidiDocument) -> tuple[MidiTrack, ...]:
    """Return the tracks of a file in seconds, without its drums, those without notes too."""
    struck = document.struck.compress(document.struck["channel"] != DRUMS)
    notes = notes_struck(document, struck)
    channels = [channel for channel in range(16) if channel != DRUMS]
    return tuple(
        MidiTrack(
            track.name,
            Performance(merge_notes(notes.compress(struck["track"] == index)), pedals_of(document, index, channels)),
        )
        for index, track in enumerate(document.tracks)
    )


def notes_struck(document: MidiDocument, struck: StruckArray) -> NoteArray:
    """Return strikes as notes in seconds, one each and in their order."""
    notes = np.zeros(struck.size, NOTE)
    for index in np.flatnonzero(np.bincount(struck["track"])).tolist():
        here, clock = struck["track"] == index, document.clocks[index]
        notes["onset_s"][here] = clock.seconds(struck["onset"][here])
        notes["duration_s"][here] = clock.seconds(struck["end"][here]) - notes["onset_s"][here]
    notes["pitch"], notes["velocity"] = struck["pitch"], struck["velocity"]
    notes["track"] = np.minimum(struck["track"], _LAST_TRACK)
    return notes


def pedals_of(document: MidiDocument, index: int, channels: Iterable[int]) -> PedalArray:
    """Return the pedal of some channels in a track: down while it is down on any of them."""
    track, clock = document.tracks[index], document.clocks[index]
    table, octets = track.table, track.octets
    pedals = np.flatnonzero(table.status & 0xF0 == CONTROL)
    pedals = pedals[octets[table.data[pedals]] == SUSTAIN]
    down = octets[table.data[pedals] + 1] >= PEDAL_DOWN_FROM
    at_s = clock.seconds(table.tick[pedals])
    status = table.status[pedals]
    there = set(status.tolist())
    here = [status == CONTROL | channel for channel in channels if CONTROL | channel in there]
    return merge_pedals([pedal_changes(at_s[own], down[own]) for own in here])


def write_performance(path: Path, tracks: Sequence[MidiTrack], *, bpm: float | None = None) -> None:
    """Write the tracks as a file, see `midi_bytes`, which appears whole or not at all.

    Raises MidiFileError if the file cannot be written.
    """
    data = midi_bytes(tracks, bpm=bpm)
    try:
        write_whole(path, data)
    except OSError as error:
        raise MidiFileError(f"{path}: cannot be written: {error.strerror or error}; choose another place") from error


def midi_bytes(tracks: Sequence[MidiTrack], *, bpm: float | None = None) -> bytes:
    """Return the tracks as a type 1 file in one tempo, by default 120; NOTE.track has no meaning here.

    Times are kept to a quarter of a millisecond at that tempo, to half of one at 60. Each track has a channel
    of its own (from the 16th track on they are shared), never channel 10, and program 0. Where a key is released and
    struck at one moment, the release comes first.
    """
    if not tracks:
        raise ValueError("a MIDI file needs at least one track")
    tempo_us = DEFAULT_TEMPO_US if bpm is None else round(60e6 / bpm)
    return tracks_as_file([(track.name, track.performance) for track in tracks], tempo_us)
