"""Takes over HTTP: this session, those before it, their names and stars, and the last half minute as one of its own."""

import json
from collections.abc import Callable
from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from piano.errors import ConfigError
from realtime.panel.controls import Controls
from realtime.panel.piece_routes import PieceReader, ReadPiece, piece_routes
from realtime.panel.responses import json_of, missing, read_body
from realtime.panel.shelves import TAKE, Takes
from realtime.panel.take_marks import LONGEST_TITLE
from realtime.take.midi_export import excerpt_of, take_bytes

KEPT_S = 30
_LARGEST_MARKS = 4096


def take_routes(controls: Controls, takes: Takes, reader: PieceReader) -> list[BaseRoute]:
    """Return the routes of this session and of the takes before it."""

    async def session(_request: Request) -> ReadPiece | None:
        data = await run_in_threadpool(take_bytes, controls.take)
        return None if data is None else ReadPiece("take.mid", data)

    async def earlier(request: Request) -> ReadPiece | None:
        name = request.path_params["name"] + TAKE
        data = await run_in_threadpool(takes.read, name)
        return None if data is None else ReadPiece(name, data)

    async def entries(_request: Request) -> Response:
        return json_of([asdict(entry) for entry in await run_in_threadpool(takes.entries)])

    async def keep(_request: Request) -> Response:
        midi = await run_in_threadpool(lambda: excerpt_of(controls.last(KEPT_S)))
        if midi is None:
            return missing("nothing was played in the last half minute")
        try:
            return json_of({"name": await run_in_threadpool(takes.keep, midi)})
        except (ConfigError, OSError) as error:
            return PlainTextResponse(f"it cannot be kept: {error}", 409)

    async def marks(request: Request) -> Response:
        given = _marks_of(await read_body(request, _LARGEST_MARKS))
        if given is None:
            text = f"marks are title, a text of {LONGEST_TITLE} characters at most, or star, true or false, as JSON"
            return PlainTextResponse(text, 400)
        return await changed(takes.mark, request.path_params["name"] + TAKE, *given)

    async def delete(request: Request) -> Response:
        return await changed(takes.delete, request.path_params["name"] + TAKE)

    async def changed(change: Callable[..., bool], *arguments: object) -> Response:
        try:
            done = await run_in_threadpool(change, *arguments)
        except (ConfigError, OSError) as error:
            return PlainTextResponse(f"it cannot be changed: {error}", 409)
        return json_of({"type": "done"}) if done else missing("there is no such take")

    async def stop(_request: Request) -> Response:
        controls.stop_replay()
        return json_of({"type": "done"})

    return [
        Route("/api/takes", entries),
        Route("/api/take/keep", keep, methods=["POST"]),
        Route("/api/replay/stop", stop, methods=["POST"]),
        *piece_routes("/api/take", session, controls, reader),
        *piece_routes("/api/takes/{name}", earlier, controls, reader),
        Route("/api/takes/{name}/marks", marks, methods=["POST"]),
        Route("/api/takes/{name}", delete, methods=["DELETE"]),
    ]


def _marks_of(body: bytes | None) -> tuple[str | None, bool | None] | None:
    """Return the title and the star that a body gives a take; None where it is no such thing."""
    try:
        given = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict) or not given or set(given) - {"title", "star"}:
        return None
    title, star = given.get("title"), given.get("star")
    fits = (title is None or isinstance(title, str)) and (star is None or isinstance(star, bool))
    return (title, star) if fits and len(title or "") <= LONGEST_TITLE else None
