"""What asks for an answer, besides a pause: a pedal, a key or a controller that the player has set aside for it."""

from dataclasses import dataclass
from enum import Enum, auto

from realtime.midi.message import PEDAL_THRESHOLD, SOSTENUTO, MessageKind, control_of, kind_of

SOFT = 67
"""The controller of the soft pedal."""

PEDALS = {"soft": SOFT, "sostenuto": SOSTENUTO}


class Verdict(Enum):
    """What a message is to a trigger."""

    MUSIC = auto()
    """Nothing to the trigger: it goes its way."""
    ASKS = auto()
    """It asks for an answer, and is not music."""
    SWALLOWED = auto()
    """It belongs to the trigger (a release), asks for nothing and is not music."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One key or one controller that asks for an answer when it is pressed; without either, nothing does."""

    key: int | None = None
    controller: int | None = None

    def judge(self, data: bytes) -> Verdict:
        """Say what a message is to this trigger."""
        if self.key is None and self.controller is None:
            return Verdict.MUSIC
        kind = kind_of(data)
        if self.key is not None and kind in (MessageKind.NOTE_ON, MessageKind.NOTE_OFF) and data[1] == self.key:
            return Verdict.ASKS if kind is MessageKind.NOTE_ON else Verdict.SWALLOWED
        control = control_of(data)
        if control is not None and control[0] == self.controller:
            return Verdict.ASKS if control[1] >= PEDAL_THRESHOLD else Verdict.SWALLOWED
        return Verdict.MUSIC
