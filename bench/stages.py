"""Stamps along the way of a key through the program: what is put around ports and session to see the moments.

Each list belongs to the thread that writes it and is read when all is over. All moments are of the monotonic clock,
which processes of one machine share.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from inference.onnx_session import Logits, Session
from inference.rolling_context import WorksAhead
from inference.session_wrapper import SessionWrapper
from realtime.midi.message import MessageKind, kind_of
from realtime.midi.ports import InputPort, MidiSystem, OutputPort, PortListing, Wires


@dataclass(slots=True)
class Moments:
    """When keys came in, when the model began and ended, when keys went out; in nanoseconds."""

    came: list[int] = field(default_factory=list)
    fed: list[tuple[int, int]] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


class StampedSession(SessionWrapper):
    """A session that notes when it is fed."""

    def __init__(self, session: Session, moments: Moments) -> None:
        super().__init__(session)
        self._moments = moments

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Feed, between two stamps."""
        began_ns = time.monotonic_ns()
        logits = super().feed(tokens)
        self._moments.fed.append((began_ns, time.monotonic_ns()))
        return logits

    def advance(self) -> bool:
        """Use an idle moment, where the session has a use for it."""
        return isinstance(self._session, WorksAhead) and self._session.advance()


class _StampedInput:
    def __init__(self, port: InputPort, moments: Moments) -> None:
        self._port, self._moments = port, moments

    @property
    def name(self) -> str:
        return self._port.name

    @property
    def arrived_ns(self) -> int | None:
        return self._port.arrived_ns

    def poll(self) -> bytes | None:
        data = self._port.poll()
        if data is not None and kind_of(data) is MessageKind.NOTE_ON:
            arrived_ns = self._port.arrived_ns
            self._moments.came.append(time.monotonic_ns() if arrived_ns is None else arrived_ns)
        return data

    def wait(self) -> None:
        self._port.wait()

    def close(self) -> None:
        self._port.close()


class _StampedOutput:
    def __init__(self, port: OutputPort, moments: Moments) -> None:
        self._port, self._moments = port, moments

    @property
    def name(self) -> str:
        return self._port.name

    def send(self, data: bytes) -> None:
        if kind_of(data) is MessageKind.NOTE_ON:
            self._moments.left.append(time.monotonic_ns())
        self._port.send(data)

    def close(self) -> None:
        self._port.close()


class StampedSystem:
    """A MIDI system whose ports note when keys come and go."""

    def __init__(self, system: MidiSystem, moments: Moments) -> None:
        self._system, self._moments = system, moments

    @property
    def api(self) -> str:
        """Return the system's name."""
        return self._system.api

    def list_ports(self) -> PortListing:
        """Return what can be opened."""
        return self._system.list_ports()

    def open_input(self, name: str) -> InputPort:
        """Open an input that stamps."""
        return _StampedInput(self._system.open_input(name), self._moments)

    def open_output(self, name: str) -> OutputPort:
        """Open an output that stamps."""
        return _StampedOutput(self._system.open_output(name), self._moments)

    def open_virtual_input(self, name: str) -> InputPort:
        """Make an input that stamps."""
        return _StampedInput(self._system.open_virtual_input(name), self._moments)

    def open_virtual_output(self, name: str) -> OutputPort:
        """Make an output that stamps."""
        return _StampedOutput(self._system.open_virtual_output(name), self._moments)

    def is_alive(self) -> bool:
        """Say whether the system still answers."""
        return self._system.is_alive()

    def wires(self) -> Wires | None:
        """Return who is connected."""
        return self._system.wires()

    @property
    def why_lost(self) -> str:
        """Return why it is no longer alive."""
        return self._system.why_lost

    def restart(self) -> bool:
        """Try to reach the system anew."""
        return self._system.restart()

    def close(self) -> None:
        """Close the system."""
        self._system.close()
