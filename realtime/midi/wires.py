"""Who is connected to our ports, by what the MIDI system says of itself: JACK by its library, ALSA by a file.

The port library (rtmidi) tells neither who is connected nor that a JACK server has ended. Here both are asked for, with
a client of our own that has no port and hears no message.
"""

import ctypes
import ctypes.util
import re
from pathlib import Path
from typing import Any, Protocol

from realtime.midi.ports import Wires

ALSA_CLIENTS = Path("/proc/asound/seq/clients")

_LOADED = Path("/proc/self/maps")
_NO_START_SERVER = 0x01
_PORT_IS_INPUT = 0x1
_MIDI_TYPE = b"8 bit raw midi"
_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class WireWatch(Protocol):
    """Tells who is connected to the ports of this process."""

    has_ended: bool
    """Whether the system has said that it ends."""

    def ports(self) -> frozenset[str]:
        """Return the names of all ports there are, to find out which is new."""
        ...

    def watch(self, name: str) -> None:
        """Look at a port of ours from now on, by its whole name."""
        ...

    def look(self) -> Wires | None:
        """Return who is connected now; None where that cannot be known."""
        ...

    def close(self) -> None:
        """Look no more."""
        ...


class JackWires:
    """The connections of this process's ports on a JACK server. Not safe for threads."""

    def __init__(self, name: str) -> None:
        """Become a client by this name; OSError where the library or the server is missing."""
        self._lib = _jack_library()
        self._ours: set[str] = set()
        self.has_ended = False
        self._on_shutdown = _CALLBACK(self._end)  # kept: the library calls it
        self._client = self._lib.jack_client_open(name.encode(), _NO_START_SERVER, None)
        if not self._client:
            raise OSError("there is no JACK server")
        self._lib.jack_on_shutdown(self._client, self._on_shutdown, None)

    def ports(self) -> frozenset[str]:
        """Return the names of all MIDI ports."""
        return frozenset(self._names(self._lib.jack_get_ports(self._client, None, _MIDI_TYPE, 0)))

    def watch(self, name: str) -> None:
        """Look at a port of ours from now on."""
        self._ours.add(name)

    def look(self) -> Wires | None:
        """Return who is connected to our ports."""
        if self.has_ended:
            return None
        found: dict[bool, set[str]] = {True: set(), False: set()}
        for name in self._ours:
            port = self._lib.jack_port_by_name(self._client, name.encode())
            if port:
                is_input = bool(self._lib.jack_port_flags(port) & _PORT_IS_INPUT)
                found[is_input].update(self._names(self._lib.jack_port_get_all_connections(self._client, port)))
        return Wires(players=frozenset(found[True]), listeners=frozenset(found[False]))

    def close(self) -> None:
        """Leave the server, unless it has ended: then there is nobody to take leave of."""
        if self._client and not self.has_ended:
            self._lib.jack_client_close(self._client)
        self._client = None

    def _names(self, array: Any) -> list[str]:
        if not array:
            return []
        names = []
        index = 0
        while array[index] is not None:
            names.append(array[index].decode("utf-8", "replace"))
            index += 1
        self._lib.jack_free(array)
        return names

    def _end(self, _argument: object) -> None:
        self.has_ended = True


def _jack_library() -> Any:
    """Return the library with the types of what is called; OSError where there is none, or an old one.

    The copy that the port library has loaded comes first: two copies in one process get in each other's way, and
    leaving the server then hangs in about one of four times.
    """
    lib = ctypes.CDLL(_loaded_library("libjack") or ctypes.util.find_library("jack") or "libjack.so.0")
    names = ctypes.POINTER(ctypes.c_char_p)
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "jack_client_open": (ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]),
        "jack_client_close": (ctypes.c_int, [ctypes.c_void_p]),
        "jack_on_shutdown": (None, [ctypes.c_void_p, _CALLBACK, ctypes.c_void_p]),
        "jack_get_ports": (names, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong]),
        "jack_port_by_name": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]),
        "jack_port_get_all_connections": (names, [ctypes.c_void_p, ctypes.c_void_p]),
        "jack_port_flags": (ctypes.c_int, [ctypes.c_void_p]),
        "jack_free": (None, [ctypes.c_void_p]),
    }
    for name, (result, arguments) in signatures.items():
        try:
            function = getattr(lib, name)
        except AttributeError as error:
            raise OSError(f"the JACK library knows no {name}") from error
        function.restype, function.argtypes = result, arguments
    return lib


def _loaded_library(name: str) -> str | None:
    """Return the path of a library that this process has loaded already, by the beginning of its file's name."""
    try:
        lines = _LOADED.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # no Linux
        return None
    paths = (line.split(maxsplit=5)[5] for line in lines if line.count("/"))
    return next((path for path in paths if Path(path).name.startswith(name)), None)


class AlsaWires:
    """The connections of this process's ports on ALSA's sequencer, whose clients are known by their name."""

    has_ended = False

    def __init__(self, client: str, place: Path = ALSA_CLIENTS) -> None:
        self._client, self._place = client, place

    def ports(self) -> frozenset[str]:
        """Return nothing: our ports are known by the names of their clients."""
        return frozenset()

    def watch(self, name: str) -> None:
        """Do nothing, for the same reason."""

    def look(self) -> Wires | None:
        """Return who is connected, by the numbers that ALSA gives clients and ports."""
        try:
            text = self._place.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        return alsa_wires(text, self._client)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def alsa_wires(text: str, client: str) -> Wires:
    """Return who is connected to the ports of `<client>-in` and `<client>-out` by ALSA's list of clients."""
    found: dict[str, set[str]] = {"Connected From": set(), "Connecting To": set()}
    owner = ""
    for line in text.splitlines():
        if match := re.match(r'Client\s+\d+\s*:\s*"(.*)"\s*\[', line):
            owner = match[1]
            continue
        what, _, others = line.strip().partition(":")
        way = {f"{client}-in": "Connected From", f"{client}-out": "Connecting To"}.get(owner)
        if what == way:
            found[what] |= {other.strip().partition("[")[0] for other in others.split(",") if other.strip()}
    return Wires(frozenset(found["Connected From"]), frozenset(found["Connecting To"]))
