"""Play limits: what the model keeps to while someone else's music sounds. Range, loudness, restraint, density.

Plain state of a performer, on the engine's thread. What is limited is what the model may strike; what it means stays
its own: a note that goes out softer or louder is still, to the model, as loud as it meant it.
"""

import math
from collections import deque
from collections.abc import Iterable

import numpy as np

from inference.onnx_session import Logits
from piano.events import Event, NoteOn, Role
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import VELOCITIES_PER_BIN, VOCABULARY, Kind
from realtime.performers.partner_ear import WINDOW_NS, PartnerEar
from realtime.performers.play_settings import PlayLimits

OWN_ON: Mask = np.asarray((VOCABULARY.kinds == Kind.ON) & (VOCABULARY.roles == Role.OWN), np.bool_)
SECOND_NS = 1_000_000_000
_REMEMBERED = 4
"""Seconds' worth of keys: more than is ever taken back."""

_MEMORY_NS = 2_000_000_000
"""How far back the density reaches that restraint goes by."""

_QUIET = 1.0


class PlayLimiter:
    """Holds the model to its limits: what may be guessed, and when another key may be struck."""

    def __init__(self, limits: PlayLimits, ear: PartnerEar | None = None) -> None:
        self.limits = limits
        self.ear = PartnerEar() if ear is None else ear
        self._allowed = _allowed(limits)
        self._strikes_ns: deque[int] = deque(maxlen=_REMEMBERED * limits.most_a_second)

    def allowed(self, held: Iterable[int], *, strikes: bool = True) -> Mask:
        """Return what may be guessed, (vocab,): no key that another holds and, without `strikes`, none at all."""
        mask = self._allowed.copy()
        if not strikes:
            return np.asarray(mask & ~OWN_ON, np.bool_)
        mask[[VOCABULARY.on(Role.OWN, pitch) for pitch in held]] = False
        return mask

    def free_ns(self) -> int | None:
        """Return from when on a key may be struck again; None if one may be at any time."""
        most = self.limits.most_a_second
        return self._strikes_ns[-most] + SECOND_NS if len(self._strikes_ns) >= most else None

    def waits_ns(self, at_ns: int) -> int | None:
        """Return from when on a key may be struck beside the player's, seen from a moment; None if at once.

        While the player strikes no more keys: another one of the player's is another question.
        """
        if self.limits.role is None:
            return None
        most = self.ear.most_keys(self.limits.role, at_ns)
        recent = [strike_ns for strike_ns in self._strikes_ns if strike_ns > at_ns - WINDOW_NS]
        if len(recent) < most:
            return None
        return recent[len(recent) - most] + WINDOW_NS if most else at_ns + WINDOW_NS

    def runs_out_ns(self, from_ns: int, until_ns: int) -> int | None:
        """Return from when on a key may no longer be struck, though one may at `from_ns`; None if it may `until_ns`.

        The player's keys leave the window in which they are counted, and what may be struck beside them goes with them.
        """
        if self.waits_ns(until_ns) is None:
            return None
        leaving = (key_ns for key_ns in self.ear.leaving_ns(from_ns) if key_ns < until_ns)
        return next((key_ns for key_ns in leaving if self.waits_ns(key_ns) is not None), until_ns)

    def bias(self, at_ns: int) -> Logits | None:
        """Return what is to be added to the logits at a moment, (vocab,); None for nothing.

        What the model plays is what it goes on from: a constant bias, however small, ends in silence or in a torrent.
        So restraint gives way as it takes effect: holding back counts in full only while the model plays
        `_QUIET` keys a second or more, and urging on fades out towards `most_a_second`.
        """
        restraint, role = self.limits.restraint, self.limits.role
        beside = None if role is None else self.ear.bias(role, at_ns, self._rate(at_ns))
        if not restraint:
            return beside
        rate = self._rate(at_ns)
        share = min(rate / _QUIET, 1.0) if restraint > 0 else max(1.0 - rate / self.limits.most_a_second, 0.0)
        held_back = (OWN_ON * np.float32(-restraint * share)).astype(np.float32)
        return held_back if beside is None else held_back + beside

    def _rate(self, at_ns: int) -> float:
        """Return how many keys a second the model has struck of late."""
        ages = (max(at_ns - strike_ns, 0) for strike_ns in self._strikes_ns)
        return sum(math.exp(-age_ns / _MEMORY_NS) for age_ns in ages) * SECOND_NS / _MEMORY_NS

    def strike(self, at_ns: int) -> None:
        """Take note of a key that the model strikes."""
        self._strikes_ns.append(at_ns)

    def rollback(self, at_ns: int) -> None:
        """Forget the keys that were to be struck after a moment."""
        while self._strikes_ns and self._strikes_ns[-1] > at_ns:
            self._strikes_ns.pop()

    def soften(self, event: Event) -> Event:
        """Return an event as loud as it may be: a velocity of the model's stands for the bin around it."""
        if not isinstance(event, NoteOn):
            return event
        velocity = min(max(event.velocity + self.limits.louder, 1), self.limits.loudest)
        return NoteOn(event.pitch, velocity)


def _allowed(limits: PlayLimits) -> Mask:
    """Return what may be guessed, (vocab,): all of the other's, and of our own what lies within range and loudness."""
    mask = np.ones(VOCABULARY.size, np.bool_)
    mask[VOCABULARY.end] = False
    out_of_range = (VOCABULARY.values < limits.lowest_pitch) | (VOCABULARY.values > limits.highest_pitch)
    mask &= ~(OWN_ON & out_of_range)
    loudest_bin = min(limits.loudest - min(limits.louder, 0), 127) // VELOCITIES_PER_BIN
    mask &= ~((VOCABULARY.kinds == Kind.VELOCITY) & (loudest_bin < VOCABULARY.values))
    return mask
