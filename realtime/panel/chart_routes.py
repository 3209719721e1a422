"""A lead sheet comes in over HTTP, and its chords are the changes from then on, or none are any more."""

import json
from pathlib import PurePath

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from piano.errors import PianodError
from realtime.beat.lead_sheet import MIDI, SCORES
from realtime.panel.controls import Controls
from realtime.panel.job_request import LONGEST_NAME
from realtime.panel.jobs import LARGEST_FILE
from realtime.panel.piece_routes import PieceReader, told
from realtime.panel.responses import json_of, read_body

_SUFFIXES = (*MIDI, *SCORES, ".txt")


def chart_routes(controls: Controls, reader: PieceReader) -> list[BaseRoute]:
    """Return the routes: changes from a file, MIDI, MusicXML or text by the end of its name; and none any more."""

    async def chart(request: Request) -> Response:
        name = PurePath(request.query_params.get("name", "")).name
        suffix = PurePath(name).suffix.lower()
        if suffix not in _SUFFIXES or request.headers.get("content-type", "") != "application/octet-stream":
            return PlainTextResponse(f"a file with changes ends with one of {', '.join(_SUFFIXES)}", 415)
        data = await read_body(request, LARGEST_FILE)
        if data is None:
            return PlainTextResponse(f"a file has at most {LARGEST_FILE >> 10} KiB", 413)
        text = json.loads(await reader.read(data, "chart", suffix))
        try:
            controls.take_chart(text, name[:LONGEST_NAME])
        except PianodError as error:
            return PlainTextResponse(str(error), 422)
        return json_of({"type": "done", "chart": text})

    async def no_chart(_request: Request) -> Response:
        controls.take_chart(None)
        return json_of({"type": "done", "chart": None})

    return [
        Route("/api/chart", told(chart), methods=["POST"]),
        Route("/api/chart/none", no_chart, methods=["POST"]),
    ]
