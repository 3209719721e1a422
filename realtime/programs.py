"""Which way of playing a program change of the player's asks for."""

from realtime.commands import Mode

PROGRAMS = (Mode.ANSWER, Mode.DUET, Mode.VELOCITY)
"""By number of the program, from 0."""

_PROGRAM_CHANGE = 0xC0


def mode_of(data: bytes) -> Mode | None:
    """Return the mode that a message asks for; None for any other message, and for a program that stands for none."""
    if len(data) != 2 or data[0] & 0xF0 != _PROGRAM_CHANGE or data[1] >= len(PROGRAMS):
        return None
    return PROGRAMS[data[1]]
