"""What the engine listens to: which channel, what asks for an answer, what chooses a mode."""

from dataclasses import dataclass, field

from realtime.engine.mode_chooser import ModeChooser
from realtime.engine.trigger import Trigger, Verdict

ENDING_NS = 6_000_000_000
"""How long an ending takes, unless the settings say it."""


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

    def takes(self, data: bytes) -> bool:
        """Say whether a message on the channel goes no further: it asks for something and is no music."""
        asks = (self.trigger, self.taps, self.ending)
        return self.modes.takes(data) or any(one.judge(data) is not Verdict.MUSIC for one in asks)


@dataclass(frozen=True, slots=True)
class ChangeListening:
    """Listen in another way from the next message on."""

    settings: EngineSettings
