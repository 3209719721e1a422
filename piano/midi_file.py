"""Standard MIDI Files (types 0, 1 and 2) to performances and back.

Each track chunk is given to symusic as a file of its own, so that the index of a note's source track is known.
symusic drops notes that are never released, and controllers of a channel that has no notes: the chunk is therefore
framed with notes of our own, outside every real one, which also tell where the track ends and which channel a
note came from. Time is computed here, in double precision.

What reading means, beyond the specification:

- a key that is never released is released at the end of the file; a pitch struck again before its release has
  its earlier note end there, and the next release ends the later note (releases beyond that mean nothing);
- an end of track with events after it does not end the track; with anything else after it, it does;
- channel 10 (drums) is left out; every other channel and program is taken for piano;
- sustain (controller 64) is down from 64 on, up below; other controllers are ignored;
- several tracks and channels become one piano by the rules of `piano.one_piano`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from symusic.core import ControlChangeTickList, NoteTickList, ScoreTick, TempoTick, TrackTick

from piano.errors import MidiFileError
from piano.midi_chunks import (
    EMPTY_TEXT,
    END_OF_TRACK,
    FRAME_END_VELOCITY,
    FRAME_PITCH,
    FRAME_PROBE,
    Clock,
    DamageError,
    frame_track,
    split_chunks,
)
from piano.notes import NOTE, NoteArray, Performance, no_notes
from piano.one_piano import merge_notes, merge_pedals, pedal_changes
from piano.tempo_map import DEFAULT_TEMPO_US, TempoMap

LARGEST_FILE_BYTES = 8 * 1024 * 1024
"""A file larger than this is refused before it is read: an hour of dense playing with pedal takes about 1 MB."""

LONGEST_S = 24 * 3600.0
"""A file that lasts longer than this, in seconds, is taken for damaged."""

PEDAL_DOWN_FROM = 64
"""Controller 64 (sustain) at this value or above is pedal down, below it is pedal up."""

WRITTEN_TICKS_PER_QUARTER = 1000
"""Resolution of the files we write; at 120 quarter notes a minute a tick is half a millisecond."""

_SUSTAIN = 64
_MORE_RELEASES = 64
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
        parts = [_parse_track(body, index) for index, body in enumerate(chunks.bodies)]
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
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
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
    score = ScoreTick(WRITTEN_TICKS_PER_QUARTER)
    score.tempos.append(TempoTick(0, mspq=tempo_us))
    for track in tracks:
        score.tracks.append(_to_symusic(track, WRITTEN_TICKS_PER_QUARTER * 1e6 / tempo_us))
    return bytes(score.dumps_midi())


def _to_symusic(track: MidiTrack, ticks_per_s: float) -> TrackTick:
    """Return a track for symusic's writer, which puts releases before onsets of the same tick."""
    notes, pedals = track.performance.notes, track.performance.pedals
    if min(notes["onset_s"].min(initial=0.0), pedals["time_s"].min(initial=0.0)) < 0.0:
        raise ValueError(f"track {track.name!r} begins before 0 s")
    velocity = notes["velocity"]
    if notes["pitch"].max(initial=0) > 127 or velocity.min(initial=1) < 1 or velocity.max(initial=1) > 127:
        raise ValueError(f"track {track.name!r} has a pitch not in 0 to 127 or a velocity not in 1 to 127")
    onset = np.rint(notes["onset_s"] * ticks_per_s).astype(np.int32)
    release = np.rint((notes["onset_s"] + notes["duration_s"]) * ticks_per_s).astype(np.int32)
    written = TrackTick(track.name, 0, False)
    length = np.maximum(release - onset, 1).astype(np.int32)
    written.notes = NoteTickList.from_numpy(
        onset, length, notes["pitch"].astype(np.int8), notes["velocity"].astype(np.int8)
    )
    written.controls = ControlChangeTickList.from_numpy(
        np.rint(pedals["time_s"] * ticks_per_s).astype(np.int32),
        np.full(pedals.size, _SUSTAIN, np.uint8),
        np.where(pedals["down"], 127, 0).astype(np.uint8),
    )
    return written


