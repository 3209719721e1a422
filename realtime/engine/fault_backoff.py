"""What stands in for a performer that failed: nothing, until it is time to try anew. The player's own notes go on."""

from piano.events import TimedEvent
from realtime.performers.performer import Activity, PerformerStatus
from realtime.performers.play_settings import Mode, PlaySettings
from realtime.threads.clock import NS_PER_S

SHORTEST_REST_NS = 1 * NS_PER_S
LONGEST_REST_NS = 60 * NS_PER_S


def rest_ns(faults: int) -> int:
    """Return how long to rest after so many faults one soon after the other."""
    return min(SHORTEST_REST_NS << min(faults - 1, 10), LONGEST_REST_NS)


class FaultBackoff:
    """A performer that rests. See `realtime.performers.performer.Performer`."""

    def __init__(self, mode: Mode, until_ns: int, status: PerformerStatus) -> None:
        self._mode, self._until_ns = mode, until_ns
        self._status = PerformerStatus(Activity.LISTENING, status.answers, status.interruptions, 0)

    @property
    def mode(self) -> Mode:
        """Return which way of playing it stands in for."""
        return self._mode

    def on_event(self, timed: TimedEvent) -> None:
        """Let it pass."""

    def hand_over(self, at_ns: int) -> None:
        """Do nothing."""

    def stop(self, at_ns: int) -> None:
        """Do nothing."""

    def retry(self, at_ns: int) -> None:
        """Do nothing."""

    def change(self, change: PlaySettings, at_ns: int) -> None:
        """Do nothing: the engine remembers how to play."""

    def start_afresh(self) -> None:
        """Do nothing."""

    def due_ns(self) -> int | None:
        """Return when it has rested long enough."""
        return self._until_ns

    def work(self, now_ns: int) -> None:
        """Do nothing."""

    def status(self) -> PerformerStatus:
        """Return how the performer stood that it stands in for."""
        return self._status
