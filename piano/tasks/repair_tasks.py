"""Repair tasks: the model's own is the performance as it should be; a preview shows it as it came in.

All notes and the pedal are own, so that what is played is plain music; what differs is how much of it is forced.

    velocity          nothing is known of the velocities                    all is forced but velocities
    denoise_velocity  velocities + N(0, 30)                                 all is forced but velocities
    clean_velocity    a wrong curve and noise of any strength, or no more   all is forced but velocities
                      than one velocity
    clean_pitch       pitches + N(0, 5 semitones)                           nothing is forced
    clean_onset       onsets + N(0, 0.3 s)                                  nothing is forced
    clean_time        the same, on a coarser hint: see `_clean_time`        nothing is forced
    clean_all         pitches, velocities and onsets, each as above         nothing is forced
    perform_flat      the order of the pitches                              pitches, in their order
    perform_score     pitches on a grid of sixteenths                       pitches, in their order

**Velocities.** In the stream of a velocity task stands what the keyboard read (for `velocity`, which knows of none, the
same for all), never the answer: the model says the true velocity after each ON, and nothing of its own is fed back to
it. Its distribution is p(v | all readings before, all keys so far); times the likelihood p(reading | v) it is the exact
posterior given everything heard. This is how it is live. A preview adds what comes: for `velocity` pitches and onsets;
for the others the readings too, this key's among them, so that the distribution is already the answer and multiplying
it by the likelihood would count the reading twice.

A preview has no releases: a duration is never known beforehand, be it noisy or not.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from piano.events import HIGHEST_PITCH, LOWEST_PITCH
from piano.notes import NoteArray, Performance, sort_notes
from piano.tasks.exercise import Asked, Exercise, Preview, PreviewClock, roles_of

Rng = np.random.Generator

PITCH_NOISE_SEMITONES = 5.0
VELOCITY_NOISE = 30.0
MOST_NOISE = 40.0
"""The largest deviation of a reading from what its curve makes of the velocity."""

ONSET_NOISE_S = 0.3
ONSET_MARGIN_S = 1.0
"""How far a noisy onset may lie from the true one, in seconds; noise beyond it is cut."""

FLAT_INTERVAL_S, FLAT_DURATION_S, FLAT_VELOCITY = 0.2, 0.2, 80

VELOCITY_TASKS = ("velocity", "denoise_velocity", "clean_velocity")
ANY_KEYBOARD = "clean_velocity"
"""The task under which a keyboard is heard of which nothing is known but that its velocities say something."""

CURVE_EXPONENTS = (0.4, 2.5)
"""The softest and the hardest wrong velocity curve: v → 127 (v / 127)^exponent."""

SIXTEENTHS_S = (0.085, 0.2)
"""The fastest and the slowest sixteenth that a tempo is looked for, in seconds: 176 to 75 quarter notes a minute."""

NO_READING = 64
"""What stands in the stream in place of a reading where there is none."""

_ONE_VELOCITY_SHARE, _CURVED_SHARE = 0.1, 0.6
_TEMPI = 24
_TEMPO_REACH = 12
_MOMENT_S = 0.035


def pose_repair(task: str, performance: Performance, rng: Rng) -> Exercise:
    """Return the exercise of a repair task; all of its notes and pedal changes are own."""
    notes = performance.notes
    preview = _PREVIEWS[task](notes.copy(), rng)
    asks_velocities = task in VELOCITY_TASKS
    return Exercise(
        task,
        performance,
        roles_of(np.ones(notes.size, np.bool_)),
        roles_of(np.ones(performance.pedals.size, np.bool_)),
        asked=Asked.VELOCITIES if asks_velocities else Asked.OWN_EVENTS,
        preview=preview,
        readings=preview.notes["velocity"] if asks_velocities else None,
    )


def _velocity(notes: NoteArray, _: Rng) -> Preview:
    notes["velocity"] = NO_READING
    return Preview(notes, shows_velocity=False)


def _denoise_velocity(notes: NoteArray, rng: Rng) -> Preview:
    _blur_velocities(notes, VELOCITY_NOISE, rng)
    return Preview(notes)


def _clean_velocity(notes: NoteArray, rng: Rng) -> Preview:
    """Read velocities through a keyboard that has one velocity, a wrong curve or a right one, and noise."""
    kind = rng.random()
    if kind < _ONE_VELOCITY_SHARE:
        notes["velocity"] = rng.integers(1, 128)
        return Preview(notes)
    if kind < _ONE_VELOCITY_SHARE + _CURVED_SHARE:
        low, high = np.log(CURVE_EXPONENTS)
        curved = 127 * (notes["velocity"] / 127) ** np.exp(rng.uniform(low, high))
        notes["velocity"] = np.clip(np.rint(curved), 1, 127)
    _blur_velocities(notes, rng.uniform(0, MOST_NOISE), rng)
    return Preview(notes)


def _clean_pitch(notes: NoteArray, rng: Rng) -> Preview:
    _blur_pitches(notes, rng)
    return Preview(sort_notes(notes))


def _clean_onset(notes: NoteArray, rng: Rng) -> Preview:
    _blur_onsets(notes, rng)
    return Preview(sort_notes(notes), margin_s=ONSET_MARGIN_S)


def _clean_time(notes: NoteArray, rng: Rng) -> Preview:
    """Blur onsets and durations; as no preview shows durations, the noise in them is that they are unknown."""
    _blur_onsets(notes, rng)
    blurred = notes["duration_s"] + rng.normal(0.0, ONSET_NOISE_S, notes.size)
    notes["duration_s"] = np.maximum(blurred, 0.01)
    return Preview(sort_notes(notes), margin_s=ONSET_MARGIN_S)


def _clean_all(notes: NoteArray, rng: Rng) -> Preview:
    _blur_pitches(notes, rng)
    _blur_velocities(notes, VELOCITY_NOISE, rng)
    return _clean_time(notes, rng)


def _perform_flat(notes: NoteArray, _: Rng) -> Preview:
    notes["onset_s"] = FLAT_INTERVAL_S * np.arange(notes.size)
    notes["duration_s"], notes["velocity"] = FLAT_DURATION_S, FLAT_VELOCITY
    return Preview(notes, shows_velocity=False, clock=PreviewClock.ORDER)


def _perform_score(notes: NoteArray, _: Rng) -> Preview:
    """Put the notes on a grid of sixteenths in one tempo, without touch; the order of the performance is kept."""
    place, sixteenth_s = sixteenths(notes["onset_s"])
    lengths = np.maximum(np.rint(notes["duration_s"] / sixteenth_s), 1)
    notes["onset_s"], notes["duration_s"] = place * sixteenth_s, lengths * sixteenth_s
    notes["velocity"] = FLAT_VELOCITY
    return Preview(notes, shows_velocity=False, clock=PreviewClock.ORDER)


_PREVIEWS: dict[str, Callable[[NoteArray, Rng], Preview]] = {
    "velocity": _velocity,
    "denoise_velocity": _denoise_velocity,
    "clean_pitch": _clean_pitch,
    "clean_velocity": _clean_velocity,
    "clean_onset": _clean_onset,
    "clean_time": _clean_time,
    "clean_all": _clean_all,
    "perform_flat": _perform_flat,
    "perform_score": _perform_score,
}


def _blur_velocities(notes: NoteArray, deviation: float, rng: Rng) -> None:
    blurred = notes["velocity"] + rng.normal(0.0, deviation, notes.size)
    notes["velocity"] = np.clip(np.rint(blurred), 1, 127)


def _blur_pitches(notes: NoteArray, rng: Rng) -> None:
    blurred = notes["pitch"] + rng.normal(0.0, PITCH_NOISE_SEMITONES, notes.size)
    notes["pitch"] = np.clip(np.rint(blurred), LOWEST_PITCH, HIGHEST_PITCH)


def _blur_onsets(notes: NoteArray, rng: Rng) -> None:
    noise_s = np.clip(rng.normal(0.0, ONSET_NOISE_S, notes.size), -ONSET_MARGIN_S, ONSET_MARGIN_S)
    notes["onset_s"] = notes["onset_s"] + noise_s


def sixteenths(onset_s: NDArray[np.float64]) -> tuple[NDArray[np.int64], float]:
    """Return on which sixteenth each onset falls, counted from the first, and the typical length of one in seconds.

    Onsets that follow each other within 35 ms are one moment. The length of a sixteenth is the one, around each
    moment, of which the distances between moments are most nearly whole multiples; a moment is at least one
    sixteenth after the one before. Onsets are in order.
    """
    begins = np.diff(onset_s, prepend=-np.inf) > _MOMENT_S
    distance_s = np.diff(onset_s[begins])  # (moments - 1,)
    if not distance_s.size:
        return np.zeros(onset_s.size, np.int64), SIXTEENTHS_S[1]
    units_s = np.geomspace(*SIXTEENTHS_S, _TEMPI)
    ratio = distance_s[:, None] / units_s
    misfit = np.abs(ratio - np.maximum(np.rint(ratio), 1))
    reach = min(_TEMPO_REACH, distance_s.size)
    total = np.cumsum(np.concatenate([np.zeros((1, _TEMPI)), misfit]), axis=0)
    index = np.arange(distance_s.size)
    first, end = np.maximum(index - reach, 0), np.minimum(index + reach + 1, distance_s.size)
    local = (total[end] - total[first]) / (end - first)[:, None] + misfit.mean(axis=0)
    unit_s = units_s[np.argmin(local, axis=1)]
    lengths = np.maximum(np.rint(distance_s / unit_s), 1).astype(np.int64)
    place = np.concatenate([[0], np.cumsum(lengths)])
    return place[np.cumsum(begins) - 1], float(np.median(unit_s))
