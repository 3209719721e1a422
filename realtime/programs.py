"""Which way of playing a message of the player's asks for: a program change, or a controller set aside for it."""

from dataclasses import dataclass

from realtime.commands import Mode

PROGRAMS = (Mode.ANSWER, Mode.DUET, Mode.VELOCITY)
"""By number of the program, from 0; a controller has a share of its range for each, from below."""

_PROGRAM_CHANGE, _CONTROL_CHANGE = 0xC0, 0xB0


@dataclass(frozen=True, slots=True)
class ModeChooser:
    """What chooses the mode; without either, nothing does."""

    by_program: bool = False
    controller: int | None = None

    def mode_of(self, data: bytes) -> Mode | None:
        """Return the mode that a message asks for; None for any other message, and for a program that has no mode."""
        status = data[0] & 0xF0 if data else 0
        if self.by_program and status == _PROGRAM_CHANGE and len(data) == 2 and data[1] < len(PROGRAMS):
            return PROGRAMS[data[1]]
        if self.controller is not None and status == _CONTROL_CHANGE and len(data) == 3 and data[1] == self.controller:
            return PROGRAMS[data[2] * len(PROGRAMS) // 128]
        return None
