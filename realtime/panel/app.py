"""The panel as an application: a few fixed files, the status, the commands, pieces, jobs and the live socket.

No path of a client ever reaches the file system: the files are read at the start and found by their exact names.
"""

import asyncio
import json
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from realtime.control.protocol import LONGEST_REQUEST, encode_status
from realtime.panel.chart_routes import chart_routes
from realtime.panel.controls import Controls
from realtime.panel.doctor_routes import doctor_routes
from realtime.panel.file_routes import file_routes
from realtime.panel.guard import Door, Guard
from realtime.panel.invitation import WARNING, Invitation
from realtime.panel.job_routes import job_routes
from realtime.panel.jobs import Jobs
from realtime.panel.learn_routes import learn_routes
from realtime.panel.like_routes import like_routes
from realtime.panel.page_link import carry_out, serve_link
from realtime.panel.piece_routes import PieceReader, review_routes
from realtime.panel.responses import missing, read_body
from realtime.panel.shelves import Pieces, Takes
from realtime.panel.take_routes import take_routes

STATIC = Path(__file__).parent / "static"
MOST_PAGES = 16
_TRY_AGAIN_LATER = 1013

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def build_app(
    controls: Controls, door: Door, jobs: Jobs, pieces: Pieces, invitation: Invitation | None = None
) -> ASGIApp:
    """Return the guarded application; `pieces` are those to look through, `invitation` is for other devices."""
    reader = PieceReader()
    files = {path.name: path.read_bytes() for path in STATIC.iterdir() if path.suffix in _TYPES}
    places = asyncio.Semaphore(MOST_PAGES)

    async def live(socket: WebSocket) -> None:
        if places.locked():
            await socket.close(_TRY_AGAIN_LATER, f"{MOST_PAGES} pages are open, which is the most there may be")
            return
        async with places:
            await serve_link(socket, controls)

    async def index(_request: Request) -> Response:
        return _file_response(files, "index.html")

    async def static(request: Request) -> Response:
        return _file_response(files, request.path_params["name"])

    async def phone(_request: Request) -> Response:
        if invitation is None:
            return _json(json.dumps({"address": None}))
        return _json(json.dumps({"address": invitation.address, "warning": WARNING}))

    async def code(_request: Request) -> Response:
        if invitation is None:
            return missing("the panel is served to this machine alone")
        return Response(invitation.svg(), media_type=_TYPES[".svg"])

    async def status(_request: Request) -> Response:
        return _json(encode_status(controls.status()))

    return Guard(
        Starlette(
            routes=[
                Route("/", index),
                Route("/static/{name}", static),
                Route("/api/status", status),
                Route("/api/invitation", phone),
                Route("/api/invitation.svg", code),
                Route("/api/commands", partial(_command, controls), methods=["POST"]),
                *take_routes(controls, Takes(controls.settings.takes), reader),
                *review_routes(controls, pieces, reader),
                *job_routes(controls, jobs, reader),
                *file_routes(reader),
                *like_routes(controls, reader),
                *chart_routes(controls, reader),
                *doctor_routes(controls),
                *learn_routes(controls),
                WebSocketRoute("/api/live", live),
            ]
        ),
        door,
    )


async def _command(controls: Controls, request: Request) -> Response:
    """Carry out one command of a script."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return PlainTextResponse("a command is application/json", 415)
    body = await read_body(request, LONGEST_REQUEST)
    if body is None:
        return PlainTextResponse(f"a command has at most {LONGEST_REQUEST} bytes", 413)
    answer = carry_out(controls, body.decode("utf-8", "replace")) or '{"type":"done"}'
    return _json(answer, 400 if answer.startswith('{"type":"refused"') else 200)


def _json(text: str, code: int = 200) -> Response:
    return Response(text, code, media_type="application/json")


def _file_response(files: dict[str, bytes], name: str) -> Response:
    data = files.get(name)
    if data is None:
        return PlainTextResponse("there is no such file", 404)
    return Response(data, media_type=_TYPES[Path(name).suffix])
