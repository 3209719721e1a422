"""The jobs over HTTP: a MIDI file comes in, the music that goes on from it comes out."""

import json
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from realtime.panel.controls import Controls
from realtime.panel.jobs import LARGEST_FILE, LONGEST_S, Jobs, notes_of

_MIDI_TYPES = ("audio/midi", "audio/mid", "audio/x-midi")

_BEGINNINGS = (b"MThd", b"RIFF")


async def read_body(request: Request, most: int) -> bytes | None:
    """Return the body of a request; None as soon as it is longer than it may be."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            return None
    return bytes(body)


def job_routes(controls: Controls, jobs: Jobs) -> list[Route]:
    """Return the routes of the jobs."""

    async def begin(request: Request) -> Response:
        if request.headers.get("content-type", "") not in _MIDI_TYPES:
            return PlainTextResponse("a file is audio/midi", 415)
        seconds = request.query_params.get("seconds", "20")
        if not (seconds.isascii() and seconds.isdecimal() and 1 <= int(seconds[:6]) <= LONGEST_S):
            return PlainTextResponse(f"seconds is a whole number from 1 to {LONGEST_S}", 400)
        data = await read_body(request, LARGEST_FILE)
        if data is None:
            return PlainTextResponse(f"a file has at most {LARGEST_FILE >> 10} KiB", 413)
        if not data.startswith(_BEGINNINGS):
            return PlainTextResponse("this is no MIDI file", 400)
        if jobs.is_working:
            return PlainTextResponse("one file at a time: wait until the last one is done", 409)
        return _json(asdict(jobs.start(data, int(seconds), controls.settings)))

    async def state(_request: Request) -> Response:
        return _json(asdict(jobs.state))

    async def made(_request: Request) -> Response:
        path = jobs.result()
        if path is None:
            return PlainTextResponse("nothing is made yet", 404)
        headers = {"Content-Disposition": 'attachment; filename="continued.mid"'}
        return Response(path.read_bytes(), media_type="audio/midi", headers=headers)

    async def notes(_request: Request) -> Response:
        path = jobs.result()
        return PlainTextResponse("nothing is made yet", 404) if path is None else _json(await notes_of(path))

    return [
        Route("/api/job", begin, methods=["POST"]),
        Route("/api/job", state, methods=["GET"]),
        Route("/api/job/made.mid", made),
        Route("/api/job/notes", notes),
    ]


def _json(value: object) -> Response:
    return Response(json.dumps(value, separators=(",", ":")), media_type="application/json")
