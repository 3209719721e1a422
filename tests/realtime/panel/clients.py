"""What asks a panel on a real socket: a script by HTTP, a page by its live socket."""

import json
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from websockets.sync.client import ClientConnection, connect

from realtime.panel.server import PanelServer

WITHIN_S = 90


def place(server: PanelServer) -> str:
    return server.address.removeprefix("http://").rstrip("/")


def get(
    server: PanelServer, path: str, method: str = "GET", body: bytes = b"", at: str | None = None, **headers: str
) -> tuple[int, bytes]:
    connection = HTTPConnection(at or place(server), timeout=WITHIN_S)
    try:
        sent = {"X-Pianod": "1"} | {name.replace("_", "-"): text for name, text in headers.items()}
        connection.request(method, path, body or None, sent)
        answer: HTTPResponse = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def live(server: PanelServer, **options: Any) -> ClientConnection:
    socket: ClientConnection = connect(f"ws://{place(server)}/api/live", proxy=None, open_timeout=WITHIN_S, **options)
    return socket


def ask(socket: ClientConnection, command: str, **fields: object) -> dict[str, Any]:
    socket.send(json.dumps({"version": 1, "id": 3, "command": command, **fields}))
    return until(socket, lambda message: message["type"] in ("done", "refused"))


def until(socket: ClientConnection, condition: Any) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=WITHIN_S))
        if condition(message):
            return message
