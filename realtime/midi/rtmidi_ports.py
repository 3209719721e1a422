"""The MIDI system of the machine and the ports opened through it, by python-rtmidi.

Four properties of the libraries below shape this file. A JACK server that dies is not reported: messages vanish, port
lists stay as they were, and a flood of messages into the dead server hangs the interpreter; so a heartbeat of our own
travels through the server, and while it stops nothing is sent. A server that is merely busy stops it too: it is dead
when it says so (`realtime.midi.wires`), or when it has been silent for long. Opening a client after such a death
frees the old clients under their owners' feet, and their next use is a crash; so nothing is opened before an answer
to the heartbeat, and a dead system must be closed before another is opened. A client of JACK that takes a port out of
its list while its other thread walks that list, because someone else has just come or gone, crashes; so devices are
made and closed one at a time, and closed after a pause in which whatever the last change set off has been dealt with.
Callbacks lose messages in bursts; so inputs are polled.
"""

import os
import re
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from loguru import logger

from piano.errors import PortError
from realtime.midi.heartbeat import PATIENCE_NS, Heartbeat
from realtime.midi.ports import Direction, PortListing, Wires, find_port
from realtime.midi.rtmidi_devices import RtmidiInput, RtmidiOutput, RtmidiPort
from realtime.midi.rtmidi_library import AUTO, log_fault, missing_library, no_system, quiet_libraries, rtmidi
from realtime.midi.wires import AlsaWires, JackWires, WireWatch

_CONSTANTS = {"alsa": "LINUX_ALSA", "jack": "UNIX_JACK", "core": "MACOSX_CORE", "windows": "WINDOWS_MM"}

APIS: dict[str, int] = {name: getattr(rtmidi, f"API_{constant}", -1) for name, constant in _CONSTANTS.items()}
"""The MIDI systems by the names that the setting takes, in order of preference."""

QUEUE_LENGTH = 8192
DEAD_AFTER_NS = 10_000_000_000
"""A server that would say so if it ended, and says nothing, is given up after so long a silence."""
DOUBTED_FOR_S = 4.0
"""So long a system that gives no answer is waited for, in seconds, before a port is not opened or ports not listed."""

SETTLING_S = 0.03
"""What a change among JACK's clients sets off in the others is over long before this."""

_changing = threading.Lock()
"""Held by whoever in this process makes or closes a device: one at a time."""

_ALSA_SEQUENCER = Path("/dev/snd/seq")
_WATCH = re.compile(r"-watch-\d+-(in|out)\b")
"""The ports of a heartbeat, of this process or another: nobody's instrument."""


P = TypeVar("P", bound=RtmidiPort)


