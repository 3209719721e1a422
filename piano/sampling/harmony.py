"""Keys that lean to the changes: for models that do not know chords, a bias of which key goes down next.

A key outside the scale of the chord that sounds becomes less likely, one of the scale that is no chord tone a little
so. Only which key is touched: that one goes down, and when, stays as likely as the model has it.
"""

from functools import cache

import numpy as np

from piano.changes import scale_tones
from piano.cues import FIRST_CHORD, tones
from piano.events import Role
from piano.session import Logits
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import VOCABULARY, Kind

FOREIGN = 8.0
"""What a key outside the scale loses at full strength, in nats; at half of it, half."""

PASSING = 1.5
"""What a key of the scale that is no chord tone loses."""

_OWN_ON: Mask = np.asarray((VOCABULARY.kinds == Kind.ON) & (VOCABULARY.roles == Role.OWN), np.bool_)
_NEVER = 1.0
"""At this strength keys outside the scale are not struck, where any other may be."""


@cache
def _losses(code: int) -> tuple[Logits, Mask]:
    """Return what each token loses at full strength, (vocab,), and which are keys outside the scale, (vocab,)."""
    classes = VOCABULARY.values % 12
    is_foreign = _OWN_ON & ~np.isin(classes, list(scale_tones(code)))
    is_passing = _OWN_ON & ~is_foreign & ~np.isin(classes, list(tones(code)))
    return (FOREIGN * is_foreign + PASSING * is_passing).astype(np.float32), np.asarray(is_foreign, np.bool_)


def adjust(logits: Logits, mask: Mask, code: int, strength: float) -> Logits:
    """Return logits, (vocab,), in which keys that fit a chord (a code of `piano.cues`) are likelier.

    `strength` is 0 (nothing) to 1 (nothing outside the scale). `mask` says what may come. Never changed in place.
    """
    which = mask & _OWN_ON
    if strength <= 0 or code < FIRST_CHORD or not which.any():
        return logits
    losses, is_foreign = _losses(code)
    leaned = logits - np.float32(strength) * losses
    if strength >= _NEVER and (which & ~is_foreign).any():
        leaned[is_foreign] = -np.inf
    leaned[which] += _log_sum(logits[which]) - _log_sum(leaned[which])
    return leaned


def _log_sum(values: Logits) -> np.float32:
    peak = values.max()
    return np.float32(peak + np.log(np.exp(values - peak).sum()))
