"""Standard MIDI Files (types 0, 1 and 2) to performances and back.

A file is cut up by `piano.midi_chunks`, its tracks are parsed by `piano.midi_tracks`; time is computed here, in double
precision.

What reading means, beyond the specification:

- a key that is never released is released at the end of the file; a pitch struck again before its release has
  its earlier note end there, and the next release ends the later note (releases beyond that mean nothing);
- an end of track with events after it does not end the track; with anything else after it, it does;
- channel 10 (drums) is left out; every other channel and program is taken for piano;
- sustain (controller 64) is down from 64 on, up below; other controllers are ignored;
- several tracks and channels become one piano by the rules of `piano.one_piano`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from piano.errors import MidiFileError
from piano.midi_chunks import Clock, DamageError, split_chunks
from piano.midi_tracks import ParsedTrack, TrackPart, parse_track, tracks_as_file
from piano.notes import NOTE, NoteArray, Performance, no_notes
from piano.one_piano import merge_notes, merge_pedals, pedal_changes
from piano.tempo_map import DEFAULT_TEMPO_US, TempoMap
from piano.whole_file import write_whole

LARGEST_FILE_BYTES = 8 * 1024 * 1024
"""A file larger than this is refused before it is read: an hour of dense playing with pedal takes about 1 MB."""

LONGEST_S = 24 * 3600.0
"""A file that lasts longer than this, in seconds, is taken for damaged."""

_LAST_TRACK = 255


@dataclass(frozen=True, slots=True)
class MidiTrack:
    """One track of a MIDI file: its name and what is played in it (NOTE.track is the track's index in the file)."""

    name: str
    performance: Performance


def read_performance(source: Path | bytes, *, name: str | None = None) -> Performance:
    """Read a MIDI file and return all its tracks as one piano performance, in seconds.

    `source` is a path or the file's bytes, `name` what error messages call it. Raises MidiFileError if the file
    cannot be read, is damaged, or holds no note.
    """
    tracks = read_tracks(source, name=name)
    performance = merge_tracks(tracks)
    if performance.notes.size == 0:
        raise MidiFileError(f"{_called(source, name)}: there is no note in it (drums on channel 10 do not count)")
    return performance


def merge_tracks(tracks: Sequence[MidiTrack]) -> Performance:
    """Return the tracks as one performance on one piano; NOTE.track stays as it is."""
    notes = [track.performance.notes for track in tracks]
    pedals = [track.performance.pedals for track in tracks]
    return Performance(merge_notes(np.concatenate(notes) if notes else no_notes()), merge_pedals(pedals))


def read_tracks(source: Path | bytes, *, name: str | None = None) -> tuple[MidiTrack, ...]:
    """Read a MIDI file and return its track chunks in order, those without notes too.

    Raises MidiFileError if the file cannot be read or is damaged.
    """
    called = _called(source, name)
    data = load_midi(source, called)
    try:
        chunks = split_chunks(data)
        parts = [parse_track(body, index) for index, body in enumerate(chunks.bodies)]
        return tuple(_in_seconds(parts, chunks.clock, in_sequence=chunks.file_type == 2))
    except DamageError as damage:
        raise MidiFileError(f"{called}: {damage}; export or download the file again") from damage


def _called(source: Path | bytes, name: str | None) -> str:
    """Return what an error message calls the file."""
    if name is not None:
        return name
    return str(source) if isinstance(source, Path) else "MIDI data"


def load_midi(source: Path | bytes, called: str) -> bytes:
    """Return the bytes of the file; MidiFileError, before it is read, if it is too large."""
    try:
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        if size > LARGEST_FILE_BYTES:
            raise MidiFileError(
                f"{called}: {size:,} bytes are too many for a MIDI file (at most {LARGEST_FILE_BYTES:,}); "
                "give a file of one performance"
            )
        return source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise MidiFileError(f"{called}: cannot be read: {error.strerror or error}; check path and rights") from error


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


def _in_seconds(tracks: Sequence[ParsedTrack], clock: Clock, *, in_sequence: bool) -> Iterator[MidiTrack]:
    """Yield the tracks in seconds: under one tempo map, or (type 2) one after the other, each with its own."""
    groups = [[track] for track in tracks] if in_sequence else [list(tracks)]
    start_s, index = 0.0, 0
    for group in groups:
        tempo_map = _tempo_map(group, clock)
        end = max(track.end for track in group)
        for track in group:
            yield _in_seconds_from(start_s, tempo_map, end, track, index)
            index += 1
        start_s += float(tempo_map.seconds(np.array([end]))[0])
        if start_s > LONGEST_S:
            raise DamageError(f"it lasts {start_s / 3600:,.0f} hours, more than {LONGEST_S / 3600:.0f}")


def _in_seconds_from(start_s: float, tempo_map: TempoMap, end: int, track: ParsedTrack, index: int) -> MidiTrack:
    """Return a track, without its drums, that begins at `start_s`."""
    parts = [(number, part) for number, parts in enumerate(track.channels) for part in parts if not part.drums]
    notes = _notes(parts, track.end, end, min(index, _LAST_TRACK))
    end_s = start_s + tempo_map.seconds(notes["duration_s"])
    notes["onset_s"] = start_s + tempo_map.seconds(notes["onset_s"])
    notes["duration_s"] = end_s - notes["onset_s"]
    pedals = []
    for number in dict.fromkeys(number for number, _ in parts):
        tick = np.concatenate([part.sustain_tick for channel, part in parts if channel == number])
        down = np.concatenate([part.sustain_down for channel, part in parts if channel == number])
        order = np.argsort(tick, kind="stable")
        pedals.append(pedal_changes(start_s + tempo_map.seconds(tick[order]), down[order]))
    name = next((part.name for _, part in parts if part.name), "")
    return MidiTrack(name, Performance(merge_notes(notes), merge_pedals(pedals)))


def _notes(parts: Sequence[tuple[int, TrackPart]], track_end: int, file_end: int, index: int) -> NoteArray:
    """Return the notes of a track in ticks, the release in the place of the duration.

    symusic releases the key that was pressed first, so that a pitch struck again before its release keeps
    the releases in question, only at the wrong notes: each note takes the first one after its onset.
    """
    notes = np.zeros(sum(part.onset.size for _, part in parts), NOTE)
    if notes.size == 0:
        return notes
    onset = np.concatenate([part.onset for _, part in parts])
    release = np.concatenate([part.release for _, part in parts])
    pitch = np.concatenate([part.pitch for _, part in parts])
    channel = np.repeat([number for number, _ in parts], [part.onset.size for _, part in parts])
    key = (channel * 128 + pitch) << 32
    releases = np.sort(key + release)
    following = np.searchsorted(releases, key + onset, side="right")
    next_release = releases[np.minimum(following, releases.size - 1)] - key
    release = np.where(release > onset, np.minimum(next_release, release), release)
    notes["onset_s"] = onset
    notes["duration_s"] = np.where(release > track_end, file_end, release)
    notes["pitch"] = pitch
    notes["velocity"] = np.concatenate([part.velocity for _, part in parts])
    notes["track"] = index
    return notes


def _tempo_map(tracks: Sequence[ParsedTrack], clock: Clock) -> TempoMap:
    """Return the map from ticks to seconds under the tempi of all these tracks."""
    if clock.tick_s is not None:
        return TempoMap.fixed(clock.tick_s)
    tick = np.concatenate([track.tempo_tick for track in tracks])
    tempo_us = np.concatenate([track.tempo_us for track in tracks])
    try:
        return TempoMap.of_tempos(tick, tempo_us, ticks_per_quarter=clock.ticks_per_quarter)
    except ValueError as error:
        raise DamageError(str(error)) from error
