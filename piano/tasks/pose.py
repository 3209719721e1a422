"""Tasks by name: from a performance to an exercise, for training, evaluation, live and offline alike.

What the tasks are stands in `piano.tasks.fill_tasks` and `piano.tasks.repair_tasks`; how an exercise becomes tokens in
`piano.tasks.task_stream`.
"""

import numpy as np

from piano.notes import NoteMask, Performance
from piano.tasks.exercise import Exercise, roles_of
from piano.tasks.fill_tasks import pose_fill
from piano.tasks.repair_tasks import pose_repair
from piano.tokens.vocabulary import FILL_TASKS, REPAIR_TASKS, TASKS


def pose(task: str, performance: Performance, rng: np.random.Generator, *, right: NoteMask | None = None) -> Exercise:
    """Return a task's exercise on a performance: what is given, what is asked and what is previewed.

    A pure function: the same performance and a generator in the same state give the same exercise, and given and
    asked together are the whole performance. `right` tells which notes the right hand plays, (notes,), where that is
    truly known; elsewhere hands are found from the notes. An exercise may ask for nothing (chords, where there are
    none): see `Exercise.asked_notes`.
    """
    if right is not None and right.shape != performance.notes.shape:
        raise ValueError(
            f"right must say of {performance.notes.size} notes which are the right hand's, not {right.shape}"
        )
    if task in FILL_TASKS:
        return pose_fill(task, performance, rng, right)
    if task in REPAIR_TASKS:
        return pose_repair(task, performance, rng)
    if task != "continue":
        raise ValueError(f"there is no task {task!r}; there are: {', '.join(TASKS)}")
    notes, pedals = performance.notes.size, performance.pedals.size
    return Exercise(task, performance, roles_of(np.ones(notes, np.bool_)), roles_of(np.ones(pedals, np.bool_)))
