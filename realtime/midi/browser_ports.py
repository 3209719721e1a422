"""A MIDI system for a machine that has none: the page is the keyboard and the sound, the ports lead nowhere.

What a page plays goes into the engine's inbox, what it hears it reads from the history: nothing passes these ports.
"""

from piano.errors import PortError
from realtime.midi.memory_ports import MemoryInputPort, SilentOutputPort
from realtime.midi.ports import PortListing, Wires

NAME = "browser"


class BrowserSystem:
    """A MIDI system without any ports of its own. See `realtime.midi.ports.MidiSystem`."""

    api = NAME

    def list_ports(self) -> PortListing:
        """Return that there is nothing to connect to."""
        return PortListing(api=self.api, inputs=(), outputs=(), has_virtual=True)

    def open_input(self, name: str) -> MemoryInputPort:
        """Refuse: there are no named ports."""
        raise PortError(f"no MIDI input port named {name!r}: there is no MIDI system")

    def open_output(self, name: str) -> SilentOutputPort:
        """Refuse: there are no named ports."""
        raise PortError(f"no MIDI output port named {name!r}: there is no MIDI system")

    def open_virtual_input(self, name: str) -> MemoryInputPort:  # noqa: ARG002 - the page has one keyboard
        """Return an input on which nothing ever arrives."""
        return MemoryInputPort(NAME)

    def open_virtual_output(self, name: str) -> SilentOutputPort:  # noqa: ARG002 - and one sound
        """Return an output that leads nowhere."""
        return SilentOutputPort(NAME)

    def is_alive(self) -> bool:
        """Say that it is."""
        return True

    @property
    def why_lost(self) -> str:
        """Return nothing: it is never lost."""
        return ""

    def wires(self) -> Wires | None:
        """Return that nobody knows who is connected."""
        return None

    def restart(self) -> bool:
        """Say that there was no need."""
        return True

    def close(self) -> None:
        """Do nothing."""
