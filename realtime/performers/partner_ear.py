"""What the player does of late, and what that leaves for another: how many keys, where, and when. Engine's thread.

    as many     within any few seconds no more keys than a share of the player's
    elsewhere   keys near to where the player's hands are become less likely
    in turn     keys are likelier while the player leaves gaps, and less likely while the player fills them

A role sets the three together. What it weighs is added to the model's logits; only the number of keys is a limit.
"""

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from piano.events import NoteOn, Role, TimedEvent
from piano.session import Logits
from piano.tokens.vocabulary import VOCABULARY, Kind

WINDOW_NS = 4_000_000_000
"""Over so long the keys of both are counted."""

_NOW_NS, _LATELY_NS = 700_000_000, 5_000_000_000
_HANDS_NS = 2_000_000_000
_REACH = 5.0
"""In semitones: so near to a key of the player's is where the hands are."""

_MOST = 2.5
_DRIVE = 1.5
"""How much likelier keys become while pianod plays e times fewer than its role may, in nats."""

_REMEMBERED = 512
_OWN_ON = (VOCABULARY.kinds == Kind.ON) & (VOCABULARY.roles == Role.OWN)
_PITCHES = np.where(_OWN_ON, VOCABULARY.values, -1000).astype(np.float32)


class DuetRole(StrEnum):
    """What pianod is beside the player."""

    ACCOMPANY = "accompany"
    """Fewer keys, mostly below the player's."""
    CONVERSE = "converse"
    """As many keys at the most, and most of them where the player leaves room."""
    LEAD = "lead"
    """More keys than the player, mostly above."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What a role comes to."""

    share: float
    """The most keys, as a share of the player's."""
    elsewhere: float
    """How much less likely a key is on one of the player's, in nats."""
    side: float
    """How much less likely a key is on the wrong side of the hands, in nats: above them, or below 0 below them."""
    gaps: float
    """How much less likely a key is while the player plays e times as many keys as of late, in nats."""


_PARTS = {
    DuetRole.ACCOMPANY: _Part(0.8, 1.5, 1.5, 0.0),
    DuetRole.CONVERSE: _Part(1.0, 2.0, 0.0, 1.6),
    DuetRole.LEAD: _Part(1.6, 1.5, -4.0, 0.3),
}


class PartnerEar:
    """Follows the player's keys."""

    def __init__(self) -> None:
        self._keys: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)  # when, and which

    def hear(self, timed: TimedEvent) -> None:
        """Take what the player did, in order of time."""
        if isinstance(timed.event, NoteOn):
            self._keys.append((timed.at_ns, timed.event.pitch))

    def most_keys(self, role: DuetRole, at_ns: int) -> int:
        """Return how many keys there may be of our own within the window that ends at a moment."""
        heard = sum(at_ns - WINDOW_NS < key_ns <= at_ns for key_ns, _ in self._keys)
        return math.floor(_PARTS[role].share * heard)

    def leaving_ns(self, at_ns: int) -> list[int]:
        """Return when, after a moment, each of the player's keys leaves the window."""
        return [key_ns + WINDOW_NS for key_ns, _ in self._keys if key_ns + WINDOW_NS > at_ns]

    def bias(self, role: DuetRole, at_ns: int, own_rate: float) -> Logits:
        """Return what is to be added to the logits at a moment, (vocab,), where so many own keys a second were struck.

        What is held back at one place is urged on as a whole, towards as many keys as the role may have.
        """
        part = _PARTS[role]
        bias = np.zeros(VOCABULARY.size, np.float32)
        hands = np.array([pitch for key_ns, pitch in self._keys if at_ns - _HANDS_NS < key_ns <= at_ns], np.float32)
        if hands.size:
            nearest = np.abs(_PITCHES[:, None] - hands).min(axis=1)
            bias -= np.float32(part.elsewhere) * np.exp(-((nearest / np.float32(_REACH)) ** 2))
            middle = np.float32(np.median(hands))
            bias -= np.float32(abs(part.side)) * (middle < _PITCHES if part.side > 0 else middle > _PITCHES)
        filled = math.log((self._rate(at_ns, _NOW_NS) + 0.5) / (self._rate(at_ns, _LATELY_NS) + 0.5))
        bias -= np.float32(min(max(part.gaps * filled, -_MOST), _MOST))
        wanted = part.share * self._rate(at_ns, _LATELY_NS)
        bias += np.float32(min(max(_DRIVE * math.log((wanted + 0.2) / (own_rate + 0.2)), -_MOST), 2 * _MOST))
        return np.where(_OWN_ON, bias, np.float32(0))

    def _rate(self, at_ns: int, memory_ns: int) -> float:
        """Return how many keys a second there were of late."""
        ages = (at_ns - key_ns for key_ns, _ in self._keys if key_ns <= at_ns)
        return sum(math.exp(-age_ns / memory_ns) for age_ns in ages) * 1e9 / memory_ns
