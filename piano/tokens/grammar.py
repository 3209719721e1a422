"""The grammar: which tokens can follow, so that what is sampled is a valid stream by construction.

    a key comes up only if it is down, goes down only if it is up
    a velocity follows each key-down, and nothing else does
    the pedal goes down only if it is up, and up only if it is down
    END comes only when no key is down

Who plays is limited too: only the roles that are asked for may begin something.
"""

import numpy as np
from numpy.typing import NDArray

from piano.events import LOWEST_PITCH, Role
from piano.tokens.vocabulary import KEYS, LONGEST_TIME_STEPS, VELOCITY_BINS, VOCABULARY, Kind

Mask = NDArray[np.bool_]

_KINDS, _VALUES, _ROLES = VOCABULARY.kinds.tolist(), VOCABULARY.values.tolist(), VOCABULARY.roles.tolist()
_ON, _OFF, _PEDAL, _PREVIEW, _PLAY = map(int, (Kind.ON, Kind.OFF, Kind.PEDAL, Kind.PREVIEW, Kind.PLAY))


class Grammar:
    """Follows a stream of event tokens and keeps the mask of those that can come next.

    What a preview shows is not played and changes nothing. Plain state without a thread; a `copy` kept from before
    goes with a rollback of the stream.
    """

    def __init__(self) -> None:
        self._mask = np.zeros(VOCABULARY.size, np.bool_)
        self._velocity_mask = np.zeros(VOCABULARY.size, np.bool_)
        self._velocity_mask[VOCABULARY.first_velocity : VOCABULARY.first_velocity + VELOCITY_BINS] = True
        self._sounding: list[set[int]] = [set(), set()]
        self._pedal = [False, False]
        self._in_note = self._in_preview = False
        times = slice(VOCABULARY.first_time, VOCABULARY.first_time + LONGEST_TIME_STEPS)
        self._mask[times] = True
        self._mask[VOCABULARY.first_on : VOCABULARY.first_on + 2 * KEYS] = True
        for role in Role:
            self._mask[VOCABULARY.pedal(role, down=True)] = True
        self._mask[VOCABULARY.end] = True

    def push(self, token: int) -> None:
        """Take the next token of the stream, sampled or given; a given one may break the rules and is believed."""
        kind, value, role = _KINDS[token], _VALUES[token], _ROLES[token]
        if kind in (_PREVIEW, _PLAY):
            self._in_preview = kind == _PREVIEW
        if self._in_preview:
            self._in_note = False
            return
        self._in_note = kind == _ON
        if kind == _PEDAL:
            self._pedal[role] = bool(value)
            self._mask[VOCABULARY.first_pedal + 2 * role : VOCABULARY.first_pedal + 2 * role + 2] = (value, not value)
        elif kind in (_ON, _OFF):
            key = role * KEYS + value - LOWEST_PITCH
            is_down = kind == _ON
            (self._sounding[role].add if is_down else self._sounding[role].discard)(value)
            self._mask[VOCABULARY.first_on + key] = not is_down
            self._mask[VOCABULARY.first_off + key] = is_down
            self._mask[VOCABULARY.end] = not (self._sounding[0] or self._sounding[1])

    def mask(self) -> Mask:
        """Return which tokens can come next, (vocab,); a read-only view that the next `push` changes."""
        return _read_only(self._velocity_mask if self._in_note else self._mask)

    @property
    def in_note(self) -> bool:
        """Say whether a key has just gone down, so that its velocity must follow."""
        return self._in_note

    def is_down(self, role: Role, pitch: int) -> bool:
        """Return whether a role holds a key down."""
        return pitch in self._sounding[role]

    def sounding(self, role: Role) -> frozenset[int]:
        """Return the pitches of the keys that a role holds down."""
        return frozenset(self._sounding[role])

    def pedal_is_down(self, role: Role) -> bool:
        """Return whether a role holds the sustain pedal down."""
        return self._pedal[role]

    def copy(self) -> "Grammar":
        """Return an independent grammar in the same state."""
        other = Grammar.__new__(Grammar)
        other._mask, other._velocity_mask = self._mask.copy(), self._velocity_mask
        other._sounding = [set(pitches) for pitches in self._sounding]
        other._pedal, other._in_note, other._in_preview = list(self._pedal), self._in_note, self._in_preview
        return other


def _read_only(mask: Mask) -> Mask:
    view = mask.view()
    view.flags.writeable = False
    return view


def tokens_of_role(role: Role) -> Mask:
    """Return which tokens a stream may take when only one role plays: its events, and those of no role, (vocab,)."""
    of_a_role = np.isin(VOCABULARY.kinds, (Kind.ON, Kind.OFF, Kind.PEDAL))
    return np.asarray(~of_a_role | (VOCABULARY.roles == role), np.bool_)
