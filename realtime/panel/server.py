"""The server's thread: a loop of its own, in which the panel is served. It touches nothing of the engine's."""

import asyncio
import logging
import secrets
import socket
import threading
from types import TracebackType
from typing import Any

import uvicorn
from loguru import logger

from piano.errors import ConfigError
from realtime.control.protocol import LONGEST_REQUEST
from realtime.panel.app import build_app
from realtime.panel.connection import OpenConnections, protocol_with
from realtime.panel.controls import Controls
from realtime.panel.guard import Door, host_in_url, is_loopback
from realtime.panel.invitation import invitation_of
from realtime.panel.jobs import Jobs
from realtime.panel.shelves import Pieces
from realtime.settings import PanelGroup

_JOIN_S = 3.0
_GOODBYE_S = 1
_BACKLOG = 16
"""So many clients are let in at a time: each has a descriptor before it can be sent away."""
_NEAR = 10


class PanelServer:
    """The panel, served while the `with` block runs."""

    def __init__(self, settings: PanelGroup, controls: Controls) -> None:
        """Take the port; ConfigError if the address is none of this machine's, or there is nothing to review."""
        self._pieces = Pieces(settings.review)
        self._socket = _listen(settings.panel_host, settings.panel_port)
        port = int(self._socket.getsockname()[1])
        token = None if is_loopback(settings.panel_host) else secrets.token_urlsafe(16)
        self._door = Door(settings.panel_host, port, token)
        self.invitation = invitation_of(self._door)
        """What another device opens; None where the panel is served to this machine alone."""
        self._controls = controls
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()

    @property
    def port(self) -> int:
        """Return the port that it is served on."""
        return self._door.port

    @property
    def address(self) -> str:
        """Return the address to open, with the token where one is needed."""
        if self.invitation is not None:
            return self.invitation.address
        return f"http://{host_in_url(self._door.host)}:{self._door.port}/"

    def __enter__(self) -> "PanelServer":
        """Start to serve."""
        self._thread = threading.Thread(target=self._run, name="panel", daemon=True)
        self._thread.start()
        self._ready.wait(_JOIN_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye to the pages, and end the thread."""
        self._controls.models.cancel()
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        self._socket.close()

    def _run(self) -> None:
        """Be the server's thread."""
        try:
            asyncio.run(self._serve())
        except Exception as error:  # the top of the thread: tell, and stop; the playing goes on
            logger.opt(exception=error).debug("the panel failed")
            logger.error("the panel stopped: {}: {}; the playing goes on", type(error).__name__, error)
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
        asyncio.get_running_loop().set_exception_handler(_FaultsOfTheLoop())
        jobs = Jobs()
        config = uvicorn.Config(
            build_app(self._controls, self._door, jobs, self._pieces, self.invitation),
            log_config=None,
            access_log=False,
            lifespan="off",
            http=protocol_with(OpenConnections.within_limits()),
            backlog=_BACKLOG,
            ws="websockets-sansio",
            ws_max_size=LONGEST_REQUEST,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_GOODBYE_S,
            server_header=False,
            proxy_headers=False,
        )
        self._server = uvicorn.Server(config)
        self._ready.set()  # the socket listens: whoever comes now is served as soon as the loop runs
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            await jobs.close()


class _FaultsOfTheLoop:
    """Takes what the loop has to say of itself (a connection that could not be accepted, a task that failed)."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Tell each kind of fault once; the rest is for those who look closely."""
        error = context.get("exception")
        what = f"{context.get('message', 'a fault')} ({type(error).__name__}: {error})"
        kind = f"{type(error).__name__} {getattr(error, 'errno', '')}"
        if kind in self._told:
            logger.debug("the panel: {}", what)
            return
        self._told.add(kind)
        logger.warning("the panel: {}; said once, the playing goes on", what)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the port; where that is taken, on one of those after it, or on any."""
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ConfigError(f"--panel-host {host} is no address: {error.strerror or error}") from error
    for wanted in (*range(port, min(port + _NEAR, 65_536)), 0) if port else (0,):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((place[0], wanted, *place[2:]))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            fault = error
            logger.debug("the panel cannot be served on port {}: {}", wanted, error)
            continue
        if wanted != port:
            logger.warning("port {} is taken, by another pianod perhaps: this panel has a port of its own", port)
        return listener
    raise ConfigError(
        f"the panel cannot be served on {host}: {fault.strerror or fault}; give another --panel-host, or --no-panel"
    ) from fault
