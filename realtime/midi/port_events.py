"""What the ends of the real-time path tell the engine: a message that came, a port or a thread that failed."""

from dataclasses import dataclass

from realtime.midi.ports import Direction


@dataclass(frozen=True, slots=True)
class Received:
    """One whole MIDI message from the keyboard and the moment at which it was taken from the port."""

    at_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class PortLost:
    """A port that no longer works: unplugged, refused, or its MIDI system is gone."""

    direction: Direction
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class PortReturned:
    """A port that was lost is listed again: it can be opened anew."""

    direction: Direction
    name: str


@dataclass(frozen=True, slots=True)
class SystemLost:
    """The MIDI system no longer answers, and all its ports with it."""

    api: str
    reason: str


@dataclass(frozen=True, slots=True)
class SystemReturned:
    """The MIDI system answers again: its ports can be opened anew."""

    api: str


@dataclass(frozen=True, slots=True)
class PlayerGone:
    """What plays into our port has gone, or has fallen silent though it said that it is there: its keys come up."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListenersGone:
    """The last of those who listened to our own port has gone: nobody hears what is played."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stalled:
    """The program stood still: the machine slept, or had no time for it. Nobody knows what the player did meanwhile."""

    gap_ns: int


@dataclass(frozen=True, slots=True)
class ThreadRevived:
    """The thread at one end of the path failed and goes on: what it was about to pass on is lost."""

    direction: Direction
    reason: str


@dataclass(frozen=True, slots=True)
class ThreadFailed:
    """A thread has ended on an error that nobody foresaw."""

    thread: str
    reason: str


WatchReport = PortLost | PortReturned | PlayerGone | ListenersGone | SystemLost | SystemReturned | Stalled
"""What the watchdog reports."""
