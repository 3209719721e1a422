"""What answers to tasks come to without a model: the input copied, random notes, the nearest neighbour.

`copy` answers with what is known beforehand; `random` with notes drawn from those of the training split that the same
task asked for: their distances in time, and pitch, duration and velocity of one note together; `nearest` with the own
part of the most similar window of the training split, see `train.evaluate.nearest_neighbour`.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from piano.events import Role
from piano.notes import NoteArray, sort_notes
from piano.tasks.exercise import Exercise
from train.evaluate.nearest_neighbour import NearestNeighbour, known_notes

Values = NDArray[np.float64]
NoteBaseline = Callable[[Exercise, np.random.Generator], NoteArray]


def fit_task_baselines(exercises: Sequence[Exercise]) -> dict[str, NoteBaseline]:
    """Return the baselines by name, from exercises of the training split of the same task."""
    neighbours = NearestNeighbour(exercises)
    return {
        "copy": lambda exercise, _: known_notes(exercise),
        "random": _random_notes(exercises),
        "nearest": lambda exercise, _: neighbours.notes(exercise),
    }


def _random_notes(exercises: Sequence[Exercise]) -> NoteBaseline:
    """Return what draws notes: as many as are shown where all are asked, else as dense as asked notes were."""
    asked = [exercise.performance.notes[exercise.roles == Role.OWN] for exercise in exercises]
    pool = np.concatenate(asked)
    distances_s = np.concatenate(
        [_distances(notes, exercise) for notes, exercise in zip(asked, exercises, strict=True)]
    )

    def draw(exercise: Exercise, rng: np.random.Generator) -> NoteArray:
        if not exercise.given_notes:
            count = known_notes(exercise).size
            onset_s = np.cumsum(rng.choice(distances_s, count))
        else:
            onset_s = np.concatenate([_fill(start, end, distances_s, rng) for start, end in _spans(exercise)])
        notes = rng.choice(pool, onset_s.size)
        notes["onset_s"] = onset_s
        return sort_notes(notes)

    return draw


def _distances(notes: NoteArray, exercise: Exercise) -> Values:
    """Return the distances in time between the asked notes; not from one gap to the next."""
    inside = [
        np.diff(notes["onset_s"][(notes["onset_s"] >= start_s) & (notes["onset_s"] <= end_s)])
        for start_s, end_s in _spans(exercise)
    ]
    return np.concatenate([np.zeros(0), *inside])


def _spans(exercise: Exercise) -> list[tuple[float, float]]:
    """Return the stretches in which notes are asked, as far as is known beforehand."""
    if exercise.gaps:
        return [(gap.start_s, gap.end_s) for gap in exercise.gaps]
    onset_s = (known_notes(exercise) if exercise.given_notes else exercise.performance.notes)["onset_s"]
    return [(float(onset_s.min(initial=np.inf)), float(onset_s.max(initial=-np.inf)))]


def _fill(
    start_s: float, end_s: float, distances_s: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return onsets at drawn distances within a stretch."""
    length_s, mean_s = end_s - start_s, float(distances_s.mean())
    onset_s = start_s + np.cumsum(rng.choice(distances_s, int(3 * max(length_s, 0.0) / mean_s) + 16))
    return onset_s[onset_s <= end_s]
