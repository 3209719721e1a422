"""Connections that ask for nothing: they are given up, and there are only so many."""

import os
import socket
from collections.abc import Iterator

import pytest
from loguru import logger

from realtime.panel import connection
from realtime.panel.server import PanelServer
from tests.realtime.panel.clients import WITHIN_S, get, place
from tests.realtime.panel.stage import Stage


def half_a_request(server: PanelServer, begun: bytes = b"GET /api/status HTTP/1.1\r\nHost: x\r\n") -> socket.socket:
    host, _, port = place(server).rpartition(":")
    client = socket.create_connection((host, int(port)), WITHIN_S)
    client.sendall(begun)
    return client


def ends(client: socket.socket) -> bool:
    """Say whether a connection is ended by the server, however it does that."""
    with client:
        try:
            return not client.recv(1)
        except ConnectionResetError:
            return True


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    told: list[str] = []
    handler = logger.add(lambda message: told.append(message.record["message"]), level="WARNING")
    yield told
    logger.remove(handler)


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /api/status HTTP/1.1\r\nHost: x\r\n",
        b"POST /api/commands HTTP/1.1\r\nHost: HERE\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{",
    ],
)
def test_a_request_that_does_not_come_to_its_end_is_given_up(
    begun: bytes, stage: Stage, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    monkeypatch.setattr(connection, "REQUEST_WITHIN_S", 0.2)
    with PanelServer(stage.settings, stage.controls) as server:
        clients = [half_a_request(server, begun.replace(b"HERE", place(server).encode())) for _ in range(5)]
        assert all(ends(client) for client in clients)
        assert get(server, "/api/status")[0] == 200
    assert [line for line in warnings if "took too long" in line] == warnings
    assert len(warnings) == 1


def test_there_are_only_so_many_connections(stage: Stage, monkeypatch: pytest.MonkeyPatch, warnings: list[str]) -> None:
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", 8)
    with PanelServer(stage.settings, stage.controls) as server:
        before = len(os.listdir("/proc/self/fd"))
        clients = [half_a_request(server) for _ in range(40)]
        assert all(ends(client) for client in clients[8:])
        assert len(os.listdir("/proc/self/fd")) <= before + 2 * 8 + 2  # both ends of a connection are ours here
        for client in clients[:8]:
            client.close()
        assert until_served(server)
    assert [line for line in warnings if "8 connections are open" in line] == warnings
    assert len(warnings) == 1


def until_served(server: PanelServer) -> bool:
    """Ask until there is room again; the client's own time limit ends it."""
    while True:
        try:
            return get(server, "/api/status")[0] == 200
        except ConnectionError:
            continue
