"""What a job of the panel is asked for, and what there is to choose from; between the server and the job's process."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from realtime.files.fill_choices import KEPT

GIVEN, MADE, PICTURE = "given.mid", "made.mid", "picture.json"
"""The files in the folder of a job."""

LONGEST_S = 120


@dataclass(frozen=True, slots=True)
class Job:
    """A task for a file: how the page calls it, its particulars to choose from, whether its length is asked for."""

    title: str
    choices: tuple[str, ...] = ()
    has_length: bool = False


JOBS: Mapping[str, Job] = {
    "continue": Job("Go on with it", has_length=True),
    "fill": Job("Keep a part, fill in the rest", tuple(kept for kept in KEPT if kept != "part")),
    "velocities": Job("Find its dynamics", ("from its own", "from nothing")),
    "clean": Job("Clean it", ("all", "pitch", "velocity", "onset", "time")),
    "perform": Job("Perform it", ("the score in time", "the order of its keys alone")),
}
"""What can be made of a file."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What is to be made: a task of `JOBS`, which of its choices, for how many seconds, with which settings."""

    task: str = "continue"
    seconds: int = 20
    choice: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return it as it goes to the process."""
        return json.dumps(asdict(self))
