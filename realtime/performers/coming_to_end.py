"""An ending within a performer: what each proposal must keep to on the way, and what is done when the end is there.

The performer samples as ever, within bounds that lead to the end (`piano.sampling.ending`). Where what comes would lie
beyond the last moment for a key, or beyond the limit, it is taken back. Engine's thread.
"""

from dataclasses import replace
from enum import Enum, auto

import numpy as np

from piano.events import NoteOff, Pedal, TimedEvent
from piano.sampling.ending import Ending
from piano.solve.bounds import Bounds
from piano.tokens.vocabulary import VOCABULARY
from realtime.performers.performer import Output
from realtime.performers.play_limits import OWN_ON

_END = np.arange(VOCABULARY.size) == VOCABULARY.end


class Step(Enum):
    """What becomes of what was sampled on the way to the end."""

    PLAY = auto()
    """It is played."""
    AGAIN = auto()
    """A key would go down too late: from the last moment for one on it is sampled anew."""
    OVER = auto()
    """Nothing more comes."""


def toward_end(bounds: Bounds, ending: Ending | None, *, tells_end: bool = True) -> Bounds:
    """Return bounds that lead to an ending; as they are without one.

    With `tells_end` the model may say that it is there.
    """
    if ending is None:
        return bounds
    allowed = bounds.allowed | _END if tells_end else bounds.allowed
    if bounds.earliest_ns >= ending.last_key_ns:
        allowed = allowed & ~OWN_ON
    toward = ending.bias(bounds.earliest_ns)
    bias = toward if bounds.bias is None else bounds.bias + toward
    return replace(bounds, allowed=np.asarray(allowed, np.bool_), bias=bias, must_play=False, latest_ns=None)


def step_of(ending: Ending, proposed: TimedEvent | None, earliest_ns: int) -> Step:
    """Return what becomes of what was sampled from a moment on."""
    if proposed is None or proposed.at_ns >= ending.by_ns:
        return Step.OVER
    if earliest_ns < ending.last_key_ns <= proposed.at_ns:
        return Step.AGAIN
    return Step.PLAY


def lift_all(output: Output, epoch: int, at_ns: int, keys: frozenset[int], *, pedal: bool) -> None:
    """Plan that keys, and the pedal where it is down, come up at a moment."""
    for pitch in sorted(keys):
        output.schedule(at_ns, NoteOff(pitch), epoch)
    if pedal:
        output.schedule(at_ns, Pedal(down=False), epoch)
