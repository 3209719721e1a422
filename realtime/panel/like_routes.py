"""Play like this: a MIDI file comes in over HTTP, and what pianod plays is like it from then on."""

import json

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from realtime.panel.controls import Controls
from realtime.panel.jobs import LARGEST_FILE
from realtime.panel.piece_routes import PieceReader, told
from realtime.panel.responses import json_of, read_body
from realtime.performers.reference import Reference

_MIDI_TYPES = ("audio/midi", "audio/mid", "audio/x-midi")
_LONGEST_NAME = 80


def like_routes(controls: Controls, reader: PieceReader) -> list[BaseRoute]:
    """Return the routes: play like a file that is sent, and like none any more."""

    async def like(request: Request) -> Response:
        if request.headers.get("content-type", "") not in _MIDI_TYPES:
            return PlainTextResponse("a file is audio/midi", 415)
        data = await read_body(request, LARGEST_FILE)
        if data is None:
            return PlainTextResponse(f"a file has at most {LARGEST_FILE >> 10} KiB", 413)
        found = json.loads(await reader.read(data, "reference"))
        name = request.query_params.get("name", "")[:_LONGEST_NAME] or "a file"
        reference = Reference(name, tuple(found["opening"]), tuple(found["tokens"]), found["notes_per_s"])
        controls.play_like(reference)
        return json_of({"type": "done", "like": name})

    async def like_none(_request: Request) -> Response:
        controls.play_like(None)
        return json_of({"type": "done", "like": None})

    return [
        Route("/api/like", told(like), methods=["POST"]),
        Route("/api/like/none", like_none, methods=["POST"]),
    ]
