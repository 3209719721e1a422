"""The seam to MIDI: what a port and a MIDI system are, and the faults they have in common.

A backend is one file that implements `MidiSystem`; everything else speaks to these protocols alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from piano.errors import PortError

NO_INSTRUMENT = ("pianod", "Midi Through")
"""How the names of ports begin that nobody plays on: those of any pianod, and what ALSA makes by itself."""

POLL_S = 0.0002
"""How long to wait between two looks at an input that cannot tell when something arrives."""


class Direction(StrEnum):
    """Which way a port carries messages, seen from this program."""

    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class PortListing:
    """What a MIDI system has to connect to."""

    api: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    has_virtual: bool
    """Whether ports of our own can be made, to which other programs connect."""

    def names(self, direction: Direction) -> tuple[str, ...]:
        """Return the names of the ports of one direction."""
        return self.inputs if direction is Direction.INPUT else self.outputs


class InputPort(Protocol):
    """A port that messages come from. One thread polls; any thread may close."""

    @property
    def name(self) -> str:
        """Return the name of the port."""
        ...

    def poll(self) -> bytes | None:
        """Return the next whole message, or None if there is none; PortError once the port is gone. Never waits."""
        ...

    @property
    def arrived_ns(self) -> int | None:
        """Return when the message that was polled last had arrived, where the port knows; else it is new."""
        ...

    def wait(self) -> None:
        """Wait a moment, or until something is there: a poll that found nothing is not to be repeated at once."""
        ...

    def close(self) -> None:
        """Close the port; a second time does nothing."""
        ...


class OutputPort(Protocol):
    """A port that messages go to. One thread sends; any thread may close."""

    @property
    def name(self) -> str:
        """Return the name of the port."""
        ...

    def send(self, data: bytes) -> None:
        """Send one whole message; PortError if the port is known to be gone."""
        ...

    def close(self) -> None:
        """Let what was sent go out, then close the port; a second time does nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Wires:
    """Who is connected to our ports, by the names of their ports: what plays into ours, and what listens to ours."""

    players: frozenset[str] = frozenset()
    listeners: frozenset[str] = frozenset()


class MidiSystem(Protocol):
    """A way to reach MIDI ports: a sound system of the machine, or one in memory."""

    @property
    def api(self) -> str:
        """Return the short name of the system, as the setting has it."""
        ...

    def list_ports(self) -> PortListing:
        """Return what can be opened now."""
        ...

    def open_input(self, name: str) -> InputPort:
        """Open the input whose name is, or else contains, `name` (case does not matter)."""
        ...

    def open_output(self, name: str) -> OutputPort:
        """Open the output whose name is, or else contains, `name` (case does not matter)."""
        ...

    def open_virtual_input(self, name: str) -> InputPort:
        """Make an input of our own; PortError where the system has none."""
        ...

    def open_virtual_output(self, name: str) -> OutputPort:
        """Make an output of our own; PortError where the system has none."""
        ...

    def is_alive(self) -> bool:
        """Say whether the system still answers; to be asked a few times a second, by one thread."""
        ...

    def wires(self) -> Wires | None:
        """Return who was connected to our ports at the last look; None where that cannot be known."""
        ...

    @property
    def why_lost(self) -> str:
        """Return why it is no longer alive, in words; an empty text while it is."""
        ...

    def restart(self) -> bool:
        """Try to reach a system anew that no longer answered; say whether it does. Its ports are to be opened anew."""
        ...

    def close(self) -> None:
        """Close the system and every port that was opened through it."""
        ...


def steady(name: str) -> str:
    """Return the part of a port's name that is the same when it is plugged in again: without the numbers of ALSA."""
    return re.sub(r" \d+:\d+$", "", name)


def without_own(listing: PortListing, input_name: str, output_name: str) -> PortListing:
    """Return what there is to choose from: no port of a pianod, and no far end of our own, which would be a loop.

    A port of ours that is not listed in its own direction is virtual, and is listed in the other. What is in use stays.
    """

    def others(names: tuple[str, ...], ours: str, same_way: tuple[str, ...]) -> tuple[str, ...]:
        far_end = None if ours in same_way else ours
        return tuple(
            name
            for name in names
            if name in (input_name, output_name)
            or not (name.startswith(NO_INSTRUMENT) or steady(name).rpartition(":")[2] == far_end)
        )

    inputs = others(listing.inputs, output_name, listing.outputs)
    outputs = others(listing.outputs, input_name, listing.inputs)
    return replace(listing, inputs=inputs, outputs=outputs)


def find_port(listing: PortListing, direction: Direction, wanted: str) -> int:
    """Return the index of the port whose name is `wanted`, or else of the first that contains it.

    Raise PortError, naming the ports there are, if none does.
    """
    names = listing.names(direction)
    folded = wanted.casefold()
    for index, name in enumerate(names):
        if name.casefold() == folded:
            return index
    for index, name in enumerate(names):
        if folded in name.casefold():
            return index
    raise PortError(_no_such_port(listing.api, direction, wanted, names))


def _no_such_port(api: str, direction: Direction, wanted: str, names: Sequence[str]) -> str:
    """Say that there is no such port, and which there are."""
    if not names:
        return (
            f"no MIDI {direction} port named {wanted!r}: {api} has no {direction} ports at all; "
            "switch on or plug in the instrument, then run `pianod ports`"
        )
    there = ", ".join(repr(name) for name in names)
    return f"no MIDI {direction} port named {wanted!r}; there are: {there}. Part of a name is enough"
