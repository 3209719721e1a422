"""What the pointers expect to come next, and what a model's distribution becomes when it is mixed with that.

Which key goes down, given that one does, is a mixture: the model's distribution, and in the share in which the pointers
are believed what stands at their places. When something comes is a product: where the next note of a place is due at
the tempo of now, waits that end there become likelier, and those that pass it less likely; a key that goes down early
becomes less likely, one that is due likelier. So do the release of a key whose note is then as long as the one that it
repeats, and a velocity near that of the repeated note. The figures below were fitted on eight pieces of MAESTRO's
validation split; docs/sampling.md tells how.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from piano.events import LOWEST_PITCH
from piano.sampling.note_log import HELD, NoteLog
from piano.sampling.pointers import Pointers, weight_of_repeating
from piano.tokens.vocabulary import KEYS, LONGEST_TIME_STEPS, VELOCITY_BINS, VOCABULARY

Logits = NDArray[np.float32]
Mask = NDArray[np.bool_]
Curves = NDArray[np.float32]

LEAST_WEIGHT = 0.02
"""Pointers that weigh less together change nothing."""

_TRUST = 0.7
"""The exponent of the odds with which pointers are believed."""

_MOST_ODDS = 30.0

_LEAST_SHARE = 0.04
"""What is less likely to be the next of a pointer's notes is not expected."""

