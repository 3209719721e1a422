"""The velocity tasks offline: what stands in the stream is known to the last token, velocities alone are asked for."""

import math
from array import array

import numpy as np
from numpy.typing import NDArray

from piano.events import HIGHEST_PITCH, LOWEST_PITCH
from piano.notes import Performance
from piano.sampling.velocity_posterior import HALF_WAY_NOISE, VELOCITIES, median_velocity, velocity_posterior
from piano.session import Logits
from piano.tasks.exercise import Asked, Exercise, Preview, roles_of
from piano.tasks.repair_tasks import NO_READING
from piano.tasks.task_stream import Part, PreviewSize, task_stream
from piano.tokens.vocabulary import VELOCITY_BINS, VOCABULARY

_BINS = slice(VOCABULARY.first_velocity, VOCABULARY.first_velocity + VELOCITY_BINS)


class VelocityAnswers:
    """The stream of one exercise, fed up to each key in turn; its velocity is the median of prior times likelihood."""

    def __init__(self, exercise: Exercise, styles: tuple[str, ...], size: PreviewSize | None, noise: float) -> None:
        stream = task_stream(exercise, styles=styles, size=size)
        self.tokens = array("i", stream.tokens.tolist())
        self.head, self.fed = stream.head, 0
        self.score, self.decisions = 0.0, 0
        self._asked = np.flatnonzero(stream.parts == Part.ASKED)
        self._exercise, self._noise = exercise, noise
        self._note = _notes_in_stream_order(exercise, stream.tokens[self._asked - 1])
        self._velocities = exercise.as_heard.notes["velocity"].copy()

    @property
    def is_done(self) -> bool:
        """Say whether each velocity has been found."""
        return self.decisions == self._asked.size

    @property
    def due(self) -> int:
        """Return how many tokens of the stream are to be fed before the next answer."""
        return int(self._asked[self.decisions])

    @property
    def share(self) -> float:
        """Return how many of the velocities have been found, 0 to 1."""
        return self.decisions / max(1, self._asked.size)

    def accept_logits(self, logits: Logits) -> None:
        """Take the logits after the next key, and answer."""
        note = self._note[self.decisions]
        priors, self.fed = logits[_BINS], self.due
        velocity = median_velocity(velocity_posterior(priors, int(self._velocities[note]), self._noise))
        self.score += math.log(float(velocity_posterior(priors, 1, math.inf)[velocity - VELOCITIES[0]]))
        self._velocities[note] = velocity
        self.decisions += 1

    def performance(self) -> Performance:
        """Return the notes in their order with the velocities found; one off the keyboard keeps its own."""
        notes = self._exercise.performance.notes.copy()
        notes["velocity"] = self._velocities
        return Performance(notes, self._exercise.performance.pedals)


def velocity_exercise(task: str, performance: Performance) -> Exercise:
    """Return the exercise that finds velocities for a performance whose own are what was read."""
    notes = performance.notes.copy()
    if task == "velocity":
        notes["velocity"] = NO_READING
    return Exercise(
        task,
        performance,
        roles_of(np.ones(notes.size, np.bool_)),
        roles_of(np.ones(performance.pedals.size, np.bool_)),
        asked=Asked.VELOCITIES,
        preview=Preview(notes, shows_velocity=task != "velocity"),
        readings=notes["velocity"],
    )


def noise_of(exercise: Exercise, size: PreviewSize | None, wanted: float | None) -> float:
    """Return the deviation that readings are taken to have; infinite where they say nothing, or nothing more.

    Where a preview shows the readings, the model's distribution is the answer already.
    """
    preview = exercise.preview
    if exercise.task == "velocity" or (size is not None and preview is not None and preview.shows_velocity):
        return math.inf
    return HALF_WAY_NOISE if wanted is None else wanted


def _notes_in_stream_order(exercise: Exercise, presses: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return the index of the note of each press, (presses,): the n-th press of a key is its n-th note in time."""
    notes = exercise.performance.notes
    onset_ns = np.rint(notes["onset_s"] * 1e9).astype(np.int64)
    pitch = notes["pitch"]
    heard = np.flatnonzero((onset_ns >= 0) & (pitch >= LOWEST_PITCH) & (pitch <= HIGHEST_PITCH))
    of_note = heard[np.lexsort((onset_ns[heard], pitch[heard]))]
    of_press = np.argsort(VOCABULARY.values[presses], kind="stable")
    order = np.empty(presses.size, np.intp)
    order[of_press] = of_note
    return order
