"""One HTTP connection of the panel: how many there may be, and how long each may take. Runs on the server's loop.

A connection costs a descriptor, and descriptors are what the guardian and the take need too. A client that begins a
request must end it, and one that asks for something must take it; who does not is sent away.
"""

import asyncio
import sys
from typing import Any, cast

from loguru import logger
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 64
"""Connections at once, those of the live sockets among them; fewer where the system gives few descriptors."""
REQUEST_WITHIN_S = 10.0
"""So long a request may take to arrive, header and body."""
TAKEN_WITHIN_S = 30.0
"""So long a client may leave what it asked for lying."""

_SHARE_OF_DESCRIPTORS = 4


class OpenConnections:
    """The connections that are open, and how many were sent away; one line in the log tells of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: set[asyncio.Transport] = set()
        self.turned_away = 0

    @classmethod
    def within_limits(cls) -> "OpenConnections":
        """Return the connections that this process can afford: a quarter of its descriptors at most."""
        if sys.platform == "win32":  # where sockets are no descriptors of the process
            return cls(MOST_CONNECTIONS)
        import resource

        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if descriptors == resource.RLIM_INFINITY:
            return cls(MOST_CONNECTIONS)
        return cls(max(min(MOST_CONNECTIONS, descriptors // _SHARE_OF_DESCRIPTORS), 1))

    def enter(self, transport: asyncio.Transport) -> bool:
        """Take in a new connection, if there is room for it."""
        self._open = {other for other in self._open if not other.is_closing()}
        if len(self._open) >= self._most:
            self.turn_away(f"{self._most} connections are open, which is the most there may be")
            return False
        self._open.add(transport)
        return True

    def turn_away(self, why: str) -> None:
        """Count a client that was sent away, and tell of the first."""
        self.turned_away += 1
        if self.turned_away == 1:
            logger.warning("the panel sends a client away ({}); further ones are only counted", why)
        else:
            logger.debug("the panel sends client {} away ({})", self.turned_away, why)


class Connection(H11Protocol):
    """A connection that is closed where its client is too slow, or where there are too many."""

    connections_open: OpenConnections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a client in, or close at once."""
        self._arrives: asyncio.TimerHandle | None = None
        self._leaves: asyncio.TimerHandle | None = None
        self._has_begun = False
        super().connection_made(transport)
        if self.connections_open.enter(transport):
            self._arrives = self.loop.call_later(REQUEST_WITHIN_S, transport.abort)  # browsers keep spare connections
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request; the time for it begins with the first of them."""
        if not self._has_begun and (self.cycle is None or self.cycle.response_complete):
            self._arrived()
            self._has_begun = True
            self._arrives = self.loop.call_later(REQUEST_WITHIN_S, self._too_slow, "a request took too long to arrive")
        super().data_received(data)
        if self.cycle is not None and not self.cycle.more_body:
            self._arrived()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Hand over to the protocol of the live socket, which has limits of its own."""
        self._arrived()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._arrived()
        if self._leaves is not None:
            self._leaves.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for a client that does not take what it asked for, for a while."""
        if self._leaves is None:
            self._leaves = self.loop.call_later(TAKEN_WITHIN_S, self._too_slow, "an answer was not taken")
        super().pause_writing()

    def resume_writing(self) -> None:
        """Go on: it has taken some."""
        if self._leaves is not None:
            self._leaves.cancel()
            self._leaves = None
        super().resume_writing()

    def _arrived(self) -> None:
        self._has_begun = False
        if self._arrives is not None:
            self._arrives.cancel()
            self._arrives = None

    def _too_slow(self, why: str) -> None:
        self.connections_open.turn_away(why)
        self.transport.abort()


def protocol_with(connections: OpenConnections) -> type[asyncio.Protocol]:
    """Return the protocol for a server whose connections are these."""
    return cast("type[asyncio.Protocol]", type("CountedConnection", (Connection,), {"connections_open": connections}))
