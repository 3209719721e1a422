"""The notes of a MIDI file, each known by the event that strikes it, with the program that plays it."""

from collections import defaultdict, deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from piano.midi.events import TrackEvents
from piano.midi.scan import NOTE_OFF, NOTE_ON, PROGRAM

STRUCK = np.dtype(
    [
        ("track", np.int32),
        ("event", np.int32),
        ("channel", np.uint8),
        ("pitch", np.uint8),
        ("velocity", np.uint8),
        ("program", np.uint8),
        ("onset", np.int64),
        ("end", np.int64),
    ]
)
"""One note of a file: its track, the index of the event that strikes it, channel 0 to 15, the program that plays it,
and its ticks."""

DRUMS = 9
"""The channel of the drums, counted from 0."""

StruckArray = NDArray[np.void]


def struck_in(tracks: Sequence[TrackEvents], *, side_by_side: bool) -> StruckArray:
    """Return all notes (dtype STRUCK), track by track; what never ends does so with the file, or, where the tracks come
    one after the other, with its track."""
    file_end = max(track.end_tick for track in tracks)
    found = [_struck(track, index, file_end if side_by_side else track.end_tick) for index, track in enumerate(tracks)]
    changes = [_program_changes(track) for track in tracks]
    for struck, own in zip(found, changes, strict=True):
        for channel in np.unique(struck["channel"]).tolist():
            here = struck["channel"] == channel
            if channel in own:
                at, program = np.array(own[channel], np.int64)[:, 1:].T
                struck["program"][here] = _in_force(at, program, struck["event"][here])
            else:
                others = sorted(change for track in changes for change in track.get(channel, ()))
                if others:
                    tick, _, program = np.array(others, np.int64).T
                    struck["program"][here] = _in_force(tick, program, struck["onset"][here])
    return np.concatenate(found)


def _program_changes(track: TrackEvents) -> dict[int, list[tuple[int, int, int]]]:
    """Return a track's program changes by channel: tick, index of the event, program."""
    changes: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for number, event in enumerate(track.events):
        if event.status & 0xF0 == PROGRAM:
            changes[event.status & 0x0F].append((event.tick, number, track.body[event.data]))
    return changes


def _in_force(at: NDArray[np.int64], program: NDArray[np.int64], when: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the program at each place: the last one before it, and before the first that first one."""
    return np.asarray(program[np.maximum(np.searchsorted(at, when, side="right") - 1, 0)], np.int64)


def _struck(track: TrackEvents, index: int, file_end: int) -> StruckArray:
    """Return the notes of a track. Releases go to the keys in the order in which these were struck, but a note ends no
    later than at the first release of its key after it."""
    body = track.body
    rows: list[tuple[int, int, int, int, int, int, int, int]] = []
    waiting: dict[int, deque[int]] = defaultdict(deque)
    releases: dict[int, int] = {}
    for number, event in enumerate(track.events):
        kind, channel = event.status & 0xF0, event.status & 0x0F
        if kind not in (NOTE_ON, NOTE_OFF):
            continue
        pitch, velocity = body[event.data], body[event.data + 1]
        key = channel * 128 + pitch
        if kind == NOTE_ON and velocity:
            waiting[key].append(len(rows))
            rows.append((index, number, channel, pitch, velocity, 0, event.tick, 0))
        elif waiting[key]:
            releases[waiting[key].popleft()] = event.tick
    struck = np.array(rows, STRUCK)
    if not struck.size:
        return struck
    hangs = np.array([row not in releases for row in range(struck.size)])
    onset = struck["onset"]
    release = np.array([releases.get(row, track.end_tick + 1) for row in range(struck.size)], np.int64)
    key = (struck["channel"].astype(np.int64) * 128 + struck["pitch"]) << 52  # ticks of 24 hours have 52 bits
    of_keys = np.sort(key + release)
    following = np.searchsorted(of_keys, key + onset, side="right")
    first_after = of_keys[np.minimum(following, of_keys.size - 1)] - key
    struck["end"] = np.where(release > onset, np.minimum(first_after, release), release)
    struck["end"][hangs & (struck["end"] > track.end_tick)] = file_end
    return struck