_MOST_DUES = 2
"""So many moments of the next key are told apart."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """How likely a moment is by its distance from the one expected: around it, before and after; widths in steps."""

    peak: float
    before: float
    after: float
    width: float
    spread: float
    """The width grows by this share of how long ago the note of before was."""

    def width_of(self, steps: float) -> float:
        """Return the width for something due so many steps after the note before."""
        return self.width + self.spread * max(steps, 1.0)


_WAIT_FOR_KEY = _Shape(4.0, 0.7, 0.3, 1.6, 0.054)
_WAIT_FOR_RELEASE = _Shape(2.0, 0.8, 0.25, 1.5, 0.25)
_KEY = _Shape(4.0, 0.2, 1.5, 1.6, 0.054)
_RELEASE = _Shape(2.0, 0.1, 1.0, 1.5, 0.25)
_VELOCITY = _Shape(4.0, 0.5, 0.5, 2.0, 0.0)
_DUE_WIDTHS = 1.5
"""Within so many widths of its moment a key, or a release, is due."""

_WIDTH_STEP = 0.5
_WIDEST = 40
_FAR = 2 * LONGEST_TIME_STEPS


def _curves(shape: _Shape, length: int) -> Curves:
    """Return a shape for each width, over distances of -length to length."""
    distances = np.arange(-length, length + 1)
    widths = _WIDTH_STEP * np.arange(1, _WIDEST + 1)[:, None]
    ground = np.where(distances < 0, shape.before, shape.after)
    curves = shape.peak * np.exp(-0.5 * (distances / widths) ** 2) + ground
    return curves.astype(np.float32)


_KEY_CURVES = _curves(_WAIT_FOR_KEY, _FAR)
_RELEASE_CURVES = _curves(_WAIT_FOR_RELEASE, _FAR)
_VELOCITY_CURVE = _curves(_VELOCITY, VELOCITY_BINS)[round(_VELOCITY.width / _WIDTH_STEP) - 1]

_TIME = slice(VOCABULARY.first_time, VOCABULARY.first_time + LONGEST_TIME_STEPS)
_VELOCITIES = slice(VOCABULARY.first_velocity, VOCABULARY.first_velocity + VELOCITY_BINS)


class Due(NamedTuple):
    """A moment at which something is expected, in steps, and how sure it is."""

    share: float
    step: float
    width: float
    """How far it may be off, in steps."""
    curves: Curves
    """The curves of that width, over distances of -`_FAR` to `_FAR`."""


class Forecast(NamedTuple):
    """What the pointers of a role expect after its last note: which keys, by index and share, and when."""

    odds: float
    """The odds for the pointers against the model."""
    keys: tuple[tuple[int, float], ...]
    dues: tuple[Due, ...]


def forecast(pointers: Pointers, log: NoteLog, role: int) -> Forecast | None:
    """Return what pointers expect; None if they hardly weigh anything."""
    keys: dict[int, float] = {}
    dues: list[tuple[float, float, int]] = []
    whole = 0.0
    own = log.voices[role].steps
    for pointer in pointers:
        voice = log.voices[pointer.role]
        coming = pointer.coming(voice, len(voice.pitches))
        if not coming:
            continue
        weight = pointer.weight
        whole += weight
        for pitch, share, _ in coming:
            key = pitch - LOWEST_PITCH
            if share >= _LEAST_SHARE and 0 <= key < KEYS:
                keys[key] = keys.get(key, 0.0) + weight * share
        since = own[pointer.now]
        step = since + pointer.tempo * (voice.steps[coming[0][2]] - voice.steps[pointer.then])
        for index, (other, near, start) in enumerate(dues):
            if -1.0 <= step - near <= 1.0:
                dues[index] = other + weight, near, start
                break
        else:
            dues.append((weight, step, since))
    if whole < LEAST_WEIGHT or not keys:
        return None
    kept = sum(keys.values())
    dues = sorted(dues, reverse=True)[:_MOST_DUES]
    expected = sum(weight for weight, _, _ in dues)
    return Forecast(
        odds_of(whole),
        tuple((key, weight / kept) for key, weight in keys.items()),
        tuple(due_at(weight / expected, step, since) for weight, step, since in dues),
    )


def odds_of(weight: float) -> float:
    """Return the odds with which pointers of a weight, 0 to 1, are believed."""
    return min(math.pow(weight / max(1.0 - weight, 1e-9), _TRUST), _MOST_ODDS)


def due_at(share: float, step: float, since: int) -> Due:
    """Return a moment that is reckoned from the step of a note."""
    width = _WAIT_FOR_KEY.width_of(step - since)
    return Due(share, step, width, _of_width(_KEY_CURVES, width))


def mix_keys(logits: Logits, mask: Mask | None, expected: Forecast, role: int, recall: float) -> None:
    """Mix which key of a role goes down, in place; that one does is as likely as before.

    The mask says which may go down or come up: what is to strike a key that is still down releases it first.
    """
    first = VOCABULARY.first_on + role * KEYS
    mine = logits[first : first + KEYS]
    keys: Sequence[tuple[int, float]] = expected.keys
    if mask is not None:
        up = VOCABULARY.first_off - VOCABULARY.first_on + first
        keys = [entry for entry in keys if mask[first + entry[0]] or mask[up + entry[0]]]
    kept = 0.0
    for _, share in keys:
        kept += share
    if kept == 0.0:
        return
    belief = _belief(expected.odds, recall) * kept
    peak = float(mine.max())
    whole = peak + math.log(float(np.exp(mine - peak).sum()))
    ours = 1.0 - belief
    mixed = [ours * math.exp(float(mine[key]) - whole) + belief * share / kept for key, share in keys]
    mine += np.float32(math.log(ours))
    for (key, _), probability in zip(keys, mixed, strict=True):
        mine[key] = whole + math.log(probability)


def adjust_keys(logits: Logits, expected: Forecast, role: int, step: int, recall: float) -> None:
    """Make it likelier or less likely, in place, that a key of a role goes down at a step."""
    belief = _belief(expected.odds, recall)
    factor = sum(share * _moment(_KEY, (due - step) / width) for share, due, width, _ in expected.dues)
    first = VOCABULARY.first_on + role * KEYS
    logits[first : first + KEYS] += np.float32(math.log(1 - belief + belief * factor))


def waits_for_keys(expected: Forecast, step: int, recall: float) -> Curves:
    """Return how many times as likely each wait from a step on becomes, (LONGEST_TIME_STEPS,)."""
    belief = _belief(expected.odds, recall)
    waits = np.full(LONGEST_TIME_STEPS, 1 - belief, np.float32)
    for share, due, _, curves in expected.dues:
        waits += _ahead(curves, due - step) * np.float32(belief * share)
    return waits


def adjust_releases(logits: Logits, log: NoteLog, role: int, step: int, recall: float) -> Curves | None:
    """Make releases of a role near their expected moments likelier, in place.

    Return how many times as likely each wait becomes by the soonest of them, (LONGEST_TIME_STEPS,); None without one.
    """
    voice = log.voices[role]
    soonest: tuple[float, float, float] | None = None
    first = VOCABULARY.first_off + role * KEYS - LOWEST_PITCH
    for pitch, number in voice.down.items():
        end = voice.ends[number]
        if end == HELD:
            continue
        belief = _belief(voice.end_odds[number], recall)
        width = _RELEASE.width_of(end - voice.steps[number])
        ahead = float(end - step)
        logits[first + pitch] += math.log(1 - belief + belief * _moment(_RELEASE, ahead / width))
        if ahead > -0.5 * width and (soonest is None or ahead < soonest[0]):
            soonest = ahead, width, belief
    if soonest is None:
        return None
    ahead, width, belief = soonest
    return _ahead(_of_width(_RELEASE_CURVES, width), ahead) * np.float32(belief) + np.float32(1 - belief)


def adjust_waits(logits: Logits, factors: Curves) -> None:
    """Make each wait so many times as likely, in place."""
    logits[_TIME] += np.log(factors)


def adjust_velocity(logits: Logits, pointers: Pointers, log: NoteLog, role: int, recall: float) -> None:
    """Make velocities near that of the repeated note likelier, in place, once a key has gone down."""
    now = len(log.voices[role].pitches) - 1
    heaviest = next((pointer for pointer in pointers if pointer.now == now), None)
    if heaviest is None:
        return
    weight = weight_of_repeating(pointers, now)
    if weight < LEAST_WEIGHT:
        return
    belief = _belief(odds_of(weight), recall)
    bin_ = round(min(max(log.voices[heaviest.role].velocities[heaviest.then] + heaviest.louder, 0), VELOCITY_BINS - 1))
    curve = _VELOCITY_CURVE[VELOCITY_BINS - bin_ : 2 * VELOCITY_BINS - bin_]
    logits[_VELOCITIES] += np.log((1 - belief) + np.float32(belief) * curve)


def _belief(odds: float, recall: float) -> float:
    odds *= recall
    return odds / (1 + odds)


def _moment(shape: _Shape, widths: float) -> float:
    """Return how much likelier a thing is that is due so many widths ahead: before its moment, in it, and after."""
    if widths > _DUE_WIDTHS:
        return shape.before
    return shape.peak if widths >= -_DUE_WIDTHS else shape.after


def _of_width(curves: Curves, width: float) -> Curves:
    """Return the curve of a width, over all distances."""
    curve: Curves = curves[min(max(round(width / _WIDTH_STEP), 1), _WIDEST) - 1]
    return curve


def _ahead(curve: Curves, ahead: float) -> Curves:
    """Return how likely waits of 1 to the longest are for something due so many steps ahead."""
    begin = _FAR + 1 - min(max(round(ahead), -LONGEST_TIME_STEPS), LONGEST_TIME_STEPS)
    return curve[begin : begin + LONGEST_TIME_STEPS]
