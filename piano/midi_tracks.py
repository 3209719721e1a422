"""Track chunks in ticks: what symusic makes of a chunk, and the chunks that it writes. No other file speaks to symusic.

Each track chunk is given to symusic as a file of its own, so that the index of a note's source track is known.
symusic drops notes that are never released, and controllers of a channel that has no notes: the chunk is therefore
framed with notes of our own, outside every real one, which also tell where the track ends and which channel a
note came from (`piano.midi_chunks.frame_track`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from symusic.core import ControlChangeTickList, NoteTickList, ScoreTick, TempoTick, TrackTick

from piano.midi_chunks import (
    EMPTY_TEXT,
    END_OF_TRACK,
    FRAME_END_VELOCITY,
    FRAME_PITCH,
    FRAME_PROBE,
    DamageError,
    frame_track,
)
from piano.notes import Performance

PEDAL_DOWN_FROM = 64
"""Controller 64 (sustain) at this value or above is pedal down, below it is pedal up."""

WRITTEN_TICKS_PER_QUARTER = 1000
"""Resolution of the files we write; at 120 quarter notes a minute a tick is half a millisecond."""

_SUSTAIN = 64
_MORE_RELEASES = 64


@dataclass(frozen=True, slots=True)
class TrackPart:
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
    def of(cls, track: TrackTick) -> "TrackPart":
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

    def keep(self, kept: NDArray[np.bool_]) -> "TrackPart":
        """Return the part with some of its notes."""
        columns = {key: getattr(self, key)[kept] for key in ("onset", "release", "pitch", "velocity")}
        return replace(self, **columns)


@dataclass(frozen=True, slots=True)
class ParsedTrack:
    """One track chunk in ticks: the parts of each channel, the end, and its tempi in microseconds a quarter note."""

    channels: tuple[tuple[TrackPart, ...], ...]
    end: int
    tempo_tick: NDArray[np.int64]
    tempo_us: NDArray[np.int64]


def parse_track(body: bytes, index: int) -> ParsedTrack:
    """Parse one track chunk, with as many releases after its end as a pitch may have hanging notes.

    Raises DamageError, in which a track is called by its index from 1 on.
    """
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


def _parse_whole(
    body: bytes, channels: tuple[int, ...], releases: Mapping[tuple[int, int], int], index: int
) -> ParsedTrack:
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


def _parse_framed(framed: bytes, channels: int, index: int) -> ParsedTrack:
    """Parse a framed track of so many channels and take the frame off. Raises DamageError."""
    try:
        score = ScoreTick.from_midi(framed)
        tempos = score.tempos.numpy()
        parts = [TrackPart.of(track) for track in score.tracks]
    except Exception as error:  # symusic raises several types, none of them its own
        raise DamageError(f"track {index + 1} is damaged ({_reason(error)})") from error
    times = [tempos["time"], *(column for part in parts for column in (part.onset, part.sustain_tick))]
    if any(column.size and column.min() < 0 for column in times):
        raise DamageError(f"track {index + 1} is longer than its clock can count")
    end = max((int(part.onset.max()) for part in parts if part.onset.size), default=0) - 1
    by_channel: list[list[TrackPart]] = []
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
    return ParsedTrack(
        channels=tuple(tuple(channel) for channel in by_channel),
        end=end,
        tempo_tick=tempos["time"][order].astype(np.int64),
        tempo_us=tempos["mspq"][order].astype(np.int64),
    )


def _reason(error: Exception) -> str:
    """Return the parser's message in one line, without its own name."""
    return " ".join(str(error).replace("MiniMidi:", "").replace(": iostream error", "").split())


def tracks_as_file(tracks: Sequence[tuple[str, Performance]], tempo_us: int) -> bytes:
    """Return tracks, each with its name, as a type 1 file in one tempo, in microseconds a quarter note.

    ValueError names a track that begins before 0 s, or a pitch or a velocity that MIDI does not have.
    """
    score = ScoreTick(WRITTEN_TICKS_PER_QUARTER)
    score.tempos.append(TempoTick(0, mspq=tempo_us))
    for name, performance in tracks:
        score.tracks.append(_to_symusic(name, performance, WRITTEN_TICKS_PER_QUARTER * 1e6 / tempo_us))
    return bytes(score.dumps_midi())


def _to_symusic(name: str, performance: Performance, ticks_per_s: float) -> TrackTick:
    """Return a track for symusic's writer, which puts releases before onsets of the same tick."""
    notes, pedals = performance.notes, performance.pedals
    if min(notes["onset_s"].min(initial=0.0), pedals["time_s"].min(initial=0.0)) < 0.0:
        raise ValueError(f"track {name!r} begins before 0 s")
    velocity = notes["velocity"]
    if notes["pitch"].max(initial=0) > 127 or velocity.min(initial=1) < 1 or velocity.max(initial=1) > 127:
        raise ValueError(f"track {name!r} has a pitch not in 0 to 127 or a velocity not in 1 to 127")
    onset = np.rint(notes["onset_s"] * ticks_per_s).astype(np.int32)
    release = np.rint((notes["onset_s"] + notes["duration_s"]) * ticks_per_s).astype(np.int32)
    written = TrackTick(name, 0, False)
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
