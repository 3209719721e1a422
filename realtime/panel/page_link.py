"""One page, or one script, on the live socket: what it is told, and what it asks for. Runs on the server's loop.

What went by is read from the rings sixty times a second, because those who write them wait for nobody and wake
nobody. It goes out in small pieces: encoding a large one would hold the interpreter, and with it the output thread.
A page that does not read is waited for here alone; what it misses meanwhile it is told to have missed.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from loguru import logger
from starlette.websockets import WebSocket, WebSocketDisconnect

from piano.errors import ConfigError
from piano.events import Event, NoteOff, NoteOn, Pedal, TimedEvent
from realtime.control.protocol import ControlError, decode_request, descriptions, encode_message, encode_status
from realtime.engine.event_rings import Planned, Ring, TakenBack
from realtime.files.synthesis import can_synthesise
from realtime.midi.held_notes import HeldNotes
from realtime.panel.controls import Controls
from realtime.panel.jobs import LARGEST_FILE

TICK_S = 1 / 60
STATUS_TICKS = 15
"""The status goes out every quarter of a second, and after each command."""

PIECE = 256
"""Events in one message."""

MOST_REQUESTS_A_SECOND = 500

_POLICY_VIOLATION = 1008

Row = tuple[Any, ...]
"""One event as a client gets it: who, what, when in seconds, pitch, value."""


class PageLink:
    """The two directions of one connection that was accepted."""

    def __init__(self, socket: WebSocket, controls: Controls) -> None:
        self._socket, self._controls = socket, controls
        self._wants_status = True
        self._held = HeldNotes()
        self._places = {"player": 0, "model": 0, "plan": controls.history.plan.end}
        self._places["passed"] = controls.history.passed.end

    async def run(self) -> None:
        """Serve the page until it goes."""
        await self._socket.send_text(
            encode_message(
                "hello",
                now_s=self._controls.now_s(),
                sound_files=can_synthesise(),
                largest_file=LARGEST_FILE,
                settings=[asdict(description) for description in descriptions()],
            )
        )
        tasks = [asyncio.create_task(self._tell()), asyncio.create_task(self._listen())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except (WebSocketDisconnect, RuntimeError) as error:  # RuntimeError: a send after the page had gone
            logger.debug("a page went: {}", error)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._controls.play(tuple(self._held.lift()))

    async def _tell(self) -> None:
        ticks = 0
        while True:
            if self._wants_status or ticks % STATUS_TICKS == 0:
                self._wants_status = False
                await self._socket.send_text(encode_status(self._controls.status()))
            if await self._tell_piece():
                await asyncio.sleep(0)  # others take their turns between two pieces
                continue
            ticks += 1
            await asyncio.sleep(TICK_S)

    async def _tell_piece(self) -> bool:
        """Send one piece of what is new; return whether there may be more."""
        history = self._controls.history
        rows: list[Row] = []
        missed = self._take("player", history.heard, rows)
        missed |= self._take("model", history.played, rows)
        missed |= self._take("passed", history.passed, rows)
        plan, self._places["plan"], lost = history.plan.since(self._places["plan"], PIECE)
        rows += [self._plan_row(item) for item in plan]
        if rows or missed or lost:
            await self._socket.send_text(
                encode_message("events", now_s=self._controls.now_s(), missed=missed or lost, events=rows)
            )
        return len(rows) >= PIECE

    def _take(self, who: str, ring: Ring[TimedEvent], rows: list[Row]) -> bool:
        items, self._places[who], missed = ring.since(self._places[who], PIECE)
        rows += [(who, *_row(self._controls.seconds(item.at_ns), item.event)) for item in items]
        return missed

    def _plan_row(self, item: Planned | TakenBack) -> Row:
        if isinstance(item, TakenBack):
            after_s = None if item.after_ns is None else self._controls.seconds(item.after_ns)
            return ("plan", "taken back", after_s, 0, 0, item.epoch)
        return ("plan", *_row(self._controls.seconds(item.at_ns), item.event), item.epoch)

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        second, count = 0, 0
        async for text in self._socket.iter_text():
            if int(loop.time()) != second:
                second, count = int(loop.time()), 0
            count += 1
            if count > MOST_REQUESTS_A_SECOND:
                await self._socket.close(_POLICY_VIOLATION, "too many requests")
                return
            answer = carry_out(self._controls, text, self._held)
            if answer is not None:
                self._wants_status = True
                await self._socket.send_text(answer)


def carry_out(controls: Controls, text: str, held: HeldNotes | None = None) -> str | None:
    """Carry out a request; return the answer as JSON, None for notes that were played, which are noted in `held`."""
    number: int | None = None
    try:
        request = decode_request(text)
        number = request.id
        if held is not None:
            for data in request.messages():
                held.push(data)
        controls.carry_out(request)
    except (ControlError, ConfigError) as error:
        return encode_message("refused", id=number, reason=str(error))
    return None if request.midi is not None else encode_message("done", id=number)


def _row(at_s: float, event: Event) -> Sequence[Any]:
    match event:
        case NoteOn(pitch, velocity):
            return ("on", at_s, pitch, velocity)
        case NoteOff(pitch):
            return ("off", at_s, pitch, 0)
        case Pedal(down):
            return ("pedal", at_s, 0, int(down))


async def serve_link(socket: WebSocket, controls: Controls) -> None:
    """Accept a connection and serve it until it ends."""
    await socket.accept()
    with suppress(WebSocketDisconnect):
        await PageLink(socket, controls).run()
