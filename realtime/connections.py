"""The ports that are in use: opened as the settings say, watched, and opened anew when they come back.

It belongs to the engine's thread once that runs; the threads at the two ends own the ports themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass

from loguru import logger

from piano.errors import PortError
from realtime.clock import Clock
from realtime.commands import ChoosePort
from realtime.inbox import PortLost, PortReturned, Received, SystemLost, ThreadFailed
from realtime.midi_input import IsEcho, MidiInput, Thru
from realtime.ports import Direction, InputPort, MidiSystem, OutputPort, PortListing
from realtime.scheduler import Scheduler
from realtime.settings import PortSettings
from realtime.watchdog import Watchdog

Deliver = Callable[[Received | PortLost | PortReturned | SystemLost | ThreadFailed], None]


@dataclass(frozen=True, slots=True)
class OpenPorts:
    """The two ports at the start, and their names for the player."""

    input: InputPort
    output: OutputPort


def open_ports(system: MidiSystem, settings: PortSettings) -> OpenPorts:
    """Open the named ports, or virtual ones where no name is given; PortError says what is wrong."""
    return OpenPorts(_open_input(system, settings), _open_output(system, settings))


def _open_input(system: MidiSystem, settings: PortSettings) -> InputPort:
    if settings.input is None:
        return system.open_virtual_input(settings.virtual_input)
    return system.open_input(settings.input)


def _open_output(system: MidiSystem, settings: PortSettings) -> OutputPort:
    if settings.output is None:
        return system.open_virtual_output(settings.virtual_output)
    return system.open_output(settings.output)


class Connections:
    """Runs the input thread and the watchdog, and mends what breaks."""

    def __init__(
        self,
        system: MidiSystem,
        settings: PortSettings,
        ports: OpenPorts,
        clock: Clock,
        scheduler: Scheduler,
        thru: Thru | None,
        is_echo: IsEcho | None = None,
    ) -> None:
        self._system, self._settings, self._ports = system, settings, ports
        self._clock, self._scheduler = clock, scheduler
        self._thru, self._is_echo = thru, is_echo
        self._deliver: Deliver | None = None
        self._input: MidiInput | None = None
        self._watchdog: Watchdog | None = None
        self.names: tuple[str, str] = (ports.input.name, ports.output.name)
        """What is listened to and played on; for any thread."""

    @property
    def listing(self) -> PortListing | None:
        """Return what there is to connect to, as far as it is known; for any thread."""
        return None if self._watchdog is None else self._watchdog.listing

    def start(self, deliver: Deliver) -> None:
        """Start listening and watching; `deliver` gets all there is to tell, on the threads where it happens."""
        self._deliver = deliver
        self._listen(self._ports.input)
        self._watchdog = Watchdog(self._system, deliver)
        if self._settings.input is not None:
            self._watchdog.watch(Direction.INPUT, self._ports.input.name)
        if self._settings.output is not None:
            self._watchdog.watch(Direction.OUTPUT, self._ports.output.name)
        self._watchdog.start()

    def set_thru(self, thru: Thru | None) -> None:
        """Do something else with the player's messages from the next one on; from any thread."""
        self._thru = thru
        if (listening := self._input) is not None:
            listening.set_thru(self._thru)

    def stop(self) -> None:
        """Stop listening and watching, and close the input."""
        if self._watchdog is not None:
            self._watchdog.stop()
        if self._input is not None:
            self._input.stop()

    def mend(self, report: PortLost | PortReturned | SystemLost | ChoosePort) -> None:
        """Take note of a port that went, came back or is to be another."""
        match report:
            case ChoosePort(direction, name):
                self._choose(direction, name)
            case PortLost(direction, name, reason):
                logger.warning("the MIDI {} {!r} is gone ({}): waiting for it to come back", direction, name, reason)
                if direction is Direction.INPUT and self._input is not None:
                    self._input.stop()
                    self._input = None
                    self._scheduler.release_thru()
                elif direction is Direction.OUTPUT:
                    self._scheduler.set_port(None)
            case PortReturned(direction, name):
                self._reopen(direction, name)
            case SystemLost(api, reason):
                raise PortError(f"the MIDI system {api} has gone: {reason}. Start it again, then pianod")

    def _choose(self, direction: Direction, name: str | None) -> None:
        """Go over to another port; where it cannot be opened all stays as it is."""
        before_in, before_out = self.names
        own = self._settings.virtual_output if direction is Direction.OUTPUT else self._settings.virtual_input
        if (name or own) == self.names[direction is Direction.OUTPUT]:
            return
        try:
            if direction is Direction.INPUT:
                chosen = _open_input(self._system, self._settings.model_copy(update={"input": name}))
                self._listen(chosen)
                self._scheduler.release_thru()
                self.names = (chosen.name, before_out)
            else:
                output = _open_output(self._system, self._settings.model_copy(update={"output": name}))
                self._scheduler.panic()  # nothing sounds on at a port that is left
                self._scheduler.set_port(output)
                self.names = (before_in, output.name)
        except PortError as error:
            logger.warning("{}", error)
            return
        if self._watchdog is not None:
            self._watchdog.watch(direction, None if name is None else self.names[direction is Direction.OUTPUT])
        logger.info("listening on {!r}, playing on {!r}", *self.names)

    def _reopen(self, direction: Direction, name: str) -> None:
        try:
            if direction is Direction.INPUT:
                self._listen(self._system.open_input(name))
            else:
                self._scheduler.set_port(self._system.open_output(name))
        except PortError as error:
            logger.warning("{}", error)
            return
        logger.info("the MIDI {} {!r} is back", direction, name)

    def _listen(self, port: InputPort) -> None:
        if self._deliver is None:
            raise ValueError("connections listen after start")
        if self._input is not None:
            self._input.stop()
        self._input = MidiInput(port, self._clock, self._deliver, thru=self._thru, is_echo=self._is_echo)
        self._input.start()
