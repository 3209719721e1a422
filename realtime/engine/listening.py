"""What the engine listens to: which channel, what asks for an answer, what chooses a mode."""

from dataclasses import dataclass, field

from realtime.engine.mode_chooser import ModeChooser
from realtime.engine.trigger import Trigger, Verdict


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine listens to: a MIDI channel 0 to 15 or all (None), and what asks for an answer or a mode."""

    channel: int | None = None
    trigger: Trigger = field(default_factory=Trigger)
    modes: ModeChooser = field(default_factory=ModeChooser)
    taps: Trigger = field(default_factory=Trigger)
    """What taps the tempo."""

    def takes(self, data: bytes) -> bool:
        """Say whether a message on the channel goes no further: it asks for something and is no music."""
        asks = (self.trigger, self.taps)
        return self.modes.takes(data) or any(one.judge(data) is not Verdict.MUSIC for one in asks)


@dataclass(frozen=True, slots=True)
class ChangeListening:
    """Listen in another way from the next message on."""

    settings: EngineSettings
