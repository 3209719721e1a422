"""Pieces over HTTP: a take, what was made of a file, a data set. Each as a file, as a picture, and as sound.

Reading is done by processes of their own (`reading.py`), a few at a time, since it would hold up those who play.
"""

import asyncio
import hashlib
import json
import tempfile
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from piano.errors import MidiFileError
from piano.tokens.vocabulary import TASKS
from realtime.files.synthesis import synthesise, what_is_missing
from realtime.panel.child import WorkError, program, run_child
from realtime.panel.controls import Controls
from realtime.panel.responses import json_of, midi_response, missing, number_of
from realtime.panel.shelves import MOST_PIECES, Pieces

_AT_ONCE = 2
_MOST_KEPT, _MOST_KEPT_BYTES = 8, 16 << 20
_GIVE_UP_S = 120.0
_LONGEST_S = 360_000
_LONGEST_SOUND_S = 1200
_MOST_SEEDS = 10**9 - 1


@dataclass(frozen=True, slots=True)
class ReadPiece:
    """A piece as it is sent: its name, and the bytes of its MIDI file."""

    name: str
    data: bytes


Find = Callable[[Request], Awaitable[ReadPiece | None]]
"""Finds the piece that a request means; None if there is none."""


class PieceReader:
    """Has MIDI files read by processes of their own, a few at a time; what was asked last is kept."""

    def __init__(self) -> None:
        self._places, self._synthesiser = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(1)
        self._under_way: dict[tuple[str, ...], asyncio.Task[bytes]] = {}
        self._kept: OrderedDict[tuple[str, ...], bytes] = OrderedDict()

    async def read(self, data: bytes, *what: str) -> bytes:
        """Return what is asked of a file as JSON; WorkError says why it cannot be read.

        What is being read already is waited for, and what was read of late is not read again.
        """
        key = (hashlib.sha256(data).hexdigest(), *what)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._read(data, *what))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        answer = await asyncio.shield(task)
        self._keep(key, answer)
        return answer

    async def sound_of(self, data: bytes) -> Response:
        """Return a piece as sound, made by a synthesiser, one at a time; WorkError if it is too long for that."""
        if float(await self.read(data, "length")) > _LONGEST_SOUND_S:
            raise WorkError(f"sound is made of {_LONGEST_SOUND_S // 60} minutes at most, and this lasts longer")
        folder = tempfile.TemporaryDirectory(prefix="pianod-")
        midi, wav = Path(folder.name) / "piece.mid", Path(folder.name) / "piece.wav"
        midi.write_bytes(data)
        async with self._synthesiser:
            is_made = await run_in_threadpool(synthesise, midi, wav)
        if not is_made:
            folder.cleanup()
            raise WorkError("the synthesiser could not do it; the log says why")
        return FileResponse(wav, media_type="audio/wav", background=BackgroundTask(folder.cleanup))

    async def _read(self, data: bytes, *what: str) -> bytes:
        async with self._places:
            return await run_child(program("realtime.panel.reading", *what), data, limit_s=_GIVE_UP_S)

    def _keep(self, key: tuple[str, ...], answer: bytes) -> None:
        self._kept[key] = answer
        while len(self._kept) > _MOST_KEPT or sum(map(len, self._kept.values())) > _MOST_KEPT_BYTES:
            self._kept.popitem(last=False)


def piece_routes(place: str, find: Find, controls: Controls, reader: PieceReader) -> list[BaseRoute]:
    """Return the routes of one kind of pieces: the file, its picture, and the replay of it."""

    async def file(request: Request) -> Response:
        piece = await find(request)
        return missing("there is no such piece") if piece is None else midi_response(piece.data, piece.name)

    async def picture(request: Request) -> Response:
        piece = await find(request)
        if piece is None:
            return missing("there is no such piece")
        return Response(await reader.read(piece.data, "picture"), media_type="application/json")

    async def replay(request: Request) -> Response:
        from_s = number_of(request.query_params.get("from_s", "0"), _LONGEST_S)
        if from_s is None:
            return PlainTextResponse("from_s is a whole number of seconds", 400)
        piece = await find(request)
        if piece is None:
            return missing("there is no such piece")
        rows = json.loads(await reader.read(piece.data, "messages"))
        controls.replay(piece.name, [(at_ns, bytes.fromhex(digits)) for at_ns, digits in rows], from_s)
        return json_of({"type": "done"})

    async def sound(request: Request) -> Response:
        if lacking := what_is_missing():
            return missing(f"no sound file: {lacking}")
        piece = await find(request)
        return missing("there is no such piece") if piece is None else await reader.sound_of(piece.data)

    return [
        Route(f"{place}.mid", told(file)),
        Route(f"{place}.wav", told(sound), methods=["POST"]),
        Route(f"{place}/picture", told(picture)),
        Route(f"{place}/replay", told(replay), methods=["POST"]),
    ]


def told(serve: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Answer a piece that cannot be read with the reason."""

    async def serve_and_tell(request: Request) -> Response:
        try:
            return await serve(request)
        except (WorkError, MidiFileError) as error:
            return PlainTextResponse(str(error), 422)

    return serve_and_tell


def review_routes(controls: Controls, pieces: Pieces, reader: PieceReader) -> list[BaseRoute]:
    """Return the routes of a data set: its pieces, and a task on one of them, given and asked."""

    async def find(request: Request) -> ReadPiece | None:
        number = number_of(request.path_params["number"], MOST_PIECES)
        data = None if number is None else await run_in_threadpool(pieces.read, number)
        return None if data is None or number is None else ReadPiece(pieces.names()[number], data)

    async def names(_request: Request) -> Response:
        return json_of({"pieces": await run_in_threadpool(pieces.names), "tasks": TASKS})

    async def task(request: Request) -> Response:
        seed = number_of(request.query_params.get("seed", "0"), _MOST_SEEDS)
        if request.path_params["task"] not in TASKS or seed is None:
            return missing("there is no such task")
        piece = await find(request)
        if piece is None:
            return missing("there is no such piece")
        answer = await reader.read(piece.data, "task", request.path_params["task"], str(seed))
        return Response(answer, media_type="application/json")

    return [
        Route("/api/review", names),
        Route("/api/review/{number}/tasks/{task}", told(task)),
        *piece_routes("/api/review/{number}", find, controls, reader),
    ]
