"""Performances as the bytes of a MIDI file: the tracks that we write. No other file speaks to symusic.

It is imported where a file is written, since that takes as long as all of `piano` together.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from piano.notes import Performance

if TYPE_CHECKING:
    from symusic.core import TrackTick

PEDAL_DOWN_FROM = 64
"""Controller 64 (sustain) at this value or above is pedal down, below it is pedal up."""

SUSTAIN = 64

WRITTEN_TICKS_PER_QUARTER = 1000
"""Resolution of the files we write; at 120 quarter notes a minute a tick is half a millisecond."""


def tracks_as_file(tracks: Sequence[tuple[str, Performance]], tempo_us: int) -> bytes:
    """Return tracks, each with its name, as a type 1 file in one tempo, in microseconds a quarter note.

    ValueError names a track that begins before 0 s, or a pitch or a velocity that MIDI does not have.
    """
    from symusic.core import ScoreTick, TempoTick

    score = ScoreTick(WRITTEN_TICKS_PER_QUARTER)
    score.tempos.append(TempoTick(0, mspq=tempo_us))
    for name, performance in tracks:
        score.tracks.append(_to_symusic(name, performance, WRITTEN_TICKS_PER_QUARTER * 1e6 / tempo_us))
    return bytes(score.dumps_midi())


def _to_symusic(name: str, performance: Performance, ticks_per_s: float) -> "TrackTick":
    """Return a track for symusic's writer, which puts releases before onsets of the same tick."""
    from symusic.core import ControlChangeTickList, NoteTickList, TrackTick

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
        np.full(pedals.size, SUSTAIN, np.uint8),
        np.where(pedals["down"], 127, 0).astype(np.uint8),
    )
    return written
