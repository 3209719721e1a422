"""The address by which another device opens the panel, as text and as a QR code, and that it is not encrypted."""

import io
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from realtime.panel.guard import Door, host_in_url

if TYPE_CHECKING:
    from segno import QRCode

WARNING = "The connection is not encrypted: who is in this network can read along. Use it in networks you trust."
_FAR_AWAY = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses that are nobody's: asking for the way to one sends nothing."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a visitor from the network opens; the token stands in it."""

    address: str

    def svg(self) -> bytes:
        """Return the QR code as a picture, dark on light."""
        picture = io.BytesIO()
        self._code().save(picture, kind="svg", scale=6, border=3, dark="#0f1116", light="#ffffff", svgclass=None)
        return picture.getvalue()

    def text(self) -> str:
        """Return the QR code for a terminal."""
        picture = io.StringIO()
        self._code().terminal(out=picture, compact=True, border=2)
        return picture.getvalue()

    def _code(self) -> "QRCode":
        import segno

        return segno.make_qr(self.address, error="m")


def invitation_of(door: Door) -> Invitation | None:
    """Return the invitation to a panel that is served to the network; None where it is served to this machine alone."""
    if door.token is None:
        return None
    return Invitation(f"http://{host_in_url(reachable_host(door.host))}:{door.port}/?token={door.token}")


def reachable_host(host: str) -> str:
    """Return a host as others reach it: for one that means every address of this machine, the one on the network."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_FAR_AWAY[family], 9))
        except OSError:  # there is no network
            return host
        return str(probe.getsockname()[0])
