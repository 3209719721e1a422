"""The ports that are in use: opened as the settings say, watched, and opened anew when they come back.

It belongs to the engine's thread once that runs; the threads at the two ends own the ports themselves.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from loguru import logger

from piano.errors import PortError
from realtime.engine.commands import ChoosePort
from realtime.engine.messages import PortReport
from realtime.midi.browser_ports import BrowserSystem
from realtime.midi.gone_ports import SYSTEM, GonePorts
from realtime.midi.input_thread import InputStatus, IsEcho, MidiInput, OnClock, Thru
from realtime.midi.port_events import (
    ListenersGone,
    PlayerGone,
    PortLost,
    PortReturned,
    Received,
    Stalled,
    SystemLost,
    SystemReturned,
    ThreadFailed,
    ThreadRevived,
)
from realtime.midi.ports import Direction, InputPort, MidiSystem, OutputPort, PortListing, Wires, steady
from realtime.midi.watchdog import Watchdog
from realtime.output.scheduler import Scheduler
from realtime.settings import PortGroup, Settings
from realtime.threads.clock import Clock

Deliver = Callable[[Received | PortReport | ThreadFailed], None]


@dataclass(frozen=True, slots=True)
class OpenPorts:
    """The two ports at the start, and their names for the player."""

    input: InputPort
    output: OutputPort


def open_ports(system: MidiSystem, settings: PortGroup) -> OpenPorts:
    """Open the named ports, or virtual ones where no name is given; PortError says what is wrong."""
    return OpenPorts(_open_input(system, settings), _open_output(system, settings))


def with_own_names(system: MidiSystem, settings: Settings) -> Settings:
    """Return the settings with names for our virtual ports that nobody has: a second pianod has ports of its own.

    It says so, since whoever looks for the usual names finds those of the first.
    """
    try:
        listing = system.list_ports()
    except PortError:
        return settings
    there = {steady(name).rpartition(":")[2] for name in (*listing.inputs, *listing.outputs)}
    own = {"virtual_input": settings.input, "virtual_output": settings.output}
    names = {field: str(getattr(settings, field)) for field, chosen in own.items() if chosen is None}
    if listing.api == BrowserSystem.api or not there & set(names.values()):
        return settings
    number = next(n for n in range(2, 1000) if not there & {f"{name} {n}" for name in names.values()})
    changed = {field: f"{name} {number}" for field, name in names.items()}
    logger.warning(
        "another pianod is running, or one that was not ended: the ports of this one are {}",
        " and ".join(changed.values()),
    )
    return settings.model_copy(update=changed)


def _open_input(system: MidiSystem, settings: PortGroup) -> InputPort:
    if settings.input is None:
        return system.open_virtual_input(settings.virtual_input)
    return system.open_input(settings.input)


def _open_output(system: MidiSystem, settings: PortGroup) -> OutputPort:
    if settings.output is None:
        return system.open_virtual_output(settings.virtual_output)
    return system.open_output(settings.output)


class Connections:
    """Runs the input thread and the watchdog, and mends what breaks."""

    def __init__(
        self,
        system: MidiSystem,
        settings: PortGroup,
        ports: OpenPorts,
        clock: Clock,
        scheduler: Scheduler,
        thru: Thru | None,
        is_echo: IsEcho | None = None,
        on_clock: OnClock | None = None,
    ) -> None:
        self._system, self._settings, self._ports = system, settings, ports
        self._clock, self._scheduler = clock, scheduler
        self._thru, self._is_echo, self._on_clock = thru, is_echo, on_clock
        self._deliver: Deliver | None = None
        self._input: MidiInput | None = None
        self._watchdog: Watchdog | None = None
        self.names: tuple[str, str] = (ports.input.name, ports.output.name)
        """What is listened to and played on; for any thread."""
        self.gone = GonePorts()
        """What was connected and is not any more."""

    @property
    def listing(self) -> PortListing | None:
        """Return what there is to connect to, as far as it is known; for any thread."""
        return None if self._watchdog is None else self._watchdog.listing

    @property
    def input_status(self) -> InputStatus | None:
        """Return what has come in since the input port was opened; for any thread."""
        return None if self._input is None else self._input.status()

    @property
    def wires(self) -> Wires | None:
        """Return who is connected to our ports, as far as it is known; for any thread."""
        return None if self._watchdog is None else self._watchdog.wires

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

    def mend(self, report: PortReport) -> None:
        """Take note of a port that went, came back or is to be another; what that ends has been silenced before."""
        match report:
            case ChoosePort(direction, name):
                self._choose(direction, name)
            case PortLost(direction, name, reason):
                self._lose(direction, name, reason)
            case PortReturned(direction, name):
                if name == self.names[direction is Direction.OUTPUT]:
                    self._reopen(direction)
            case PlayerGone(name, reason):
                if name != self.names[0]:  # not of our port, at which a keyboard has fallen silent
                    self.gone.lost(Direction.INPUT, name, returns=False)
                logger.warning("{!r} is gone ({}): what was held is released", name, reason)
            case ListenersGone(names):
                self.gone.lost(Direction.OUTPUT, ", ".join(names), returns=False)
                what = ", ".join(map(repr, names))
                logger.warning("nobody listens to {!r} any more ({} has gone): the model stops", self.names[1], what)
            case SystemLost(api, reason):
                at = time.strftime("%H:%M:%S")
                logger.warning("the MIDI system {} has gone ({}; {}): waiting for it to come back", api, reason, at)
                self._note_loss_of_all(api)
                self._release_port(Direction.INPUT)
                self._release_port(Direction.OUTPUT)
            case SystemReturned(api):
                self.gone.back(SYSTEM)
                logger.info("the MIDI system {} is back", api)
                self._reopen(Direction.INPUT)
                self._reopen(Direction.OUTPUT)
            case Stalled(gap_ns):
                logger.warning("it stood still for {:.0f} s: all that sounded is released", gap_ns / 1e9)
            case ThreadRevived(direction, reason):
                logger.error("a fault at the MIDI {} ({}): what sounded is released; play on", direction, reason)

    def _lose(self, direction: Direction, name: str, reason: str) -> None:
        """Do without a port until it is there again; one of our own is made anew."""
        if name != self.names[direction is Direction.OUTPUT]:
            return  # it was exchanged meanwhile
        logger.warning("the MIDI {} {!r} is gone ({}): waiting for it to come back", direction, name, reason)
        self._release_port(direction)
        if self._chosen(direction) is None:
            self._reopen(direction)
        else:
            self.gone.lost(direction, name, returns=True)

    def _note_loss_of_all(self, api: str) -> None:
        """Note that a MIDI system went, and with it what was connected."""
        wires = self.wires or Wires()
        self.gone.lost(SYSTEM, api, returns=True)
        for direction, name, others in zip(Direction, self.names, (wires.players, wires.listeners), strict=True):
            is_chosen = self._chosen(direction) is not None
            if is_chosen or others:
                self.gone.lost(direction, name if is_chosen else ", ".join(sorted(others)), returns=is_chosen)

    def _release_port(self, direction: Direction) -> None:
        """Close a port, and end what it leaves behind: keys that nobody will lift, notes that nobody will hear."""
        chosen = self._chosen(direction)
        if self._watchdog is not None and chosen is not None:
            self._watchdog.watch(direction, self.names[direction is Direction.OUTPUT], is_there=False)
        if direction is Direction.OUTPUT:
            self._scheduler.set_port(None)
        elif self._input is not None:
            self._input.stop()
            self._input = None
            self._scheduler.release_thru()

    def _chosen(self, direction: Direction) -> str | None:
        """Return the name that the settings, or the player since, gave a port; None is one of our own making."""
        return self._settings.input if direction is Direction.INPUT else self._settings.output

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
        self._settings = self._settings.model_copy(update={str(direction): name})
        self.gone.back(direction)
        if self._watchdog is not None:
            self._watchdog.watch(direction, None if name is None else self.names[direction is Direction.OUTPUT])
        logger.info("listening on {!r}, playing on {!r}", *self.names)

    def _reopen(self, direction: Direction) -> None:
        """Open a port of ours again; where it is not there yet the watchdog says when it is."""
        chosen = self._chosen(direction)
        settings = self._settings
        if chosen is not None:  # by its whole name, not that part of it which another might have too
            settings = settings.model_copy(update={str(direction): steady(self.names[direction is Direction.OUTPUT])})
        try:
            if direction is Direction.INPUT:
                port = _open_input(self._system, settings)
                name, self.names = port.name, (port.name, self.names[1])
                self._listen(port)
            else:
                output = _open_output(self._system, settings)
                name, self.names = output.name, (self.names[0], output.name)
                self._scheduler.set_port(output)
        except PortError as error:
            logger.debug("{}", error)
            return
        if chosen is not None:
            self.gone.back(direction)
            if self._watchdog is not None:
                self._watchdog.watch(direction, name)
        anew = "" if chosen is not None else "; connect to it anew: what was connected to it went with it"
        logger.info("the MIDI {} {!r} is back{}", direction, name, anew)

    def _listen(self, port: InputPort) -> None:
        if self._deliver is None:
            raise ValueError("connections listen after start")
        if self._input is not None:
            self._input.stop()
        self._input = MidiInput(
            port, self._clock, self._deliver, thru=self._thru, is_echo=self._is_echo, on_clock=self._on_clock
        )
        self._input.start()
