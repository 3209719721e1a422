"""What can be done with a file over HTTP, asked before anything is: one that cannot work is refused with the way out.

It is read as it will be read when it is worked on, by a process of its own; what is found is kept for that.
"""

import json
from pathlib import PurePath

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from piano.errors import MidiFileError
from piano.midi.faults import DamageError
from piano.midi.wrappers import unwrapped
from realtime.beat.lead_sheet import SCORES
from realtime.panel.child import WorkError
from realtime.panel.job_request import JOBS
from realtime.panel.jobs import LARGEST_FILE
from realtime.panel.piece_routes import PieceReader
from realtime.panel.responses import json_of, read_body

LIKE, CHANGES = "like", "changes"
"""What is no work on a file, but how pianod plays from then on."""

_SHEETS = (*SCORES, ".txt")
_WAYS_OUT = ("choose", "save it", "write it", "cut out", "install", "give a file")
EMPTY = "it is empty: choose another file"
NO_MIDI_FILE = "it is no MIDI file: save it as one (.mid) in the program it comes from, or choose another"
TOO_LARGE = f"a file for this page has at most {LARGEST_FILE >> 20} MiB: the commands in a terminal take larger ones"


def file_routes(reader: PieceReader) -> list[BaseRoute]:
    """Return the route that tells what can be done with a file: its `tasks`, or, where there are none, the `fault`."""

    async def look(request: Request) -> Response:
        if request.headers.get("content-type", "") != "application/octet-stream":
            return PlainTextResponse("a file is application/octet-stream", 415)
        data = await read_body(request, LARGEST_FILE)
        if data is None:
            return PlainTextResponse(TOO_LARGE, 413)
        suffix = PurePath(request.query_params.get("name", "")).suffix.lower()
        try:
            return json_of({"tasks": await _tasks_of(reader, data, suffix), "fault": None})
        except (WorkError, MidiFileError) as error:
            return json_of({"tasks": [], "fault": _with_way_out(str(error))})

    return [Route("/api/file", look, methods=["POST"])]


async def _tasks_of(reader: PieceReader, data: bytes, suffix: str) -> list[str]:
    """Return what can be done with a file; WorkError where that is nothing."""
    if not data:
        raise WorkError(EMPTY)
    if suffix in _SHEETS:
        await reader.read(data, "chart", suffix)
        return [CHANGES]
    try:
        unwrapped(data)
    except DamageError as error:
        raise WorkError(NO_MIDI_FILE) from error
    has_notes = json.loads(await reader.read(data, "music"))
    return [*JOBS, LIKE, CHANGES] if has_notes else [CHANGES]


def _with_way_out(reason: str) -> str:
    bare = reason.removeprefix("this file: ")
    return bare if any(word in bare for word in _WAYS_OUT) else f"{bare}; choose another file"
