"""MIDI in memory: ports of the same protocol that need no MIDI system, for the demo, offline use and tests.

An output keeps what was sent with the moment of sending; a cable carries messages from outputs to the inputs of
the same name. Faults can be made: a port that is unplugged, a system that dies.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from piano.errors import PortError
from realtime.midi.ports import POLL_S, Direction, PortListing, Wires, find_port
from realtime.threads.clock import Clock


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that went out, and when."""

    at_ns: int
    data: bytes


class MemoryInputPort:
    """An input that gives what it was fed, in order; `feed` may come from another thread."""

    def __init__(self, name: str = "memory") -> None:
        self._name = name
        self.arrived_ns: int | None = None
        self._waiting: deque[bytes] = deque()
        self._fault: str | None = None

    @property
    def name(self) -> str:
        return self._name

    def feed(self, data: bytes) -> None:
        """Let a message arrive."""
        self._waiting.append(data)

    def unplug(self) -> None:
        """Make the port fail from now on."""
        self._fault = "it was unplugged"

    def poll(self) -> bytes | None:
        """Return the next message, or None."""
        if self._fault is not None:
            raise PortError(f"MIDI input {self._name!r} has gone: {self._fault}")
        return self._waiting.popleft() if self._waiting else None

    def wait(self) -> None:
        """Wait a moment."""
        time.sleep(POLL_S)

    def close(self) -> None:
        """Close the port: it fails from now on."""
        self._fault = self._fault or "it is closed"


class MemoryOutputPort:
    """An output that keeps what was sent and hands it on."""

    def __init__(self, clock: Clock, name: str = "memory", deliver: Callable[[bytes], None] | None = None) -> None:
        self._clock = clock
        self._name = name
        self._deliver = deliver
        self._fault: str | None = None
        self.sent: list[Sent] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def is_closed(self) -> bool:
        """Say whether the port was closed or unplugged."""
        return self._fault is not None

    def unplug(self) -> None:
        """Make the port fail from now on."""
        self._fault = "it was unplugged"

    def send(self, data: bytes) -> None:
        """Keep the message and deliver it."""
        if self._fault is not None:
            raise PortError(f"MIDI output {self._name!r} has gone: {self._fault}")
        self.sent.append(Sent(self._clock.now_ns(), data))
        if self._deliver is not None:
            self._deliver(data)

    def close(self) -> None:
        """Close the port: it fails from now on."""
        self._fault = self._fault or "it is closed"


class SilentOutputPort:
    """An output that goes nowhere and keeps nothing: what was sent is in the take."""

    def __init__(self, name: str = "nowhere") -> None:
        self.name = name

    def send(self, data: bytes) -> None:
        """Let the message go."""

    def close(self) -> None:
        """Do nothing."""


class MemoryMidiSystem:
    """A MIDI system of named cables. Every name that was given in `cables` or made by a virtual port can be opened."""

    api = "memory"

    def __init__(self, clock: Clock, cables: Iterable[str] = ()) -> None:
        self._clock = clock
        self._cables: dict[str, list[MemoryInputPort]] = {name: [] for name in cables}
        self._outputs: dict[str, list[MemoryOutputPort]] = {name: [] for name in self._cables}
        self._alive = True
        self._can_restart = False
        self.connected: Wires | None = None
        """Who is connected to the virtual ports; None: nobody knows."""

    def list_ports(self) -> PortListing:
        """Return the cables: each can be opened from both ends."""
        names = tuple(self._cables)
        return PortListing(api=self.api, inputs=names, outputs=names, has_virtual=True)

    def open_input(self, name: str) -> MemoryInputPort:
        """Open the listening end of a cable."""
        return self._attach_input(self._find(Direction.INPUT, name))

    def open_output(self, name: str) -> MemoryOutputPort:
        """Open the sending end of a cable."""
        return self._attach_output(self._find(Direction.OUTPUT, name))

    def open_virtual_input(self, name: str) -> MemoryInputPort:
        """Make a cable and open its listening end."""
        self.plug(name)
        return self._attach_input(name)

    def open_virtual_output(self, name: str) -> MemoryOutputPort:
        """Make a cable and open its sending end."""
        self.plug(name)
        return self._attach_output(name)

    def plug(self, name: str) -> None:
        """Make a cable, or bring one back; PortError if the system is dead."""
        if not (self._alive or self._can_restart):
            raise PortError("the MIDI system memory no longer answers; start it again")
        self._cables.setdefault(name, [])
        self._outputs.setdefault(name, [])

    def unplug(self, name: str) -> None:
        """Take a cable away: its ports fail and it is no longer listed."""
        for listener in self._cables.pop(name):
            listener.unplug()
        for sender in self._outputs.pop(name):
            sender.unplug()

    def die(self) -> None:
        """Stop answering, as a server does that was killed: every port fails."""
        self._alive = False
        for name in tuple(self._cables):
            self.unplug(name)

    def is_alive(self) -> bool:
        """Say whether the system still answers."""
        return self._alive

    @property
    def why_lost(self) -> str:
        """Return why it is no longer alive."""
        return "" if self._alive else "it no longer answers"

    def wires(self) -> Wires | None:
        """Return who is connected to our ports, as far as the test says."""
        return self.connected

    def revive(self, cables: Iterable[str] = ()) -> None:
        """Let the system be found again, as a server that was started anew, with these cables."""
        self._can_restart = True
        for name in cables:
            self.plug(name)

    def restart(self) -> bool:
        """Answer again if the system was revived."""
        self._alive = self._alive or self._can_restart
        self._can_restart = False
        return self._alive

    def close(self) -> None:
        """Close every port."""
        for listeners in self._cables.values():
            for listener in listeners:
                listener.close()
        for senders in self._outputs.values():
            for sender in senders:
                sender.close()

    def _find(self, direction: Direction, name: str) -> str:
        listing = self.list_ports()
        return listing.names(direction)[find_port(listing, direction, name)]

    def _attach_input(self, name: str) -> MemoryInputPort:
        port = MemoryInputPort(name)
        self._cables[name].append(port)
        return port

    def _attach_output(self, name: str) -> MemoryOutputPort:
        inputs = self._cables[name]

        def deliver(data: bytes) -> None:
            for port in inputs:
                port.feed(data)

        port = MemoryOutputPort(self._clock, name, deliver)
        self._outputs[name].append(port)
        return port


class ScriptedPlayer:
    """A player in memory: messages at fixed moments, as something due on a `ManualClock`."""

    def __init__(self, messages: Iterable[tuple[int, bytes]], deliver: Callable[[bytes], None]) -> None:
        self._waiting = deque(sorted(messages, key=lambda message: message[0]))
        self._deliver = deliver

    def next_due_ns(self) -> int | None:
        """Return when the next message comes."""
        return self._waiting[0][0] if self._waiting else None

    def run_due(self, now_ns: int) -> None:
        """Deliver what has come by now."""
        while self._waiting and self._waiting[0][0] <= now_ns:
            self._deliver(self._waiting.popleft()[1])
