"""What a job of the panel is asked for, and what there is to choose from; between the server and the job's process."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from realtime.files.fill_choices import KEPT
from realtime.files.task_requests import SUMMARIES

GIVEN, MADE, PICTURE = "given.mid", "made.mid", "picture.json"
"""The files in the folder of a job."""

LONGEST_S = 120


@dataclass(frozen=True, slots=True)
class PanelTask:
    """A task for a file: what it does, its particulars to choose from and what they are, whether it has a length."""

    title: str
    choices: tuple[str, ...] = ()
    asks: str = ""
    has_length: bool = False


JOBS: Mapping[str, PanelTask] = {
    "continue": PanelTask(SUMMARIES["continue"], has_length=True),
    "fill": PanelTask(SUMMARIES["fill"], tuple(kept for kept in KEPT if kept != "part"), "Keep"),
    "velocities": PanelTask(SUMMARIES["velocities"], ("from its own", "from nothing"), "Find them"),
    "clean": PanelTask(SUMMARIES["clean"], ("all", "pitch", "velocity", "onset", "time"), "What is wrong"),
    "perform": PanelTask(SUMMARIES["perform"], ("the score in time", "the order of its keys alone"), "Take from it"),
}
"""What can be made of a file: the commands on files, in their words."""

LONGEST_NAME = 120
"""Characters of a file's name that are remembered, to speak of it."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What is to be made: a task of `JOBS`, which of its choices, for how many seconds, with which settings."""

    task: str = "continue"
    seconds: int = 20
    choice: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    """What the file is called; nothing is opened by that name."""

    def to_json(self) -> str:
        """Return it as it goes to the process."""
        return json.dumps(asdict(self))
