"""`python -m realtime.panel.reading WHAT`: a MIDI file on standard input, as JSON on standard output.

A process of its own, started by the panel: reading a file and posing its tasks is work that would hold the interpreter
of what plays, and files may come from anywhere.

    picture              the notes and pedals of each track, for the roll
    messages             what to send and when, to replay it
    reference            what it takes to play like it
    chart SUFFIX         the changes in it, as text; the file may be one of any kind that `lead_sheet` reads
    length               how long it is, in seconds
    music                whether there are notes in it: if not, then chords that are named; refused if neither
    task NAME SEED       a task's exercise on the piece: what is given, and what is asked
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from piano.changes import read_chart
from piano.errors import MidiFileError, PianodError
from piano.events import Role
from piano.midi.file import MidiTrack, merge_tracks, read_performance, read_tracks
from piano.notes import NoteArray, PedalArray, Performance
from piano.tasks.exercise import Exercise
from piano.tasks.pose import pose
from piano.tokens.vocabulary import TASKS
from realtime.midi.performance_messages import TimedMessage, messages_of
from realtime.panel.memory_limit import TOO_MUCH, limit_memory
from realtime.performers.reference import reference_of
from realtime.take.take import PASSED_ON, PIANOD, PLAYER

MOST_NOTES = 100_000
"""Notes in a picture."""

OTHERS = "others"
_LAYERS = 2
_OURS = (PLAYER, PIANOD)

Picture = dict[str, Any]
"""`layers`: for each its `name`, `notes` [start_s, end_s, pitch, velocity] and `pedals` [start_s, end_s]."""


def sounding_tracks(tracks: Sequence[MidiTrack]) -> list[MidiTrack]:
    """Return the tracks that were heard, ours last: of a take, what was passed on stands for what was played."""
    names = {track.name for track in tracks}
    silent = PLAYER if PASSED_ON in names else None
    played = [track for track in tracks if track.performance.notes.size or track.name in _OURS]
    return sorted((track for track in played if track.name != silent), key=lambda track: track.name == PIANOD)


def picture_of(tracks: Sequence[MidiTrack]) -> Picture:
    """Return tracks as the two layers of a picture; where there are more, the first one and all others."""
    if len(tracks) > _LAYERS:
        tracks = [tracks[0], MidiTrack(OTHERS, merge_tracks(tracks[1:]))]
    return {"layers": [layer(track.name, track.performance) for track in tracks]}


def layer(name: str, performance: Performance) -> dict[str, Any]:
    """Return a performance as one layer of a picture."""
    return {"name": name, "notes": _rows(performance.notes), "pedals": _spans(performance.pedals, performance.end_s)}


def _rows(notes: NoteArray) -> list[list[float]]:
    return [
        [round(onset_s, 4), round(onset_s + duration_s, 4), pitch, velocity]
        for onset_s, duration_s, pitch, velocity, _ in notes[:MOST_NOTES].tolist()
    ]


def _spans(pedals: PedalArray, end_s: float) -> list[list[float]]:
    spans: list[list[float]] = []
    down_s: float | None = None
    for at_s, down in pedals.tolist():
        if down and down_s is None:
            down_s = at_s
        elif not down and down_s is not None:
            spans.append([round(down_s, 4), round(at_s, 4)])
            down_s = None
    if down_s is not None:
        spans.append([round(down_s, 4), round(max(end_s, down_s), 4)])
    return spans


def exercise_picture(exercise: Exercise) -> Picture:
    """Return what an exercise gives and what it asks for, as two layers.

    Where the given is shown beforehand (noisy, or without its expression) it is the preview; where velocities are
    asked, it is the notes with the velocities that were heard.
    """
    performance, own = exercise.performance, exercise.roles == Role.OWN
    own_pedals = exercise.pedal_roles == Role.OWN
    asked = Performance(performance.notes[own], performance.pedals[own_pedals])
    given = Performance(performance.notes[~own], performance.pedals[~own_pedals])
    if exercise.readings is not None:
        given = Performance(exercise.as_heard.notes, given.pedals)
    elif exercise.given_notes == 0 and exercise.preview is not None:
        given = Performance(exercise.preview.notes, given.pedals)
    return {"layers": [layer("given", given), layer("asked", asked)]}


def messages(tracks: Sequence[MidiTrack]) -> list[tuple[int, str]]:
    """Return what to send to sound a piece again, in nanoseconds from its beginning, as hexadecimal digits."""
    sent: list[TimedMessage] = []
    for track in sounding_tracks(tracks):
        sent += messages_of(track.performance)
    sent.sort(key=lambda message: message[0])
    return [(at_ns, data.hex()) for at_ns, data in sent]


def read(data: bytes, what: str, *details: str) -> Any:
    """Return what is asked of a file; PianodError says why it cannot be."""
    with tempfile.TemporaryDirectory(prefix="pianod-") as folder:
        path = Path(folder) / ("piece.mid" if what != "chart" else f"chart{details[0]}")
        path.write_bytes(data)
        try:
            return _read(path, what, *details)
        except PianodError as error:
            raise type(error)(str(error).replace(str(path), "this file")) from error


def _read(path: Path, what: str, *details: str) -> Any:
    if what == "chart":
        return _chart(path)
    if what == "task":
        return exercise_picture(_pose(path, *details))
    if what == "music":
        return _has_notes(path)
    tracks = read_tracks(path)
    if what == "length":
        return max((track.performance.end_s for track in tracks), default=0.0)
    if what == "messages":
        return messages(tracks)
    if what == "reference":
        return asdict(reference_of(merge_tracks(sounding_tracks(tracks)), "this file"))
    return picture_of(sounding_tracks(tracks))


def _chart(path: Path) -> str:
    from realtime.beat.lead_sheet import chart_text  # reads files of many kinds, and few bring one

    try:
        text = chart_text(path)
        read_chart(text)
    except UnicodeDecodeError as error:
        raise PianodError("it is no text") from error
    return text


def _has_notes(path: Path) -> bool:
    try:
        return read_performance(path).notes.size > 0
    except MidiFileError as without:
        try:
            _chart(path)
        except (PianodError, OSError):
            raise without from None
        return False


def _pose(path: Path, task: str, seed: str) -> Exercise:
    if task not in TASKS:
        raise ValueError(f"there is no task {task!r}; there are: {', '.join(TASKS)}")
    performance = read_performance(path)
    if performance.notes.size == 0:
        raise MidiFileError("there is no note in this file: choose another one")
    return pose(task, performance, np.random.default_rng(int(seed)))


def main(arguments: Sequence[str]) -> int:
    """Read standard input, write standard output; 2 and a line on standard error where that cannot be."""
    limit_memory()
    try:
        answer = read(sys.stdin.buffer.read(), *arguments)
    except PianodError as error:
        print(str(error), file=sys.stderr)
        return 2
    except MemoryError:
        print(TOO_MUCH, file=sys.stderr)
        return 2
    json.dump(answer, sys.stdout, separators=(",", ":"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
