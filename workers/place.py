"""What is to be done, and where: the words that every place of work understands."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from piano.errors import ConfigError

Item = TypeVar("Item", contravariant=True)
Result = TypeVar("Result", covariant=True)

Tell = Callable[[int, float, float], None]
"""Takes how far a piece of work is: its number, the share that is done (0 to 1), and how many notes these are."""

LIMIT_S = 900.0
"""How long a file may take on a worker of a cluster, in seconds, unless told otherwise."""


class Job(Protocol[Item, Result]):
    """What makes results of items; it travels to each process, by pickle, before it is opened there."""

    def open(self) -> None:
        """Load what it needs; PianodError if that is not there."""

    def make(self, works: Sequence[Item], tell: Tell) -> Iterator[Result]:
        """Do some items side by side, one result each; what is wrong with one of them is told in its result."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where work is done: in so many processes here, or on a cluster, by its address or as `local:N`."""

    jobs: int = 1
    cluster: str | None = None
    limit_s: float = LIMIT_S
    """How long an item may take on a cluster, in seconds; a worker that takes longer is ended, and another tries."""
    begin: Callable[[], None] | None = None
    """What each process of this machine does first, such as setting up its logs."""


class Interrupted(Exception):  # noqa: N818 - nothing is wrong: somebody wants it to end
    """The work is to end here."""


def check_address(address: str) -> None:
    """ConfigError if an address of a cluster cannot be meant."""
    kind, _, rest = address.partition(":")
    if kind == "local" and rest.isdecimal() and 1 <= int(rest) <= 256:
        return
    if kind == "local" or not rest:
        raise ConfigError(
            f"--cluster {address} is no cluster: give a scheduler's address, such as tcp://host:8786, or local:4"
        )
