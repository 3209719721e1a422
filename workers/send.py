"""Groups of items to the place where they are done, and the results back as they come. In the caller's thread.

Groups are taken as they are needed, a few for each process, so that no number of them fills memory; which process does
a group changes nothing in its results.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from workers.place import Job, Place, Tell
from workers.processes import in_processes

Item = TypeVar("Item")
Result = TypeVar("Result")


def send(
    job: Job[Item, Result],
    groups: Iterable[Sequence[Item]],
    place: Place,
    *,
    tell: Tell,
    lost: Callable[[Item, str], Result],
) -> Iterator[Result]:
    """Yield the result of every item, in the order in which they are done.

    `lost` makes the result of an item that no worker of a cluster could do, of the item and the reason. ConfigError
    where a process has died, or where there is no cluster (any more).
    """
    if place.cluster is not None:
        from workers.dask_cluster import on_cluster

        return on_cluster(job, groups, place, tell, lost)
    if place.jobs == 1:
        return _here(job, groups, tell)
    return in_processes(job, groups, place, tell)


def _here(job: Job[Item, Result], groups: Iterable[Sequence[Item]], tell: Tell) -> Iterator[Result]:
    job.open()
    for group in groups:
        yield from job.make(group, tell)
