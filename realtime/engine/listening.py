"""What the engine listens to, and where each message of the player's goes: told here once, for engine and thru.

another channel      the engine does not hear it; thru passes it on
a choice, a tap,     whoever is asked carries it out; it is no music and sounds nowhere. In velocity mode, which
an ending, an        answers nothing, taps, endings and keys that ask for an answer sound all the same
answer
music                the performer hears it; thru passes it on, in velocity mode a key that goes down waits for its
                     velocity
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from realtime.engine.mode_chooser import ModeChooser
from realtime.engine.trigger import Trigger, Verdict
from realtime.midi.message import MessageKind, channel_of, kind_of

ENDING_NS = 6_000_000_000
"""How long an ending takes, unless the settings say it."""

_WITHOUT_CHANNEL = (MessageKind.SYSEX, MessageKind.SYSTEM_COMMON, MessageKind.REAL_TIME, MessageKind.MALFORMED)


class Purpose(Enum):
    """What a message of the player's is for."""

    ELSEWHERE = auto()
    """For whoever listens to another channel."""
    CHOICE = auto()
    """It chooses a mode, or what becomes of a loop."""
    TAP = auto()
    ENDING = auto()
    ANSWER = auto()
    MUSIC = auto()


class Route(NamedTuple):
    """Where a message goes. One that `asks` for nothing is, say, the release of a key that asked."""

    purpose: Purpose
    asks: bool = False


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine listens to: a MIDI channel 0 to 15 or all (None), and what asks for an answer or a mode."""

    channel: int | None = None
    trigger: Trigger = field(default_factory=Trigger)
    modes: ModeChooser = field(default_factory=ModeChooser)
    taps: Trigger = field(default_factory=Trigger)
    """What taps the tempo."""
    ending: Trigger = field(default_factory=Trigger)
    """What asks for an ending."""
    ending_ns: int = ENDING_NS
    """By how long after that every own key is up."""

    def route(self, data: bytes) -> Route:
        """Return where a message goes."""
        if self.channel is not None and (kind_of(data) in _WITHOUT_CHANNEL or channel_of(data) != self.channel):
            return Route(Purpose.ELSEWHERE)
        if self.modes.takes(data):
            return Route(Purpose.CHOICE, asks=True)
        for purpose, trigger in (
            (Purpose.TAP, self.taps),
            (Purpose.ENDING, self.ending),
            (Purpose.ANSWER, self.trigger),
        ):
            verdict = trigger.judge(data)
            if verdict is not Verdict.MUSIC:
                return Route(purpose, asks=verdict is Verdict.ASKS)
        return Route(Purpose.MUSIC)


@dataclass(frozen=True, slots=True)
class ChangeListening:
    """Listen in another way from the next message on."""

    settings: EngineSettings
