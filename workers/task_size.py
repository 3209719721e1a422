"""How many groups of items make a task of a cluster: so many that a task takes about a second.

A task costs its scheduler some milliseconds whatever is in it, so that small files go many at once; large ones go
alone, so that no worker is left with several of them at the end.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import TypeVar

Group = TypeVar("Group")

FIRST_GROUPS = 8
"""How many groups the first tasks have, while nothing is known of them."""

MOST_GROUPS = 256
"""How many groups a task has at most: of a million files the scheduler is asked some 4,000 times."""

TASK_S = 1.0
"""How long a task is to take, in seconds."""


class TaskSize:
    """Learns from the tasks that are over how large the next is to be; `groups` says so."""

    def __init__(self) -> None:
        self.groups = FIRST_GROUPS

    def begin(self, groups: Iterator[Group], tasks: int) -> Iterator[Group]:
        """Return the groups; where they are few, so many tasks under way leave none of the workers without one."""
        ahead = list(islice(groups, tasks * FIRST_GROUPS))
        self.groups = min(FIRST_GROUPS, max(1, len(ahead) // tasks))
        return chain(ahead, groups)

    def took(self, groups: int, seconds: float) -> None:
        """Learn how long a task took. No task makes the next more than twice as large."""
        wanted = groups * TASK_S / seconds if seconds > 0 else MOST_GROUPS
        self.groups = int(max(1, min(wanted, 2 * self.groups, MOST_GROUPS)))
