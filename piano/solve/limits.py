"""What may be drawn next, and how long that may be waited for: limits and masks of whoever draws tokens.

Live, in a loop, for files and for the study of sampling they are the same. Masks are (vocab,).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from piano.events import Role
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, VOCABULARY, Kind

LONGEST_HOLD_S = 5.0
"""A key of our own that is held for so long comes up; 999 of 1,000 notes in real performances are shorter."""

LONGEST_WAIT_S = 5.0
"""The longest that the model may wait before an event of its own, where it plays freely."""

MOST_STEP_TOKENS = 96
"""The most that may stand in one step of the stream: about twenty keys struck and released again. Time passes then."""

IS_TIME: Mask = VOCABULARY.kinds == Kind.TIME
IS_EVENT: Mask = np.isin(VOCABULARY.kinds, (Kind.ON, Kind.OFF, Kind.PEDAL))
IS_OWN: Mask = IS_EVENT & (VOCABULARY.roles == Role.OWN)
IS_GIVEN: Mask = IS_EVENT & (VOCABULARY.roles == Role.GIVEN)
IS_OWN_ON: Mask = IS_OWN & (VOCABULARY.kinds == Kind.ON)
NOTHING: Mask = np.zeros(VOCABULARY.size, np.bool_)

ENDS_EVENT: Mask = np.isin(VOCABULARY.kinds, (Kind.OFF, Kind.PEDAL, Kind.VELOCITY, Kind.PLAY))
"""The tokens behind which an event, or a preview, is whole."""

STEPS = np.where(IS_TIME, VOCABULARY.values, 0).astype(np.int64)
"""How many steps each token waits, (vocab,)."""


@dataclass(frozen=True, slots=True)
class Options:
    """What may be drawn in an exercise. Of that: what lets the next known thing come, what is a wrong guess about the
    other role, and what presses the next key of a score.

    Where a given C4 comes at step 50 and step 20 has been reached, a wait of 30 steps or fewer stays before it, and one
    of 31 or more `lets_come` C4; a given D4 is `wrong`. In a score whose next key is D4 every key of ours `presses` it.
    """

    allowed: Mask
    lets_come: Mask = field(default_factory=lambda: NOTHING)
    wrong: Mask = field(default_factory=lambda: NOTHING)
    presses: Mask = field(default_factory=lambda: NOTHING)


def in_time(events: Mask, missing: int, most: int | None = None, *, has_waited: bool) -> Mask:
    """Return which of some events may come now, and which waits.

    No event comes before `missing` more steps have passed, and no wait is longer than `most` (None: as long as it is).
    A wait is full seconds and then the rest: with `has_waited` that has come, and the wait is at its end.
    """
    waits: Mask = IS_TIME if most is None else IS_TIME & (most >= STEPS)
    if missing > 0:
        return np.asarray(waits & (min(missing, LONGEST_TIME_STEPS) <= STEPS))
    return np.asarray(events & (~IS_TIME if has_waited else ~IS_TIME | waits))


def open_step(step: int, tokens: int) -> int:
    """Return the first step from one on at which something can be added, where that one has so many tokens."""
    return step + (tokens >= MOST_STEP_TOKENS)


def next_release(due: Mapping[int, int], earliest: int) -> tuple[int, int]:
    """Return when a key that is held comes up at the latest, and which: of several at once the lowest.

    `due` says of each key, one at least, when its time is over; none comes up before `earliest`.
    """
    return min((max(moment, earliest), pitch) for pitch, moment in due.items())
