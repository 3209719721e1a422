"""Any bytes on the panel's socket leave the panel serving the others: `python -m tests.fuzz.frames --seconds 60`.

The first byte says what the rest is: what a stranger sends in place of a request of HTTP, bytes after the handshake of
a WebSocket, or frames with masks of their own, whose first byte each is the byte of the frame: final or not, kind.
"""

import json
import logging
import socket
from collections.abc import Iterator
from http.client import HTTPConnection

from realtime.panel.server import PanelServer
from tests.fuzz.drive import fuzz
from tests.realtime.panel.stage import Stage

INSTRUMENTED = ("realtime.panel.app", "realtime.panel.guard", "realtime.panel.page_link", "realtime.control.protocol")

HTTP, RAW, FRAMES = b"h", b"r", b"f"
WITHIN_S = 30.0
"""Longer is a hang."""
BETWEEN = b"\xfe\xff"
"""What stands between two frames in an input."""

_MASK = b"\x01\x02\x03\x04"
_HANDSHAKE = (
    "GET /api/live HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Panel:
    """A panel that is served, and what went wrong inside it."""

    def __init__(self) -> None:
        self.stage = Stage(panel_port=0)
        self.stage.play.__enter__()
        self.server = PanelServer(self.stage.settings, self.stage.controls)
        self.server.__enter__()
        self.faults: list[str] = []
        watcher = logging.Handler(logging.ERROR)
        watcher.emit = lambda record: self.faults.append(logging.Formatter().format(record))  # type: ignore[method-assign]
        logging.getLogger("uvicorn").addHandler(watcher)
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        self.place = self.server.address.removeprefix("http://").rstrip("/")

    def send(self, data: bytes) -> bytes:
        """Send bytes as a stranger, say no more, and return all that comes until the panel hangs up."""
        host, _, port = self.place.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=WITHIN_S) as stranger:
            answer = b""
            try:
                stranger.sendall(data)
                stranger.shutdown(socket.SHUT_WR)
                while got := stranger.recv(65_536):
                    answer += got
            except (ConnectionError, BrokenPipeError):
                pass  # it hung up before it had read all
        return answer

    def is_served(self) -> bool:
        """Say whether the others are served."""
        connection = HTTPConnection(self.place, timeout=WITHIN_S)
        connection.request("GET", "/api/status")
        status = json.loads(connection.getresponse().read())
        connection.close()
        return bool(status["type"] == "status")

    def close(self) -> None:
        """End it."""
        self.server.__exit__(None, None, None)
        self.stage.play.__exit__(None, None, None)


_PANELS: list[Panel] = []


def panel() -> Panel:
    """Return one panel for all inputs."""
    if not _PANELS:
        _PANELS.append(Panel())
    return _PANELS[0]


def check(data: bytes) -> None:
    """Send the bytes; whatever becomes of that connection, the panel goes on."""
    served = panel()
    kind, rest = data[:1], data[1:]
    if kind != HTTP:
        body = rest if kind == RAW else b"".join(frame(part) for part in rest.split(BETWEEN))
        rest = _HANDSHAKE.format(host=served.place).encode() + body
    answer = served.send(rest)
    if answer and not answer.startswith(b"HTTP/1.1 "):
        raise AssertionError(f"an answer that is none of HTTP: {answer[:80]!r}")
    if not served.is_served():
        raise AssertionError("the panel serves nobody any more")
    if served.faults:
        raise AssertionError(served.faults.pop())


def frame(part: bytes) -> bytes:
    """Return a frame of a client's; its first byte is the input's, the length and the mask are right."""
    head, payload = part[:1] or b"\x81", part[1:]
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2)
    masked = bytes(byte ^ _MASK[at % 4] for at, byte in enumerate(payload))
    return head + length + _MASK + masked


def seeds() -> Iterator[bytes]:
    """Yield conversations to begin with."""
    request = json.dumps({"version": 1, "id": 1, "command": "play", "midi": ["903c40", "b0407f"]}).encode()
    yield HTTP + b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    yield HTTP + b"POST /api/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n{}"
    yield HTTP + b"GET /" + b"a" * 3000 + b" HTTP/9.9\r\n\r\n"
    yield HTTP + b"\x16\x03\x01\x02\x00\x01"
    yield FRAMES + b"\x81" + request
    yield FRAMES + BETWEEN.join((b"\x01" + request[:20], b"\x00" + request[20:40], b"\x80" + request[40:]))
    yield FRAMES + BETWEEN.join((b"\x89ping", b"\x8apong", b"\x82\x00\xff binary", b"\x81\xc3\x28", b"\x88\x03\xe8"))
    yield FRAMES + BETWEEN.join(b"\x81" + request for _ in range(20))
    yield FRAMES + b"\xc1" + request
    yield RAW + b"\x81\xff" + b"\x7f" * 8 + _MASK
    yield RAW + b"\x81\x05hello"
    yield RAW + frame(b"\x81" + request)[:-3]


if __name__ == "__main__":
    fuzz("frames", check, seeds(), INSTRUMENTED)