class RtmidiSystem:
    """One MIDI system of the machine and the ports opened through it.

    A process holds one at a time. After `is_alive` has said no, close it, then open another.
    """

    def __init__(self, api: str, client: str = "pianod") -> None:
        if api not in APIS:
            raise PortError(f"there is no MIDI API {api!r}; there are: {', '.join((AUTO, *APIS))}")
        if missing_library:
            raise PortError(no_system(api, missing_library))
        if api not in available_apis():
            raise PortError(f"the MIDI API {api!r} is not available here; there are: {', '.join(available_apis())}")
        if api == "alsa" and not _ALSA_SEQUENCER.exists():
            raise PortError(no_system(api, missing_library))
        self._api = api
        self._client = client
        self._watch = f"{client}-watch-{os.getpid()}"
        self._ports: list[RtmidiPort] = []
        self._lock = threading.Lock()
        self._is_closed = False
        self.is_dead = False
        self.is_in_doubt = False
        """Whether it is silent and may be busy: nothing is sent then."""
        self.why_lost = ""
        self._lister_in = self._make(rtmidi.MidiIn, f"{self._watch}-in")
        self._lister_out = self._make(rtmidi.MidiOut, f"{self._watch}-out")
        self._heartbeat = self._start_heartbeat() if api == "jack" else None
        self._wire_watch = self._watch_wires()

    @property
    def api(self) -> str:
        """Return the name of the MIDI system."""
        return self._api

    def list_ports(self) -> PortListing:
        """Return the ports of other programs and of the instruments."""
        with self._lock:
            self._check_open()
            inputs, outputs = self._lister_in.get_ports(), self._lister_out.get_ports()
        return PortListing(
            api=self._api,
            inputs=tuple(name for name in inputs if name and not _WATCH.search(name)),
            outputs=tuple(name for name in outputs if name and not _WATCH.search(name)),
            has_virtual=self._api != "windows",
        )

    def open_input(self, name: str) -> RtmidiInput:
        """Open the input whose name is, or else contains, `name`."""
        return self._open(RtmidiInput, Direction.INPUT, name, virtual=False)

    def open_output(self, name: str) -> RtmidiOutput:
        """Open the output whose name is, or else contains, `name`."""
        return self._open(RtmidiOutput, Direction.OUTPUT, name, virtual=False)

    def open_virtual_input(self, name: str) -> RtmidiInput:
        """Make an input that other programs connect to; on JACK it appears as `<client>-in:<name>`."""
        return self._open(RtmidiInput, Direction.INPUT, name, virtual=True)

    def open_virtual_output(self, name: str) -> RtmidiOutput:
        """Make an output that other programs connect to; on JACK it appears as `<client>-out:<name>`."""
        return self._open(RtmidiOutput, Direction.OUTPUT, name, virtual=True)

    def is_alive(self) -> bool:
        """Say whether the system still answers; once it is dead, never again.

        A second of silence is death, where the system does not say itself that it ends; else it is doubt for a while.
        """
        with self._lock:
            if self._is_closed or self.is_dead:
                return False
            if self._heartbeat is not None:
                self._judge(self._heartbeat.silent_ns())
        return not self.is_dead

    def wires(self) -> Wires | None:
        """Return who is connected to our ports now; None where that cannot be known."""
        with self._lock:
            if self._is_closed or self.is_dead or self._wire_watch is None:
                return None
            return self._wire_watch.look()

    def restart(self) -> bool:
        """Say no once it is dead: within a process that held its ports, this library cannot reach it again."""
        return not self.is_dead and not self._is_closed

    def close(self) -> None:
        """Close every port and leave the system; on a dead JACK this takes a second for each output."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            for port in self._ports:
                port.destroy()
            if self._wire_watch is not None:
                with _changing:
                    self._wire_watch.close()
            self.let_go(self._lister_in)
            self.let_go(self._lister_out)

    def let_go(self, device: Any) -> None:
        with _changing:
            if self._api == "jack":
                time.sleep(SETTLING_S)
            device.close_port()
            device.delete()

    def death_notice(self, what: str) -> str:
        return f"{what}: the MIDI system {self._api} no longer answers; start it again"

    def _open(self, kind: type[P], direction: Direction, name: str, *, virtual: bool) -> P:
        """Open a port of either kind, by a name that is looked up or as one of our own."""
        if virtual and self._api == "windows":
            raise PortError(
                f"cannot make the MIDI {direction} {name!r}: Windows has no virtual ports. Install loopMIDI, make a "
                f"port there and give its name, or give the name of an instrument (`pianod ports` lists them)"
            )
        listing = self.list_ports()
        index = 0 if virtual else find_port(listing, direction, name)
        shown = name if virtual else listing.names(direction)[index]
        with self._lock:
            self._check_open()
            is_input = direction is Direction.INPUT
            device = self._make(rtmidi.MidiIn if is_input else rtmidi.MidiOut, f"{self._client}-{direction[:-3]}")
            before = self._all_ports()
            try:
                with _changing:
                    if virtual:
                        device.open_virtual_port(name)
                    else:
                        device.open_port(device.get_ports().index(shown), direction[:-3])
            except (rtmidi.RtMidiError, ValueError) as error:
                self.let_go(device)
                raise PortError(f"cannot open the MIDI {direction} {shown!r}: {error}; is it in use?") from error
            if virtual and self._wire_watch is not None:
                for new in self._all_ports() - before:
                    if new.startswith(self._client) and new.endswith(f":{name}"):
                        self._wire_watch.watch(new)
            port = kind(self, device, direction, shown)
            self._ports.append(port)
            return port

    def _make(self, kind: Any, client: str) -> Any:
        """Make a device of rtmidi that ignores no message."""
        limit = {"queue_size_limit": QUEUE_LENGTH} if kind is rtmidi.MidiIn else {}
        try:
            with _changing, quiet_libraries():
                device = kind(APIS[self._api], client, **limit)
        except rtmidi.RtMidiError as error:
            raise PortError(no_system(self._api, missing_library)) from error
        device.set_error_callback(log_fault)
        if kind is rtmidi.MidiIn:
            device.ignore_types(sysex=False, timing=False, active_sense=False)
        return device

    def _start_heartbeat(self) -> Heartbeat:
        with _changing:
            self._lister_out.open_virtual_port("beat")
        until_s = time.monotonic() + DOUBTED_FOR_S
        while not (ours := self._own_beat()):
            if time.monotonic() >= until_s:
                raise PortError(self.death_notice("cannot reach the MIDI ports"))
            time.sleep(SETTLING_S)
        with _changing:
            self._lister_in.open_port(ours[-1], "beat")
        return Heartbeat(self._lister_out, self._lister_in)

    def _own_beat(self) -> list[int]:
        """Return which of the ports that are listed is ours for the heartbeat; a busy system lists it late."""
        listed = enumerate(self._lister_in.get_ports())  # a port that goes meanwhile has no name
        return [index for index, name in listed if name and f"{self._watch}-out" in name]

    def _check_open(self) -> None:
        """Raise PortError unless the system is known to answer at this moment; the caller holds the lock.

        One that is in doubt is waited for, since on a busy machine all is slow.
        """
        if self._is_closed:
            raise PortError(f"the MIDI system {self._api} is closed")
        until_s = time.monotonic() + DOUBTED_FOR_S
        while not self.is_dead and self._heartbeat is not None:
            self._judge(0 if self._heartbeat.wait() else self._heartbeat.silent_ns())
            if not self.is_in_doubt or time.monotonic() >= until_s:
                break
        if self.is_dead or self.is_in_doubt:
            raise PortError(self.death_notice("cannot reach the MIDI ports"))

    def _judge(self, silent_ns: int) -> None:
        """Conclude from a silence whether the system is dead, or in doubt; the caller holds the lock."""
        watch = self._wire_watch
        has_ended = isinstance(watch, JackWires) and watch.has_ended
        if has_ended:
            self.why_lost = "it has ended"
        elif silent_ns >= (PATIENCE_NS if watch is None else DEAD_AFTER_NS):
            self.why_lost = f"it has not answered for {silent_ns / 1e9:.0f} s"
        self.is_dead = bool(self.why_lost)
        self.is_in_doubt = silent_ns >= PATIENCE_NS and not self.is_dead

    def _all_ports(self) -> frozenset[str]:
        return frozenset() if self._wire_watch is None else self._wire_watch.ports()

    def _watch_wires(self) -> WireWatch | None:
        if self._api == "alsa":
            return AlsaWires(self._client)
        if self._api != "jack":
            return None
        try:
            with _changing, quiet_libraries():
                return JackWires(f"{self._watch}-wires")
        except OSError as error:
            logger.debug("who is connected to our ports cannot be known: {}", error)
            return None


def available_apis() -> tuple[str, ...]:
    """Return the names of the MIDI systems that this build of rtmidi can use."""
    compiled = rtmidi.get_compiled_api() if rtmidi is not None else ()
    return tuple(name for name, number in APIS.items() if number in compiled)


def open_system(api: str = AUTO, client: str = "pianod") -> RtmidiSystem:
    """Open a MIDI system by name, or the first that works; PortError says what to install if there is none."""
    if api != AUTO:
        return RtmidiSystem(api, client)
    for name in available_apis():
        with suppress(PortError):
            return RtmidiSystem(name, client)
    raise PortError(no_system(AUTO, missing_library))


def list_ports(api: str = AUTO) -> PortListing:
    """Return the ports there are, for `pianod ports`."""
    system = open_system(api)
    try:
        return system.list_ports()
    finally:
        system.close()
