"""What keeps the piano and pianod apart, over HTTP: what `pianod doctor` finds, and what tries it out.

The computer is looked at by a process of its own, since opening a MIDI system and running the model take time and the
interpreter; the keyboard is judged by what was heard already.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from realtime.doctor.cable import comes_back, loop_finding, own_sound_findings, probe
from realtime.doctor.finding import Finding
from realtime.doctor.keyboard import flood_findings, keyboard_findings
from realtime.midi.performance_messages import TimedMessage
from realtime.midi.port_events import Received
from realtime.panel.child import WorkError, program, run_child
from realtime.panel.controls import Controls
from realtime.panel.responses import json_of
from realtime.take.take import TakeSource
from realtime.threads.clock import NS_PER_S

LISTENED_S = 60
PROBED_S = 0.5
"""How long a probe is waited for, and a flood listened to, in seconds."""

_GIVE_UP_S = 120.0
_SOMETHING_IS_WRONG = 2
_CHORD, _APART_NS, _LASTS_NS = (60, 64, 67, 72), NS_PER_S // 5, NS_PER_S


def doctor_routes(controls: Controls) -> list[BaseRoute]:
    place = asyncio.Semaphore(1)

    async def computer(_request: Request) -> Response:
        settings = controls.settings
        words = ["doctor", "--as-json", "--api", settings.api, "--model", str(settings.model)]
        words += ["--provider", settings.provider]
        try:
            async with place:
                fine = (0, _SOMETHING_IS_WRONG)
                said = await run_child(program("realtime", *words), limit_s=_GIVE_UP_S, fine=fine)
            json.loads(said)
        except (WorkError, ValueError) as error:
            return PlainTextResponse(f"it could not be looked at: {error}", 422)
        return Response(said, media_type="application/json")

    async def keyboard(_request: Request) -> Response:
        cable = await cable_findings(controls)
        titled = {"Your keyboard": findings_of(controls), "The cable": cable}
        return json_of(
            [{"title": title, "findings": [asdict(one) for one in found]} for title, found in titled.items() if found]
        )

    async def sound(_request: Request) -> Response:
        controls.replay("a chord to try the sound", chord_route(), 0)
        return json_of({"type": "done"})

    async def own_keys(request: Request) -> Response:
        on = request.query_params.get("on", "")
        if on not in ("0", "1"):
            return PlainTextResponse("on is 0 or 1", 400)
        controls.set_local_control(on=on == "1")
        return json_of({"type": "done"})

    return [
        Route("/api/doctor", computer, methods=["POST"]),
        Route("/api/doctor/keyboard", keyboard, methods=["POST"]),
        Route("/api/doctor/sound", sound, methods=["POST"]),
        Route("/api/doctor/local-control", own_keys, methods=["POST"]),
    ]


async def cable_findings(
    controls: Controls, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> list[Finding]:
    """Send a probe, and say after a moment whether it came back, and whether a flood came meanwhile.

    Nothing is said where there is no port.
    """
    before, began_s = controls.input_status(), controls.now_s()
    if before is None:
        return []
    controls.probe()
    await pause(PROBED_S)
    after, took_s = controls.input_status(), controls.now_s() - began_s
    if after is None:
        return []
    heard = [Received(one.at_ns, one.data) for one in controls.last(took_s) if one.source is TakeSource.PLAYED]
    is_loop = after.echoes > before.echoes or comes_back(probe(controls.settings.output_channel), heard)
    return [
        loop_finding(is_loop=is_loop),
        *flood_findings(after.real_time - before.real_time, round(took_s * NS_PER_S)),
    ]


def findings_of(controls: Controls) -> list[Finding]:
    """Return what can be said of the keyboard by what was heard in the last minute, and of the piano at the output."""
    heard = [
        Received(record.at_ns, record.data)
        for record in controls.last(LISTENED_S)
        if record.source is TakeSource.PLAYED
    ]
    first_ns = heard[0].at_ns if heard else 0
    messages = [Received(one.at_ns - first_ns, one.data) for one in heard]
    found = keyboard_findings(messages, LISTENED_S * NS_PER_S)
    status = controls.status()
    return [*found, *own_sound_findings(status.input, status.output, thru=controls.settings.thru)] if heard else found


def chord_route() -> list[TimedMessage]:
    """Return four keys, one after the other, that sound together."""
    ons = [(index * _APART_NS, bytes((0x90, pitch, 80))) for index, pitch in enumerate(_CHORD)]
    end_ns = len(_CHORD) * _APART_NS + _LASTS_NS
    return [*ons, *((end_ns, bytes((0x80, pitch, 64))) for pitch in _CHORD)]
