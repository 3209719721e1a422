"""One port of the machine: a device of python-rtmidi, its lock, and its end."""

import threading
import time
from typing import Any, Protocol

from piano.errors import PortError
from realtime.midi.ports import POLL_S, Direction
from realtime.midi.rtmidi_library import rtmidi


class PortOwner(Protocol):
    """What a port asks of the system that it was opened through, `realtime.midi.rtmidi_ports.RtmidiSystem`."""

    is_dead: bool
    is_in_doubt: bool

    def let_go(self, device: Any) -> None:
        """Close a device of rtmidi, when nothing else moves."""

    def death_notice(self, what: str) -> str:
        """Say that something is gone because the system is dead."""


class RtmidiPort:
    """What both directions share: the device of rtmidi, its lock, and its end."""

    def __init__(self, system: PortOwner, device: Any, direction: Direction, name: str) -> None:
        self._system = system
        self._device = device
        self._direction = direction
        self._name = name
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def name(self) -> str:
        return self._name

    def close(self) -> None:
        """Let what was sent go out and close; on a dead system this is left to the system, since it takes a second."""
        if not self._system.is_dead:
            self.destroy()

    def destroy(self) -> None:
        """Close in any case."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._system.let_go(self._device)

    def _check(self) -> None:
        """Raise PortError if the port no longer works; the caller holds the lock."""
        if self._is_closed:
            raise PortError(f"MIDI {self._direction} {self._name!r} is closed")
        if self._system.is_dead:
            raise PortError(self._system.death_notice(f"MIDI {self._direction} {self._name!r} has gone"))

    def _check_for_sending(self) -> None:
        """Raise PortError if nothing may be sent now; the caller holds the lock."""
        self._check()
        if self._system.is_in_doubt:
            raise PortError(f"MIDI {self._direction} {self._name!r} has to wait: the MIDI system does not answer")


class RtmidiInput(RtmidiPort):
    """An input of the machine."""

    arrived_ns: int | None = None

    def poll(self) -> bytes | None:
        """Return the next whole message, or None."""
        with self._lock:
            self._check()
            message = self._device.get_message()
        return None if message is None else bytes(message[0])

    def wait(self) -> None:
        """Wait a moment: the library cannot tell when something arrives."""
        time.sleep(POLL_S)


class RtmidiOutput(RtmidiPort):
    """An output of the machine."""

    def send(self, data: bytes) -> None:
        """Send one whole message."""
        with self._lock:
            self._check_for_sending()
            try:
                self._device.send_message(data)
            except (rtmidi.RtMidiError, ValueError) as error:
                raise PortError(f"MIDI output {self._name!r} refuses a message: {error}") from error
