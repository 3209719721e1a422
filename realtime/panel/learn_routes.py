"""The controller that was moved last, over HTTP: what a page asks that learns a setting from it."""

import math
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from realtime.midi.message import control_of
from realtime.panel.controls import Controls
from realtime.panel.responses import json_of
from realtime.take.take import TakeRecord, TakeSource

LOOKED_BACK_S = 60.0
FIRST_CHANNEL_MODE = 120
"""From this controller number on, messages are for the whole channel, such as "all notes off"."""


def learn_routes(controls: Controls) -> list[BaseRoute]:
    """Return the route that learning asks."""

    async def controller(request: Request) -> Response:
        try:
            after_s = float(request.query_params.get("after_s", "inf"))
        except ValueError:
            after_s = math.nan
        if math.isnan(after_s):
            return PlainTextResponse("after_s is a moment in seconds, as now_s tells it", 400)
        now_s = controls.now_s()
        late = (one for one in controls.last(LOOKED_BACK_S) if controls.seconds(one.at_ns) > after_s)
        return json_of({"controller": last_moved(late), "now_s": now_s})

    return [Route("/api/controller", controller)]


def last_moved(records: Iterable[TakeRecord]) -> int | None:
    """Return the number of the controller that the player moved last, away from 0; None if there is none."""
    changes = [control_of(one.data) for one in records if one.source is TakeSource.PLAYED]
    moved = [change[0] for change in changes if change is not None and change[0] < FIRST_CHANNEL_MODE and change[1] > 0]
    return moved[-1] if moved else None
