"""What a message of the player's asks for, besides an answer: a way of playing, or what becomes of a loop.

A program change asks, or a controller that is set aside for it. What asks is no music and goes no further.
"""

from dataclasses import dataclass

from realtime.engine.commands import ComeToEnd, Command, Keep, NewPiece, Retry, Undo
from realtime.midi.message import PEDAL_THRESHOLD, control_of, program_of
from realtime.performers.play_settings import Mode

PROGRAMS = (Mode.ANSWER, Mode.DUET, Mode.VELOCITY, Mode.LOOP)
"""By number of the program, from 0; a controller has a share of its range for each, from below."""

WISHES: tuple[Command, ...] = (Retry(), Keep(), Undo(), NewPiece(), ComeToEnd())
"""Take, keep, undo, clear, end: by number of the program after those of the modes, or by a controller for each."""


@dataclass(frozen=True, slots=True)
class ModeChooser:
    """What chooses the mode, and what asks for each of `WISHES`; without any, nothing does."""

    by_program: bool = False
    controller: int | None = None
    wish_controllers: tuple[int | None, ...] = (None,) * len(WISHES)

    def mode_of(self, data: bytes) -> Mode | None:
        """Return the mode that a message asks for; None for any other message, and for a program that has no mode."""
        program, control = self._program(data), control_of(data)
        if program is not None and program < len(PROGRAMS):
            return PROGRAMS[program]
        if control is not None and control[0] == self.controller:
            return PROGRAMS[control[1] * len(PROGRAMS) // 128]
        return None

    def command_of(self, data: bytes) -> Command | None:
        """Return what a message asks for; None if that is nothing, as when a pedal comes up."""
        program, control = self._program(data), control_of(data)
        if program is not None and len(PROGRAMS) <= program < len(PROGRAMS) + len(WISHES):
            return WISHES[program - len(PROGRAMS)]
        if control is not None and control[1] >= PEDAL_THRESHOLD and control[0] in self.wish_controllers:
            return WISHES[self.wish_controllers.index(control[0])]
        return None

    def takes(self, data: bytes) -> bool:
        """Say whether a message goes no further: it asks for something, or its controller does when it is pressed."""
        control = control_of(data)
        if control is None and self._program(data) is None:
            return False
        is_released = control is not None and control[0] in self.wish_controllers
        return is_released or self.mode_of(data) is not None or self.command_of(data) is not None

    def _program(self, data: bytes) -> int | None:
        return program_of(data) if self.by_program else None
