"""The canonical order of events within one step, as `piano.tokens.encoding` has it, one token at a time."""

import numpy as np
from numpy.typing import NDArray

from piano.tokens.encoding import OFF_RANK, ON_RANK, PEDAL_DOWN_RANK, PEDAL_KEY, PEDAL_UP_RANK
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import VOCABULARY, Kind

_LEVEL = 1024
_NOWHERE = 2**40
"""The place of what is no event: behind all that are."""

_RANKS = {Kind.OFF: OFF_RANK, Kind.ON: ON_RANK}


def _places() -> NDArray[np.int64]:
    """Return the place of each event's token at level 0, (vocab,): rank, then key, then role."""
    places = np.full(VOCABULARY.size, _NOWHERE, np.int64)
    for token, kind in enumerate(VOCABULARY.kinds.tolist()):
        value, role = int(VOCABULARY.values[token]), int(VOCABULARY.roles[token])
        if kind == Kind.PEDAL:
            rank, key = (PEDAL_DOWN_RANK if value else PEDAL_UP_RANK), PEDAL_KEY
        elif kind in (Kind.ON, Kind.OFF):
            rank, key = _RANKS[Kind(kind)], value
        else:
            continue
        places[token] = (rank * 128 + key) * 2 + role
    return places


_FIRST_LEVEL = _places()
_FIRST_LEVEL.flags.writeable = False
_FROM_ON_TO_OFF = VOCABULARY.first_off - VOCABULARY.first_on


def _of_one_key(press: int) -> tuple[int, int]:
    """Return a token of a press and that of its release."""
    return press, (press + _FROM_ON_TO_OFF if VOCABULARY.kinds[press] == Kind.ON else press - 1)


class StepOrder:
    """How far one step has come: what stands in it, and what can still follow. Plain state; `copy` to branch."""

    def __init__(self) -> None:
        self._places = _FIRST_LEVEL
        self._last = -1

    def push(self, token: int) -> None:
        """Take the next event of the step."""
        self._last = max(self._last, int(self._places[token]))
        if VOCABULARY.kinds[token] == Kind.ON or (VOCABULARY.kinds[token] == Kind.PEDAL and VOCABULARY.values[token]):
            self._places = self._places.copy()
            self._places[[*_of_one_key(token)]] += _LEVEL

    def place(self, token: int) -> int:
        """Return the place at which an event would stand now."""
        return int(self._places[token])

    def following(self) -> Mask:
        """Return which tokens can still come: events behind the last one, and all that are no events, (vocab,)."""
        return np.asarray(self._places > self._last, np.bool_)

    def behind(self, token: int) -> Mask:
        """Return which events would stand behind another, and all that are no events, (vocab,)."""
        return np.asarray(self._places > self._places[token], np.bool_)

    def copy(self) -> "StepOrder":
        """Return an independent order in the same state."""
        other = StepOrder()
        other._places, other._last = self._places, self._last
        return other


FRESH = StepOrder()
"""A step in which nothing stands yet; nobody pushes to it."""
