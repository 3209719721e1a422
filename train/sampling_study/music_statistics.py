"""What a stretch of music is like in a few numbers: how dense, how wide, how loud, how silent, how repetitive."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piano.notes import NoteArray

Vector = NDArray[np.float64]

STRETCH_S = 30.0
"""The length of a stretch, in seconds."""

PATTERN = 6
"""How many pitches in a row count as a repetition when they come again."""

MEMORY_S = 120.0
"""How long before a pattern may have been heard to count as repeated, in seconds."""

STATISTICS = ("notes/s", "mean pitch", "pitch range", "mean velocity", "longest silence (s)", "repeated (%)")
"""The numbers of a stretch, in their order. The range is that of the middle 90 % of notes, in semitones."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of a piece: when it begins, in seconds, and its `STATISTICS`, (6,)."""

    start_s: float
    values: Vector


def stretches(notes: NoteArray, end_s: float) -> Iterator[Stretch]:
    """Yield the whole stretches of music that lasts to a moment; notes are in order of onset."""
    repeated = repetitions(notes)
    for index in range(int(end_s // STRETCH_S)):
        start_s = index * STRETCH_S
        within = (notes["onset_s"] >= start_s) & (notes["onset_s"] < start_s + STRETCH_S)
        yield Stretch(start_s, statistics(notes[within], repeated[within], start_s))


def statistics(notes: NoteArray, repeated: NDArray[np.bool_], start_s: float) -> Vector:
    """Return the `STATISTICS` of the notes of one stretch; of an empty one pitch and velocity are not numbers."""
    silence_s = _longest_silence_s(notes, start_s)
    if not notes.size:
        return np.array([0.0, np.nan, np.nan, np.nan, silence_s, 0.0])
    low, high = np.percentile(notes["pitch"], [5, 95])
    mean_velocity = float(notes["velocity"].mean())
    share = 100 * float(repeated.mean())
    return np.array([notes.size / STRETCH_S, float(notes["pitch"].mean()), high - low, mean_velocity, silence_s, share])


def repetitions(notes: NoteArray) -> NDArray[np.bool_]:
    """Say of each note whether it ends a pattern of pitches that was heard not long before, (notes,)."""
    repeated = np.zeros(notes.size, np.bool_)
    last_heard: dict[tuple[int, ...], float] = {}
    pitches: Sequence[int] = notes["pitch"].tolist()
    for index in range(PATTERN - 1, notes.size):
        pattern = tuple(pitches[index - PATTERN + 1 : index + 1])
        onset_s = float(notes["onset_s"][index])
        repeated[index] = onset_s - last_heard.get(pattern, -np.inf) <= MEMORY_S
        last_heard[pattern] = onset_s
    return repeated


def _longest_silence_s(notes: NoteArray, start_s: float) -> float:
    """Return the longest time in a stretch in which no key is down."""
    ends_s = np.maximum.accumulate(np.concatenate([[start_s], notes["onset_s"] + notes["duration_s"]]))
    begins_s = np.append(notes["onset_s"], start_s + STRETCH_S)
    return float(np.clip(begins_s - ends_s, 0.0, None).max())


TRAITS = ("density", "register", "loudness", "key")
"""In what a continuation should be like what it goes on from."""


def traits_apart(one: NoteArray, other: NoteArray) -> Vector:
    """Return how far two excerpts are apart in each of `TRAITS`, (4,); neither may be empty.

    Density: the difference of the logarithms of notes a second. Register: of the mean pitches, in semitones. Loudness:
    of the mean velocities. Key: 1 minus the correlation of how long each pitch class sounds.
    """
    return np.array(
        [
            abs(np.log(_density(one) / _density(other))),
            abs(float(one["pitch"].mean()) - float(other["pitch"].mean())),
            abs(float(one["velocity"].mean()) - float(other["velocity"].mean())),
            1.0 - _correlation(_pitch_classes(one), _pitch_classes(other)),
        ]
    )


def _density(notes: NoteArray) -> float:
    span_s = float(notes["onset_s"][-1] - notes["onset_s"][0])
    return notes.size / max(span_s, 1.0)


def _pitch_classes(notes: NoteArray) -> Vector:
    sums = np.bincount(notes["pitch"].astype(int) % 12, weights=notes["duration_s"], minlength=12)
    return np.asarray(sums, np.float64)


def _correlation(one: Vector, other: Vector) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size else 0.0
