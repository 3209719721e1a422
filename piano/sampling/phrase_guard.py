"""What keeps an answer near the phrase: to its register, and to its pitch classes.

A small model that goes on from its own music wanders: no key is to blame, each is about as likely as it should be, but
after half a minute the phrase's key and register are gone. So which key goes down leans on the keys that were heard
last: a power of how often that register and that pitch class came there. That a key goes down, and when, stays as
likely as the model has it. Keys that the model strikes itself are no part of it, so that it cannot follow its own
drift; the exponents are the largest that cost real music nothing (docs/sampling.md).
"""

from array import array

import numpy as np
from numpy.typing import NDArray

from piano.events import LOWEST_PITCH
from piano.session import Logits
from piano.tokens.grammar import Mask
from piano.tokens.vocabulary import KEYS, VOCABULARY

REMEMBERED = 200
"""So many keys of those that were heard last tell what the phrase is like."""

FEWEST = 12
"""Fewer keys than this say nothing."""

_REGISTER, _CLASSES = 0.2, 0.1
"""The exponents at strength 1."""

_WIDTH = 6.0
"""How far a key speaks for its neighbours, in semitones: the deviation of a bell."""

_DOUBT = 30
"""So many keys are taken to have come from anywhere."""

_ANYWHERE = 0.1
"""The share of any phrase that may lie anywhere."""

_OWN_KEYS = slice(VOCABULARY.first_on, VOCABULARY.first_on + KEYS)
_BELLS: NDArray[np.float64] = np.exp(-0.5 * (np.subtract.outer(np.arange(KEYS), np.arange(KEYS)) / _WIDTH) ** 2)
_CLASS = (LOWEST_PITCH + np.arange(KEYS)) % 12


class PhraseGuard:
    """Counts the keys that are heard. Plain state; what was heard is never taken back."""

    def __init__(self) -> None:
        self._heard = array("h")
        self._lean: NDArray[np.float64] | None = None

    @property
    def is_empty(self) -> bool:
        """Say whether nothing has been heard: it is nobody's phrase that is gone on from."""
        return not self._heard

    def hear(self, pitch: int) -> None:
        """Take the next key that somebody else struck, where our own music goes on from it."""
        self._heard.append(pitch)
        self._lean = None
        if len(self._heard) >= 2 * REMEMBERED:
            del self._heard[:-REMEMBERED]

    def adjust(self, logits: Logits, mask: Mask, strength: float) -> Logits:
        """Return logits, (vocab,), in which keys of our own that lie as those heard are likelier among all keys.

        `strength` 1 costs real music nothing, 0 changes nothing. `mask` says what may come. Never changed in place.
        """
        keys = mask[_OWN_KEYS] & np.isfinite(logits[_OWN_KEYS])
        if strength == 0 or len(self._heard) < FEWEST or not keys.any():
            return logits
        if self._lean is None:
            self._lean = self._found()
        leaned = logits.copy()
        before = logits[_OWN_KEYS][keys].astype(np.float64)
        after = before + strength * self._lean[keys]
        leaned[_OWN_KEYS][keys] = after + (np.logaddexp.reduce(before) - np.logaddexp.reduce(after))
        return leaned

    def copy(self) -> "PhraseGuard":
        """Return an independent guard in the same state."""
        other = PhraseGuard()
        other._heard, other._lean = self._heard[:], self._lean
        return other

    def _found(self) -> NDArray[np.float64]:
        """Return what each key gains at strength 1, in nats, (keys,), up to a constant."""
        heard = np.frombuffer(self._heard[-REMEMBERED:], np.int16).astype(np.int64) - LOWEST_PITCH
        register = _BELLS[:, heard].sum(axis=1)
        classes = np.bincount(_CLASS[heard], minlength=12)[_CLASS].astype(np.float64)
        lean = np.zeros(KEYS)
        for count, exponent in ((register, _REGISTER), (classes, _CLASSES)):
            lean += exponent * np.log((1 - _ANYWHERE) * count / count.sum() + _ANYWHERE / KEYS)
        return lean * (heard.size / (heard.size + _DOUBT))
