"""The jobs over HTTP: a MIDI file comes in, what is made of it comes out."""

import json
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from piano.midi.faults import DamageError
from piano.midi.wrappers import unwrapped
from realtime.panel.controls import Controls
from realtime.panel.job_request import JOBS, LONGEST_NAME, LONGEST_S, MADE, PICTURE, JobRequest
from realtime.panel.jobs import LARGEST_FILE, Jobs
from realtime.panel.piece_routes import PieceReader, ReadPiece, piece_routes
from realtime.panel.responses import json_of, missing, number_of, read_body

_MIDI_TYPES = ("audio/midi", "audio/mid", "audio/x-midi")

_NOT_PASSED_ON = frozenset(("seed", "takes", "review", "presets", "models"))
"""Settings that are the daemon's own."""


def job_routes(controls: Controls, jobs: Jobs, reader: PieceReader) -> list[BaseRoute]:

    async def begin(request: Request) -> Response:
        wanted = _request_of(request, controls)
        if isinstance(wanted, Response):
            return wanted
        data = await read_body(request, LARGEST_FILE)
        if data is None:
            return PlainTextResponse(f"a file has at most {LARGEST_FILE >> 10} KiB", 413)
        try:
            unwrapped(data)
        except DamageError:
            return PlainTextResponse("this is no MIDI file", 400)
        if jobs.is_working:
            return PlainTextResponse("one file at a time: wait until the last one is done", 409)
        return json_of(asdict(jobs.start(data, wanted)))

    async def state(_request: Request) -> Response:
        return json_of(asdict(jobs.state))

    async def stop(_request: Request) -> Response:
        await jobs.stop()
        return json_of(asdict(jobs.state))

    async def made(_request: Request) -> ReadPiece | None:
        data = jobs.result(MADE)
        return None if data is None else ReadPiece(f"{jobs.state.task}.mid", data)

    async def picture(_request: Request) -> Response:
        data = jobs.result(PICTURE)
        return missing("nothing is made yet") if data is None else Response(data, media_type="application/json")

    async def tasks(_request: Request) -> Response:
        return json_of([{"task": name, **asdict(job)} for name, job in JOBS.items()])

    return [
        Route("/api/job", begin, methods=["POST"]),
        Route("/api/job", state, methods=["GET"]),
        Route("/api/job/tasks", tasks),
        Route("/api/job/picture", picture),
        Route("/api/job/stop", stop, methods=["POST"]),
        *piece_routes("/api/job/made", made, controls, reader),
    ]


def _request_of(request: Request, controls: Controls) -> JobRequest | Response:
    """Return what is asked for, or why it cannot be."""
    if request.headers.get("content-type", "") not in _MIDI_TYPES:
        return PlainTextResponse("a file is audio/midi", 415)
    given = request.query_params
    task, choice = given.get("task", "continue"), given.get("choice", "")
    seconds = number_of(given.get("seconds", "20"), LONGEST_S)
    if not seconds:
        return PlainTextResponse(f"seconds is a whole number from 1 to {LONGEST_S}", 400)
    if task not in JOBS:
        return PlainTextResponse(f"there is no such task; there are: {', '.join(JOBS)}", 400)
    if choice not in (JOBS[task].choices or ("",)):
        return PlainTextResponse(f"choice is one of: {', '.join(JOBS[task].choices) or 'none'}", 400)
    settings = json.loads(controls.settings.model_dump_json(exclude=set(_NOT_PASSED_ON)))
    return JobRequest(task, seconds, choice, settings, given.get("name", "")[:LONGEST_NAME])
