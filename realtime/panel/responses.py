"""How the panel's server answers over HTTP, and how it reads what is sent to it."""

import json

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

MIDI_TYPE = "audio/midi"


async def read_body(request: Request, most: int) -> bytes | None:
    """Return the body of a request; None as soon as it is longer than it may be."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            return None
    return bytes(body)


def json_of(value: object) -> Response:
    """Answer with a value as JSON."""
    return Response(json.dumps(value, separators=(",", ":")), media_type="application/json")


def midi_response(data: bytes, name: str) -> Response:
    """Answer with a MIDI file to be kept under a name; what a header cannot carry of it is replaced."""
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_. ") else "_" for sign in name)
    headers = {"Content-Disposition": f'attachment; filename="{plain}"'}
    return Response(data, media_type=MIDI_TYPE, headers=headers)


def missing(text: str) -> Response:
    """Answer that there is no such thing."""
    return PlainTextResponse(text, 404)


def number_of(text: str, most: int) -> int | None:
    """Return a whole number from 0 to a largest one; None if a text is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) <= most else None
