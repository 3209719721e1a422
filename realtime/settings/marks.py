"""What else a setting is, told where the setting stands: marks on its field, from which the rest of pianod derives.

temperature: Annotated[float, Live, Preset, DecidesTask, DecidesPiece] = Field(...)
"""

from enum import Enum, auto


class Mark(Enum):
    """One thing that a setting is beside its value."""

    LIVE = auto()
    """It can be changed while it plays."""
    PRESET = auto()
    """A preset keeps it: it is how to play, and would be wanted on another piano too."""
    DECIDES_TASK = auto()
    """What is made of a file by a task depends on it: with another value the file is worked on again."""
    DECIDES_PIECE = auto()
    """What is made of a continuation or a new piece depends on it."""


Live, Preset = Mark.LIVE, Mark.PRESET
DecidesTask, DecidesPiece = Mark.DECIDES_TASK, Mark.DECIDES_PIECE
