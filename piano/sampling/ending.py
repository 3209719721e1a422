"""How music is brought to an end within some seconds: what leads there, and the chord that it ends with.

From the moment of the wish on waits become longer and keys rarer, the more so the nearer the end is, and keys outside
the key that the music is in become less likely. Then comes the last chord, as most pianists end: the tonic in the bass,
its third and its fifth above it, and what sounded before comes up. It sounds to the limit. When it is struck within its
time, and which of its keys in which register and how loud, is the model's choice. Times are nanoseconds of a clock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from piano.events import LOWEST_PITCH, Role
from piano.tokens.vocabulary import KEYS, LONGEST_TIME_STEPS, VOCABULARY, Kind
from piano.tonality import Tonality, sounding_s, tonality_of

Logits = NDArray[np.float32]

_LAST_CHORD_SHARE, _LAST_CHORD_NS = 0.35, 2_500_000_000
"""How much of the time the last chord has to sound: this share of it, and no more than so long."""

_WINDOW_SHARE, _WINDOW_NS = 0.2, 1_000_000_000
"""The last chord comes within the last so much of the way to it, and no earlier than so long before its last moment."""

SPREAD_NS = 30_000_000
"""How far apart its first and its last key are struck at the most."""

LAST_KEYS = 4
"""How many keys it has; pianists strike 3.9 in the mean (137 performances)."""

_SLOWER = 1.0
"""At the last key a wait k times as long as the usual one has become k to this power times as likely."""

_USUAL_WAIT = 5.0
"""In steps, as for the guard of density."""

_FEWER = 1.5
"""At the last key that one goes down has become e to this power times less likely."""

_LONGER = 1.5
"""And that one comes up, so that the last chord rings."""

_FOREIGN = 2.0
"""And one that is foreign to the key."""

_END = 6.0
"""And that the music ends e to this power times likelier, where there is no such chord."""

_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10, 11))
"""Major, and minor with both sevenths."""

_OPEN_BELOW, _OPEN = 48, 7
"""Above a bass lower than this nothing is struck nearer than a fifth: it would growl."""

_BELOW, _ABOVE, _LEAST_RANGE = 7, 12, 19
"""How far below the lowest keys, and above them, the bass may lie, and how far above it the highest at least."""

_REGISTER_OF = 100
"""The last so many keys tell the register of the last chord."""

_OWN_ON = (VOCABULARY.kinds == Kind.ON) & (VOCABULARY.roles == Role.OWN)
_OWN_OFF = (VOCABULARY.kinds == Kind.OFF) & (VOCABULARY.roles == Role.OWN)
_LEAN = np.where(_OWN_ON, -_FEWER, np.where(_OWN_OFF, -_LONGER, 0.0))
_TIMES = slice(VOCABULARY.first_time, VOCABULARY.first_time + LONGEST_TIME_STEPS)
_LEAN[_TIMES] = _SLOWER * np.log(VOCABULARY.values[_TIMES] / _USUAL_WAIT)
_LEAN[VOCABULARY.end] = _END


@dataclass(frozen=True, slots=True)
class LastChord:
    """What the last chord is made of: the tonic's chord of a key, from which keys for its bass to which for its top."""

    key: Tonality
    basses: frozenset[int]
    highest: int

    @classmethod
    def after(cls, tokens: Sequence[int]) -> "LastChord":
        """Return that which ends the music of some tokens: in its key, and in the register of the last of it."""
        key = tonality_of(sounding_s(tokens))
        pitches = [int(VOCABULARY.values[token]) for token in tokens if VOCABULARY.kinds[token] == Kind.ON]
        low, middle, high = np.percentile(pitches[-_REGISTER_OF:] or [60], (5, 50, 95)).tolist()
        tonics = [pitch for pitch in range(LOWEST_PITCH, LOWEST_PITCH + KEYS - _LEAST_RANGE) if pitch % 12 == key.tonic]
        low_tonics = [pitch for pitch in tonics if pitch <= middle] or tonics[:1]
        basses = [pitch for pitch in low_tonics if low - _BELOW <= pitch < low + _ABOVE] or low_tonics[-1:]
        return cls(key, frozenset(basses), max(int(high), basses[-1] + _LEAST_RANGE))

    def following(self, struck: Collection[int]) -> frozenset[int]:
        """Return the keys of which one may be struck after those that were; none where it is whole."""
        if not struck:
            return self.basses
        bass, has_third = min(struck), any(pitch % 12 == self.key.third for pitch in struck)
        if len(struck) >= LAST_KEYS and has_third:
            return frozenset()
        wants_third = not has_third and len(struck) >= LAST_KEYS - 1
        classes = {self.key.third} if wants_third else self.key.chord
        from_pitch = bass + (_OPEN if bass < _OPEN_BELOW else 1)
        return frozenset(
            pitch for pitch in range(from_pitch, self.highest + 1) if pitch % 12 in classes and pitch not in struck
        )


@dataclass(frozen=True, slots=True)
class Ending:
    """An ending that was asked for at a moment, and by when every key is up; without a last chord, no new one comes."""

    from_ns: int
    by_ns: int
    chord: LastChord | None = None

    def __post_init__(self) -> None:
        if self.by_ns < self.from_ns:
            raise ValueError(f"an ending that begins at {self.from_ns} ns is not over by {self.by_ns} ns")

    @property
    def last_key_ns(self) -> int:
        """Return the moment by which the last chord is struck; from then on no key goes down but those of it."""
        return self.by_ns - min(int(_LAST_CHORD_SHARE * (self.by_ns - self.from_ns)), _LAST_CHORD_NS)

    @property
    def chord_ns(self) -> int:
        """Return the moment from which on no key goes down but those of the last chord."""
        last_ns = self.last_key_ns
        return (
            last_ns if self.chord is None else last_ns - min(int(_WINDOW_SHARE * (last_ns - self.from_ns)), _WINDOW_NS)
        )

    def is_over(self, at_ns: int) -> bool:
        """Say whether no key goes down any more at a moment."""
        return at_ns >= self.last_key_ns + (SPREAD_NS if self.chord is not None else 0)

    def share(self, at_ns: int) -> float:
        """Return how much of the way to the last key has passed at a moment, 0 to 1."""
        whole = self.last_key_ns - self.from_ns
        return min(max((at_ns - self.from_ns) / whole, 0.0), 1.0) if whole else 1.0

    def bias(self, at_ns: int) -> Logits:
        """Return what is to be added to the logits at a moment, (vocab,), so that they lead to the end."""
        key = None if self.chord is None else self.chord.key
        return np.asarray(np.float32(self.share(at_ns)) * _lean(key), np.float32)


@cache
def _lean(key: Tonality | None) -> Logits:
    """Return what is added at the last key, (vocab,)."""
    lean = _LEAN.copy()
    if key is not None:
        scale = [(key.tonic + tone) % 12 for tone in _SCALES[key.is_minor]]
        lean -= _FOREIGN * (_OWN_ON & ~np.isin(VOCABULARY.values % 12, scale))
    return lean.astype(np.float32)
