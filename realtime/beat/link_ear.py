"""Whether others have Ableton Link switched on: what they announce of themselves is heard, nothing is said.

Each peer announces itself several times a second to a multicast address of its own; an announcement begins with the
name of the protocol, its version and a kind (`ableton/discovery/v1` in Link's sources).
"""

import contextlib
import socket
import struct

_GROUP, _PORT = "224.76.78.75", 20808
_ALIVE = b"_asdp_v\x01\x01"
_LONGEST = 512


class LinkEar:
    """Listens on all interfaces; OSError where there is no network."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "SO_REUSEPORT"):
                with contextlib.suppress(OSError):
                    self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self._socket.bind(("", _PORT))
            self._join_all()
            self._socket.setblocking(False)
        except OSError:
            self._socket.close()
            raise

    def _join_all(self) -> None:
        """Take part in the group on every interface; OSError if on none."""
        joined = 0
        for index, _ in socket.if_nameindex():
            request = struct.pack("4s4si", socket.inet_aton(_GROUP), bytes(4), index)
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
                joined += 1
        if not joined:
            anywhere = struct.pack("4s4s", socket.inet_aton(_GROUP), bytes(4))
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, anywhere)

    def hears(self) -> bool:
        """Say whether a peer announced itself since it was asked last; never waits."""
        is_heard = False
        while True:
            try:
                is_heard |= self._socket.recv(_LONGEST).startswith(_ALIVE)
            except BlockingIOError:
                return is_heard

    def close(self) -> None:
        self._socket.close()
