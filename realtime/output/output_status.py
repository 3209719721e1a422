"""The output as it is told to work, and as it stands: plain data, for any thread."""

from dataclasses import dataclass, field

from realtime.output.event_queue import EventQueueSettings
from realtime.output.voice_tracker import SoundingNotes
from realtime.threads.lateness import LatenessSummary


@dataclass(frozen=True, slots=True)
class SchedulerSettings:
    """How the output thread works."""

    queue: EventQueueSettings = field(default_factory=EventQueueSettings)
    attentive_ns: int = 1_000_000
    """From this long before a deadline the thread stays awake for it; 0 trusts the system to wake it in time."""
    priority: int | None = 50
    """Real-time priority to ask for, 1 to 99; None does not ask."""


@dataclass(frozen=True, slots=True)
class OutputStatus:
    """The output as it stands: an immutable snapshot."""

    sounding: SoundingNotes
    pending: int
    is_lost: bool
    sent: int
    undelivered: int
    """Messages that came due while there was no port."""
    stale: int
    too_late: int
    overlong: int
    left_out: int
    unanswered: int
    """Keys that went out with the velocity they came with, because the model's was not there in time."""
    refused: int
    """The player's messages that were not passed on because too many waited already."""
    own_lateness: LatenessSummary
    """From its planned moment to the port, of every own message that had one."""
    now_lateness: LatenessSummary
    """From the call to the port, of what is sent at once: the player's messages, releases, panics."""
