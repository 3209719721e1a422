"""Epochs: each performer counts its own from 0, and the output counts on. Runs on the engine's thread.

Without it a performer that comes after one with many epochs would plan in epochs that are over: nothing would be heard.
"""

from piano.events import Event
from realtime.output.event_queue import Release
from realtime.performers.performer import Output


class Epochs:
    """The epochs of one output, on which performers follow each other."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._latest = -1

    def begin(self) -> Output:
        """Return the output as the next performer sees it; those before it must have stopped."""
        return _Tenure(self, self._latest + 1)

    def reached(self, epoch: int) -> Output:
        """Take note of an epoch that is used; return where it is used."""
        self._latest = max(self._latest, epoch)
        return self._output


class _Tenure:
    """An output on which epoch 0 is later than all that were used before."""

    def __init__(self, epochs: Epochs, first: int) -> None:
        self._epochs, self._first = epochs, first

    def schedule(self, at_ns: int, event: Event, epoch: int = 0) -> None:
        """Play an event at its moment, unless its epoch is invalidated before."""
        epoch += self._first
        self._epochs.reached(epoch).schedule(at_ns, event, epoch)

    def release_held_key(self, pitch: int, velocity: int, pressed_ns: int) -> None:
        """Send a key of the player's, pressed at a moment, that waits for its velocity."""
        self._epochs.reached(self._first).release_held_key(pitch, velocity, pressed_ns)

    def invalidate(self, epoch: int, *, release: Release = Release.AT_TIME, after_ns: int | None = None) -> None:
        """Kill what earlier epochs have planned."""
        epoch += self._first
        self._epochs.reached(epoch).invalidate(epoch, release=release, after_ns=after_ns)

    def release_own(self) -> None:
        """Release every own note that sounds, and the own pedal, now."""
        self._epochs.reached(self._first).release_own()
