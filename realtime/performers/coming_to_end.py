"""An ending within a performer: what each proposal must keep to on the way, and what is done when the end is there.

The performer samples as ever, within bounds that lead to the end (`piano.sampling.ending`). Where what comes would lie
in the time of the last chord, or beyond the limit, it is taken back. Engine's thread.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum, auto

import numpy as np

from piano.events import NoteOff, Pedal, Role, TimedEvent
from piano.sampling.ending import SPREAD_NS, Ending, LastChord
from piano.solve.bounds import Bounds
from piano.solve.limits import IS_OWN, IS_TIME
from piano.solve.live_stream import LiveStream
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import VOCABULARY, Kind
from realtime.performers.performer import Output
from realtime.performers.play_limits import OWN_ON

_END = np.arange(VOCABULARY.size) == VOCABULARY.end
_HOW_AND_WHEN: Mask = IS_TIME | (VOCABULARY.kinds == Kind.VELOCITY)
_OWN_BUT_KEYS = _HOW_AND_WHEN | IS_OWN & ~OWN_ON
_OTHERS = ~(IS_OWN | _END)
_PEDAL_UP = VOCABULARY.pedal(Role.OWN, down=False)

_DUE = 4.0
"""How many nats likelier the first key of the last chord is within its time."""


class Step(Enum):
    """What becomes of what was sampled on the way to the end."""

    PLAY = auto()
    """It is played."""
    AGAIN = auto()
    """It reaches into the time of the last chord: from there on it is sampled anew."""
    OVER = auto()
    """Nothing more comes."""


def ending_of(stream: LiveStream, at_ns: int, by_ns: int) -> Ending:
    """Return the ending that what was played in a stream comes to, from a moment on and by another."""
    return Ending(at_ns, by_ns, LastChord.after(stream.tokens_before(at_ns)))


def toward_end(bounds: Bounds, ending: Ending | None, stream: LiveStream, *, tells_end: bool = True) -> Bounds:
    """Return bounds that lead to an ending; as they are without one.

    With `tells_end` the model may say that it is there.
    """
    if ending is None:
        return bounds
    toward = ending.bias(bounds.earliest_ns)
    toward = toward if bounds.bias is None else bounds.bias + toward
    bounds = replace(bounds, bias=toward, must_play=False, latest_ns=None)
    is_time = bounds.earliest_ns >= ending.chord_ns
    if is_time and ending.chord is not None:
        last = LastChord.after(stream.tokens_before(ending.chord_ns))  # the music may have gone elsewhere meanwhile
        if (within := _in_last_chord(bounds, ending, last, stream)) is not None:
            return within
    tells_end &= is_time or ending.chord is None
    allowed = bounds.allowed | _END if tells_end else bounds.allowed & ~_END
    return replace(bounds, allowed=np.asarray(allowed & ~OWN_ON if is_time else allowed, np.bool_))


def _in_last_chord(bounds: Bounds, ending: Ending, last: LastChord, stream: LiveStream) -> Bounds | None:
    """Return bounds within which the last chord is struck, then sounds; None where nothing of it may be struck.

    Its bass comes first. With it, or soon after, come its other keys, and what sounded before comes up; no guess at
    what another player does keeps them waiting.
    """
    pressed = stream.pressed_ns()
    struck = {pitch for pitch, at_ns in pressed.items() if at_ns >= ending.chord_ns}
    following = _tokens(VOCABULARY.on(Role.OWN, pitch) for pitch in last.following(struck)) & bounds.allowed
    if not struck:
        if not following.any() or ending.is_over(bounds.earliest_ns):
            return None
        bias = bounds.bias + np.where(following, np.float32(_DUE), np.float32(0))
        return replace(
            bounds, allowed=bounds.allowed & _OWN_BUT_KEYS | following, bias=bias, latest_ns=ending.last_key_ns
        )
    if len(struck) >= bounds.most_keys:
        following = np.zeros_like(following)
    others = _tokens(VOCABULARY.off(Role.OWN, pitch) for pitch in pressed.keys() - struck)
    others[_PEDAL_UP] = stream.pedal_is_down()
    missing = following | others & bounds.allowed
    return replace(
        bounds,
        allowed=np.asarray(bounds.allowed & (_HOW_AND_WHEN if missing.any() else _OTHERS) | missing, np.bool_),
        latest_ns=min(pressed[pitch] for pitch in struck) + SPREAD_NS if missing.any() else None,
    )


def _tokens(tokens: Iterable[int]) -> Mask:
    mask = np.zeros(VOCABULARY.size, np.bool_)
    mask[list(tokens)] = True
    return mask


def step_of(ending: Ending, proposed: TimedEvent | None, earliest_ns: int) -> Step:
    """Return what becomes of what was sampled from a moment on."""
    if earliest_ns < ending.chord_ns and (proposed is None or proposed.at_ns >= ending.chord_ns):
        return Step.AGAIN
    return Step.OVER if proposed is None or proposed.at_ns >= ending.by_ns else Step.PLAY


def lift_all(output: Output, epoch: int, at_ns: int, keys: frozenset[int], *, pedal: bool) -> None:
    """Plan that keys, and the pedal where it is down, come up at a moment."""
    for pitch in sorted(keys):
        output.schedule(at_ns, NoteOff(pitch), epoch)
    if pedal:
        output.schedule(at_ns, Pedal(down=False), epoch)
