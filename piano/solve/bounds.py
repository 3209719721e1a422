"""What a proposal must keep to, and the tokens that it leaves."""

from dataclasses import dataclass

import numpy as np

from piano.events import Role
from piano.session import Logits
from piano.solve.limits import IS_OWN_ON, IS_TIME, LONGEST_HOLD_S, LONGEST_WAIT_S, in_time, open_step
from piano.tokens.grammar import Grammar, Mask
from piano.tokens.stream import StreamEncoder
from piano.tokens.vocabulary import KEYS, STEP_NS, VOCABULARY

LONGEST_HOLD_NS = round(LONGEST_HOLD_S * 1e9)
"""A key of our own that is held for so long comes up; 999 of 1,000 notes in real performances are shorter."""

LONGEST_WAIT_NS = round(LONGEST_WAIT_S * 1e9)
"""The longest that the model may wait before an event of its own."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a proposal must keep to. Times are nanoseconds of the clock; `allowed` and `bias` are (vocab,).

    `bias` is added to the logits; `notes_per_s` is how busy the stream is to be, where a guard sees to it
    (`piano.sampling.density_guard`). A key that was held for `longest_hold_ns` comes up before anything later happens.
    With `must_play` the event is a key going down, no later than `latest_ns`.
    """

    earliest_ns: int
    allowed: Mask
    latest_ns: int | None = None
    most_keys: int = KEYS
    must_play: bool = False
    bias: Logits | None = None
    notes_per_s: float | None = None
    longest_hold_ns: int = LONGEST_HOLD_NS


def first_step(encoder: StreamEncoder, step_tokens: int, earliest_ns: int) -> int:
    """Return the first step that does not come before a moment, nor before the last event; after a full step the next.

    `step_tokens` is how many tokens the last step has.
    """
    return max((earliest_ns - encoder.origin_ns + STEP_NS - 1) // STEP_NS, open_step(encoder.step, step_tokens))


def mask_of(
    bounds: Bounds, grammar: Grammar, encoder: StreamEncoder, step_tokens: int, step: int, *, has_waited: bool
) -> Mask:
    """Return what may come next, (vocab,), when the wait since the last event has reached a step.

    A wait is full seconds and then the rest: with `has_waited` it has come to its end.
    """
    if grammar.in_note:
        return grammar.mask() & bounds.allowed
    first = first_step(encoder, step_tokens, bounds.earliest_ns)
    latest_ns = bounds.latest_ns
    if latest_ns is None:
        latest_ns = max(bounds.earliest_ns, encoder.time_of(encoder.step)) + LONGEST_WAIT_NS
    most = max(encoder.step_of(latest_ns), first) - step
    mask = in_time(grammar.mask() & bounds.allowed, first - step, most, has_waited=has_waited)
    if first > step:
        return mask
    if len(grammar.sounding(Role.OWN)) >= bounds.most_keys:
        mask &= ~IS_OWN_ON
    if bounds.must_play and (mask & IS_OWN_ON).any():
        mask &= IS_OWN_ON | IS_TIME
    return mask


def under_a_hand(keys: frozenset[int], *, pedal: bool) -> Mask:
    """Return the events of keys, and of the pedal, that someone else holds down, (vocab,)."""
    mask = np.zeros(VOCABULARY.size, np.bool_)
    for pitch in keys:
        mask[[VOCABULARY.on(Role.OWN, pitch), VOCABULARY.off(Role.OWN, pitch)]] = True
    if pedal:
        mask[[VOCABULARY.pedal(Role.OWN, down=down) for down in (False, True)]] = True
    return mask
