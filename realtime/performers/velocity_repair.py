"""Velocity: keys go in, the same keys come out at once, as hard as they would have been struck. On the engine's thread.

The model hears everything as music and says, for each key, how hard it expects it; times what the keyboard read, that
is the answer (`piano.sampling.velocity_posterior`). It takes one forward pass. The key waits for it at the output;
where the answer is not there in time the key goes out as it came, and is counted. The reading, not the answer, is what
the model then remembers: it was trained to see through readings, and so no error of ours is built upon. Nothing is
sampled and nothing of our own is played.
"""

from collections import deque
from collections.abc import Sequence

from inference.onnx_session import Logits, Session
from piano.events import NoteOn, TimedEvent
from piano.sampling.memory import Memory
from piano.sampling.velocity_posterior import median_velocity, noise_of_strength, velocity_posterior
from piano.solve.live_stream import LiveStream
from piano.tasks.repair_tasks import NO_READING
from realtime.performers.performer import Activity, Output, PerformerStatus
from realtime.performers.play_settings import Mode, PlaySettings, VelocitySettings

SAME_READINGS = 12
"""A keyboard that gives the same velocity so often in a row has none to give."""


class VelocityRepair:
    """A performer that finds velocities. See `realtime.performers.performer.Performer`."""

    def __init__(
        self,
        session: Session,
        head: Sequence[int],
        output: Output,
        settings: VelocitySettings,
        memory: Memory | None = None,
    ) -> None:
        """Begin; a `memory` takes what is heard."""
        self._stream = LiveStream(session, head, memory)
        self._head = tuple(head)
        self._output, self._settings = output, settings
        self._noise = noise_of_strength(settings.strength)
        self._readings: deque[int] = deque(maxlen=SAME_READINGS)
        self._repaired = 0

    @property
    def mode(self) -> Mode:
        return Mode.VELOCITY

    def on_event(self, timed: TimedEvent) -> None:
        """Take what the player did; answer a key that goes down."""
        event = timed.event
        if not isinstance(event, NoteOn):
            self._stream.hear(timed)
            return
        self._readings.append(event.velocity)
        self._repaired += 1
        if self._settings.strength == 0:
            self._output.release_held_key(event.pitch, event.velocity, timed.at_ns)
            self._stream.hear(timed)
            return

        def judge(logits: Logits) -> int:
            velocity = self._velocity(logits, event.velocity)
            self._output.release_held_key(event.pitch, velocity, timed.at_ns)
            return NO_READING if self._settings.strength == 1 else event.velocity

        self._stream.hear(timed, judge)

    def hand_over(self, at_ns: int) -> None:
        """Do nothing: nothing of our own is played."""

    def stop(self, at_ns: int) -> None:
        """Do nothing: nothing of our own is played."""

    def retry(self, at_ns: int) -> None:
        """Do nothing: nothing of our own is played."""

    def change(self, change: PlaySettings, at_ns: int) -> None:  # noqa: ARG002 - the protocol's
        """Find velocities as other settings say, from the next key on."""
        self._settings = change.velocity or VelocitySettings()
        self._noise = noise_of_strength(self._settings.strength)
        if change.head != self._head:
            self._head = change.head
            self._stream.restyle(change.head)

    def start_afresh(self) -> None:
        """Forget all that was played; the keyboard stays the same."""
        self._stream.reset(self._head, forget=True)

    def due_ns(self) -> int | None:
        """Return None: all work is done as keys come."""
        return None

    def work(self, now_ns: int) -> None:
        """Do nothing."""

    def status(self) -> PerformerStatus:
        return PerformerStatus(Activity.REPAIRING, self._repaired, 0, self._stream.length)

    def _velocity(self, logits: Logits, reading: int) -> int:
        has_none = len(self._readings) == SAME_READINGS and len(set(self._readings)) == 1
        noise = noise_of_strength(1.0) if has_none else self._noise
        return median_velocity(velocity_posterior(logits, reading, noise))
