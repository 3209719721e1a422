"""Whether a key of the player's takes an answer over, or merely joins it: a held bass, a high fill. Engine's thread."""

from collections import deque

OWN_REACH = 9
"""In semitones: a key so near to what pianod strikes is in its way."""

_IN_ITS_WAY_NS = 1_000_000_000
"""Two such keys within this take over; a slow bass on which pianod comes down does not."""

_SPAN_NS = 1_500_000_000
_FEW = 2
"""More keys than this within the span, a chord being one, are a phrase of the player's own."""

_CHORD_NS = 60_000_000
_REMEMBERED = 16


class Joining:
    """Judges the player's keys over one answer."""

    def __init__(self) -> None:
        self._own: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)  # when, and which
        self._onsets_ns: deque[int] = deque(maxlen=_FEW + 1)
        self._in_its_way_ns: int | None = None

    def strike(self, at_ns: int, pitch: int) -> None:
        """Take note of a key that pianod strikes at a moment."""
        self._own.append((at_ns, pitch))

    def takes_over(self, at_ns: int, pitch: int) -> bool:
        """Take a key of the player's; say whether it takes the answer over."""
        if not self._onsets_ns or at_ns - self._onsets_ns[-1] > _CHORD_NS:
            self._onsets_ns.append(at_ns)
        is_phrase = sum(at_ns - onset_ns < _SPAN_NS for onset_ns in self._onsets_ns) > _FEW
        near = (abs(pitch - own) <= OWN_REACH for own_ns, own in self._own if at_ns - _SPAN_NS < own_ns <= at_ns)
        is_near, before_ns = any(near), self._in_its_way_ns
        if is_near:
            self._in_its_way_ns = at_ns
        return is_phrase or (is_near and before_ns is not None and at_ns - before_ns < _IN_ITS_WAY_NS)
