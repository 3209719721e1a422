"""What may be drawn next in an exercise, and the kinds of tokens that it is made from, as masks over the vocabulary."""

from dataclasses import dataclass, field

import numpy as np

from piano.events import Role
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import VOCABULARY, Kind

IS_TIME: Mask = VOCABULARY.kinds == Kind.TIME
_IS_EVENT: Mask = np.isin(VOCABULARY.kinds, (Kind.ON, Kind.OFF, Kind.PEDAL))
IS_OWN: Mask = _IS_EVENT & (VOCABULARY.roles == Role.OWN)
IS_GIVEN: Mask = _IS_EVENT & (VOCABULARY.roles == Role.GIVEN)
IS_OWN_ON: Mask = IS_OWN & (VOCABULARY.kinds == Kind.ON)
NOTHING: Mask = np.zeros(VOCABULARY.size, np.bool_)

STEPS = np.where(IS_TIME, VOCABULARY.values, 0).astype(np.int64)
"""How many steps each token waits, (vocab,)."""


@dataclass(frozen=True, slots=True)
class Options:
    """What may be drawn, (vocab,) each. Of that: what lets the next known thing come, what is a wrong guess about the
    other role, and what presses the next key of a score.
    """

    allowed: Mask
    lets_come: Mask = field(default_factory=lambda: NOTHING)
    wrong: Mask = field(default_factory=lambda: NOTHING)
    presses: Mask = field(default_factory=lambda: NOTHING)