@dataclass(frozen=True, slots=True)
class _Part:
    """What one channel (with one program) plays in a track, in ticks: note columns and sustain readings."""

    name: str
    drums: bool
    program: int
    onset: NDArray[np.int64]
    release: NDArray[np.int64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    sustain_tick: NDArray[np.int64]
    sustain_down: NDArray[np.bool_]
    probe_tick: NDArray[np.int64]

    @classmethod
    def of(cls, track: TrackTick) -> "_Part":
        """Take a part out of symusic's arrays."""
        notes, controls = track.notes.numpy(), track.controls.numpy()
        onset = notes["time"].astype(np.int64)
        sustain = controls["number"] == _SUSTAIN
        return cls(
            name=track.name,
            drums=track.is_drum,
            program=track.program,
            onset=onset,
            release=onset + notes["duration"],
            pitch=notes["pitch"].astype(np.int64),
            velocity=notes["velocity"].astype(np.int64),
            sustain_tick=controls["time"][sustain].astype(np.int64),
            sustain_down=controls["value"][sustain] >= PEDAL_DOWN_FROM,
            probe_tick=controls["time"][(controls["number"] == FRAME_PROBE) & (controls["value"] == FRAME_PROBE)],
        )

    def keep(self, kept: NDArray[np.bool_]) -> "_Part":
        """Return the part with some of its notes."""
        columns = {key: getattr(self, key)[kept] for key in ("onset", "release", "pitch", "velocity")}
        return replace(self, **columns)


@dataclass(frozen=True, slots=True)
class _Track:
    """One track chunk in ticks: the parts of each channel, the end, and its tempi in microseconds a quarter note."""

    channels: tuple[tuple[_Part, ...], ...]
    end: int
    tempo_tick: NDArray[np.int64]
    tempo_us: NDArray[np.int64]


def _parse_track(body: bytes, index: int) -> _Track:
    """Parse one track chunk, with as many releases after its end as a pitch may have hanging notes."""
    channels = tuple(c for c in range(16) if c == 0 or body.find(0x90 | c) >= 0 or body.find(0xB0 | c) >= 0)
    releases: dict[tuple[int, int], int] = {}
    while True:
        track = _parse_whole(body, channels, releases, index)
        hanging: Counter[tuple[int, int]] = Counter()
        for channel, parts in zip(channels, track.channels, strict=True):
            for part in parts:
                hanging.update((channel, pitch) for pitch in part.pitch[part.release > track.end].tolist())
        exhausted = [key for key, count in hanging.items() if count >= releases.get(key, 1)]
        if not exhausted:
            return track
        for channel, pitch in exhausted:  # there are no more of a pitch than bytes that could name it
            wanted = releases.get((channel, pitch), 1) * _MORE_RELEASES
            releases[channel, pitch] = min(wanted, body.count(pitch) + 1)


def _parse_whole(body: bytes, channels: tuple[int, ...], releases: Mapping[tuple[int, int], int], index: int) -> _Track:
    """Parse a track chunk; an end of track before its end is skipped if events follow it, else the track ends there."""
    readings = [body]
    if 0 <= (early := body.find(END_OF_TRACK)) < len(body) - len(END_OF_TRACK):
        readings += [body.replace(END_OF_TRACK, EMPTY_TEXT), body[: early + len(END_OF_TRACK)]]
    damages = []
    for reading in readings:
        try:
            return _parse_framed(frame_track(reading, channels, releases), len(channels), index)
        except DamageError as damage:
            damages.append(damage)
    raise damages[0]


def _parse_framed(framed: bytes, channels: int, index: int) -> _Track:
    """Parse a framed track of so many channels and take the frame off. Raises DamageError."""
    try:
        score = ScoreTick.from_midi(framed)
        tempos = score.tempos.numpy()
        parts = [_Part.of(track) for track in score.tracks]
    except Exception as error:  # symusic raises several types, none of them its own
        raise DamageError(f"track {index + 1} is damaged ({_reason(error)})") from error
    times = [tempos["time"], *(column for part in parts for column in (part.onset, part.sustain_tick))]
    if any(column.size and column.min() < 0 for column in times):
        raise DamageError(f"track {index + 1} is longer than its clock can count")
    end = max((int(part.onset.max()) for part in parts if part.onset.size), default=0) - 1
    by_channel: list[list[_Part]] = []
    ends = 0
    for part in parts:  # in order of channel, then program; the frame begins in program 0 of each channel
        ours = part.pitch == FRAME_PITCH
        first = ours & (part.release == 0) & (part.program == 0)
        last = ours & (part.onset == end + 1) & (part.velocity == FRAME_END_VELOCITY)
        if first.any() or not by_channel:
            by_channel.append([])
        by_channel[-1].append(part.keep(~(first | last)))
        ends += int(last.sum())
    finished = any((part.probe_tick == end + 1).any() for part in parts)
    if ends != channels or len(by_channel) != channels or not finished:
        raise DamageError(f"track {index + 1} ends within an event")
    order = np.argsort(tempos["time"], kind="stable")
    return _Track(
        channels=tuple(tuple(channel) for channel in by_channel),
        end=end,
        tempo_tick=tempos["time"][order].astype(np.int64),
        tempo_us=tempos["mspq"][order].astype(np.int64),
    )


def _reason(error: Exception) -> str:
    """Return the parser's message in one line, without its own name."""
    return " ".join(str(error).replace("MiniMidi:", "").replace(": iostream error", "").split())


def _in_seconds(tracks: Sequence[_Track], clock: Clock, *, in_sequence: bool) -> Iterator[MidiTrack]:
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


def _in_seconds_from(start_s: float, tempo_map: TempoMap, end: int, track: _Track, index: int) -> MidiTrack:
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


def _notes(parts: Sequence[tuple[int, _Part]], track_end: int, file_end: int, index: int) -> NoteArray:
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


def _tempo_map(tracks: Sequence[_Track], clock: Clock) -> TempoMap:
    """Return the map from ticks to seconds under the tempi of all these tracks."""
    if clock.tick_s is not None:
        return TempoMap.fixed(clock.tick_s)
    tick = np.concatenate([track.tempo_tick for track in tracks])
    tempo_us = np.concatenate([track.tempo_us for track in tracks])
    try:
        return TempoMap.of_tempos(tick, tempo_us, ticks_per_quarter=clock.ticks_per_quarter)
    except ValueError as error:
        raise DamageError(str(error)) from error
