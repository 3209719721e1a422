"""Drawn to the beat: own keys go down nearer to the next sixteenth or triplet than the model means them to.

It stands between a performer and the output. The model's own time is not touched: what it means stays its own. Where
something is taken back, keys count by the moment that the model meant: one that had happened stays, though it was drawn
to a later moment; one that had not ends at once, though it was drawn to an earlier one and sounds. Engine's thread.
"""

from collections import deque
from collections.abc import Callable

from piano.events import Event, NoteOff, NoteOn
from realtime.beat.grid import BeatGrid
from realtime.output.event_queue import Release
from realtime.performers.performer import Output

SHORTEST_NS = 30_000_000
"""A key that was drawn to a later moment sounds at least so long."""

_REMEMBERED = 256
_Drawn = tuple[int, int, NoteOn]
"""The moment that was meant, the one it was drawn to, the key."""


class DrawnToGrid:
    """An output on which own keys are drawn to the beat by an amount: 0 leaves them, 1 puts them on it."""

    def __init__(self, output: Output, grid: Callable[[], BeatGrid], amount: Callable[[], float]) -> None:
        self._output, self._grid, self._amount = output, grid, amount
        self._drawn: deque[_Drawn] = deque(maxlen=_REMEMBERED)
        self._sounds_from: dict[int, int] = {}  # pitch -> the moment to which its last key was drawn

    def schedule(self, at_ns: int, event: Event, epoch: int = 0) -> None:
        to_ns = at_ns
        if isinstance(event, NoteOn):
            to_ns = self._drawn_to(at_ns)
            self._sounds_from.pop(event.pitch, None)
            if to_ns != at_ns:
                self._sounds_from[event.pitch] = to_ns
                self._drawn.append((at_ns, to_ns, event))
        elif isinstance(event, NoteOff) and event.pitch in self._sounds_from:
            to_ns = max(at_ns, self._sounds_from.pop(event.pitch) + SHORTEST_NS)
        self._output.schedule(to_ns, event, epoch)

    def begin_epoch(self) -> int:
        """Return a new epoch to plan in."""
        return self._output.begin_epoch()

    def invalidate(self, *, release: Release = Release.AT_TIME, after_ns: int | None = None) -> int:
        epoch = self._output.invalidate(release=release, after_ns=after_ns)
        drawn, self._drawn = self._drawn, deque(maxlen=_REMEMBERED)
        if after_ns is None or release is Release.AT_ONCE:
            return epoch
        for meant_ns, to_ns, key in drawn:
            if meant_ns <= after_ns < to_ns:
                self._output.schedule(to_ns, key, epoch)
            elif to_ns <= after_ns < meant_ns:
                self._output.schedule(after_ns, NoteOff(key.pitch), epoch)
        return epoch

    def release_own(self) -> None:
        self._output.release_own()

    def release_held_key(self, pitch: int, velocity: int, pressed_ns: int) -> None:
        self._output.release_held_key(pitch, velocity, pressed_ns)

    def _drawn_to(self, at_ns: int) -> int:
        return self._grid().drawn(at_ns, self._amount())
