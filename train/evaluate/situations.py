"""Which tasks are measured, and how each is met: live, or with a preview of what comes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from piano.errors import ConfigError
from piano.tasks.repair_tasks import ANY_KEYBOARD, VELOCITY_NOISE, VELOCITY_TASKS
from piano.tasks.task_stream import PreviewSize
from piano.tokens.vocabulary import FILL_TASKS, REPAIR_TASKS

GROUPS = {
    "all": (*FILL_TASKS, *REPAIR_TASKS),
    "fill": FILL_TASKS,
    "repair": tuple(task for task in REPAIR_TASKS if task not in VELOCITY_TASKS),
    "velocities": VELOCITY_TASKS,
}
"""Tasks by the name of a group. Plain continuation is no task: nothing is given that an answer could fit."""

UNTOUCHED_TASKS = ("clean_pitch", "clean_onset", "clean_time")
"""The tasks that are also met with notes that need no cleaning: what do they break?"""


@dataclass(frozen=True, slots=True)
class Situation:
    """A task as it is met; `preview` None: live.

    `reading_noise` is the deviation that a velocity's reading is taken to have where its likelihood is multiplied in,
    else infinity. `told` is the task that the model is told. `is_untouched`: there is nothing to mend, and nobody says
    so: what is read is what was played, and the noise is looked for as `pianod clean` does.
    """

    task: str
    preview: PreviewSize | None
    reading_noise: float = math.inf
    told: str = ""
    is_untouched: bool = False

    @property
    def name(self) -> str:
        """Return what its rows are called."""
        told = f", heard as {self.told}" if self.told else ""
        untouched = ", untouched" if self.is_untouched else ""
        return f"{self.task}, {'with preview' if self.preview else 'live'}{told}{untouched}"

    @property
    def asks_velocities(self) -> bool:
        """Return whether velocities are asked and nothing else."""
        return self.task in VELOCITY_TASKS


def situations(names: str, preview: bool | None, noise: float = VELOCITY_NOISE) -> list[Situation]:
    """Return the situations of tasks named `a,b` or by a group; ConfigError if there is no such task.

    `preview` says which are met with a preview; None: all, and velocities live too, where they are found key by key.
    A duet has none. Velocities are read with a deviation of `noise`. Noise is also met as on a live keyboard of which
    nothing is known.
    """
    tasks: list[str] = []
    for name in names.split(","):
        if name not in GROUPS and name not in GROUPS["all"]:
            known = f"groups: {', '.join(GROUPS)}; tasks: {', '.join(GROUPS['all'])}"
            raise ConfigError(f"--tasks: there is no {name!r}; {known}")
        tasks += [task for task in GROUPS.get(name, (name,)) if task not in tasks]
    met = [Situation(task, size, _noise(task, size, noise)) for task in tasks for size in _sizes(task, preview)]
    noisy = [case for case in met if case.task == "denoise_velocity" and case.preview is None]
    whole = [case for case in met if case.task in UNTOUCHED_TASKS and case.preview is not None]
    return [
        *met,
        *(replace(case, told=ANY_KEYBOARD) for case in noisy),
        *(replace(case, is_untouched=True) for case in whole),
    ]


def _noise(task: str, preview: PreviewSize | None, noise: float) -> float:
    """A preview shows the reading itself, and without any reading there is no likelihood."""
    return noise if task in VELOCITY_TASKS and task != "velocity" and preview is None else math.inf


def _sizes(task: str, preview: bool | None) -> Sequence[PreviewSize | None]:
    if task == "duet" or preview is False:
        return (None,)
    return (None, PreviewSize()) if preview is None and task in VELOCITY_TASKS else (PreviewSize(),)
