"""What else a setting is, told where the setting stands: marks on its field, from which the rest of pianod derives.

temperature: Annotated[float, Live, Preset, DecidesTask, Shown(PageGroup.BOLDNESS, "Temperature")] = Field(...)
"""

from dataclasses import dataclass
from enum import Enum, auto


class SettingMark(Enum):
    """One thing that a setting is beside its value."""

    LIVE = auto()
    """It can be changed while it plays."""
    PRESET = auto()
    """A preset keeps it: it is how to play, and would be wanted on another piano too."""
    DECIDES_TASK = auto()
    """What is made of a file by a task depends on it: with another value the file is worked on again."""
    DECIDES_PIECE = auto()
    """What is made of a continuation or a new piece depends on it."""


Live, Preset = SettingMark.LIVE, SettingMark.PRESET
DecidesTask, DecidesPiece = SettingMark.DECIDES_TASK, SettingMark.DECIDES_PIECE


class PageGroup(Enum):
    """The groups in which the panel shows the settings, in their order: a title, and the modes that it belongs to."""

    MODE = "Way of playing"
    BOLDNESS = "How bold"
    MANNER = "In whose manner"
    ANSWERS = "How it answers", "answer"
    ASKING = "What asks, besides a pause", "answer"
    ALONG = "How it plays along", "duet", "loop"
    LOOP = "How the loop goes round", "loop"
    VELOCITIES = "How it mends velocities", "velocity"
    CHANGES = "Time and changes"
    METRONOME = "Metronome"
    KEYBOARD = "Keyboard and sound"

    def __init__(self, title: str, *modes: str) -> None:
        self.title = title
        """What stands above the group."""
        self.modes = modes
        """In which modes it is shown; none means in all of them."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How the panel shows a setting: in which group, by which words, and where it can be found by a pianist.

    With `slider` it is a slider from one value to another in steps; a number is typed otherwise. `none` is what it is
    called where there is no value. In the modes `knob_of` it is one of the few knobs of the plain face, by the words
    `knob` (the label, if not given).
    """

    group: PageGroup
    label: str
    slider: tuple[float, float, float] | None = None
    none: str = "none"
    knob_of: tuple[str, ...] = ()
    knob: str = ""
