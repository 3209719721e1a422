"""What the control API does to a session that plays. It belongs to the server's thread.

It reads immutable snapshots and posts commands; it holds the settings in force, since nobody else changes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from realtime.clock import Clock
from realtime.commands import ChoosePort, Command, HandOver, NewPiece, Panic, Retry, StopPlaying
from realtime.control import CHANGEABLE, CommandName, ControlError, Losses, Request, Status, changed
from realtime.history import History
from realtime.live import LivePlay
from realtime.midi_message import Kind, kind_of
from realtime.ports import Direction
from realtime.settings import Settings
from realtime.take import Take

_NS_PER_S = 1e9

_PLAIN_COMMANDS: Mapping[CommandName, Command] = {
    CommandName.ANSWER: HandOver(),
    CommandName.STOP: StopPlaying(),
    CommandName.NEW_PIECE: NewPiece(),
    CommandName.RETRY: Retry(),
    CommandName.PANIC: Panic(),
}

_PLAYABLE = (Kind.NOTE_ON, Kind.NOTE_OFF, Kind.SUSTAIN)
MOST_WAITING = 2_000
"""With more messages than this in the engine's inbox, notes of a page are refused."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What plays, as the panel is told of it."""

    play: LivePlay
    history: History
    settings: Settings
    seed: int
    provider: str
    has_midi: bool


class Controls:
    """Carry out requests, and tell how it stands."""

    def __init__(self, stage: Stage, clock: Clock) -> None:
        self._stage, self._clock = stage, clock
        self.origin_ns = clock.now_ns()
        """From when the seconds of the API are counted."""

    @property
    def history(self) -> History:
        """Return what went by."""
        return self._stage.history

    @property
    def settings(self) -> Settings:
        """Return the settings in force."""
        return self._stage.play.settings

    @property
    def take(self) -> Take:
        """Return all that was played so far."""
        return self._stage.play.partner.take

    def now_s(self) -> float:
        """Return the present moment in seconds of the API."""
        return self.seconds(self._clock.now_ns())

    def seconds(self, at_ns: int) -> float:
        """Return a moment in seconds of the API."""
        return round((at_ns - self.origin_ns) / _NS_PER_S, 6)

    def carry_out(self, request: Request) -> None:
        """Do what is asked for; ControlError or ConfigError if that cannot be."""
        if request.command is CommandName.CHANGE:
            self._change(request.settings or {})
        elif request.direction is not None:
            self._put(ChoosePort(request.direction, self._known_port(request.direction, request.port)))
        elif request.command is CommandName.PLAY:
            self.play(request.messages())
        else:
            self._put(_PLAIN_COMMANDS[request.command])

    def status(self) -> Status:
        """Return a snapshot."""
        stage = self._stage
        listing = stage.play.listing
        engine, output = stage.play.partner.engine.status(), stage.play.partner.scheduler.status()
        return Status(
            at_s=self.now_s(),
            activity=engine.performer.activity,
            mode=engine.mode,
            model=stage.settings.model,
            provider=stage.provider,
            input=stage.play.port_names[0],
            output=stage.play.port_names[1],
            has_midi=stage.has_midi,
            inputs=listing.inputs if listing else (),
            outputs=listing.outputs if listing else (),
            answers=engine.performer.answers,
            interruptions=engine.performer.interruptions,
            heard=engine.heard,
            sent=output.sent,
            waiting=engine.waiting,
            sounding=output.sounding.own,
            planned=output.pending,
            pedal=output.sounding.own_pedal,
            context_fill=round(stage.play.context_fill(), 4),
            stream_tokens=engine.performer.stream_tokens,
            hearing=engine.hearing,
            lateness=output.own_lateness,
            losses=Losses(output.stale, output.too_late, output.overlong, output.left_out, output.undelivered),
            fault=engine.fault,
            settings={**self.settings.model_dump(include=set(CHANGEABLE)), "seed": stage.play.seed},
        )

    def _change(self, changes: Mapping[str, Any]) -> None:
        self._stage.play.change(lambda before: changed(before, changes))

    def _known_port(self, direction: Direction, name: str | None) -> str | None:
        """Return the name of a port if there is such a one; ControlError if not."""
        listing = self._stage.play.listing
        if name is not None and (listing is None or name not in listing.names(direction)):
            raise ControlError(f"there is no MIDI {direction} port named {name!r}")
        return name

    def play(self, messages: tuple[bytes, ...]) -> None:
        """Play what a page plays; ControlError if that is no music, or too much of it."""
        inbox = self._stage.play.partner.inbox
        for data in messages:
            kind = kind_of(data)
            if kind not in _PLAYABLE:
                raise ControlError("a page plays notes and the sustain pedal, nothing else")
            if len(inbox) > MOST_WAITING and kind is Kind.NOTE_ON:
                raise ControlError("too many notes at once: the engine has not taken in the last ones yet")
            self._stage.play.play(data)

    def _put(self, command: Command) -> None:
        self._stage.play.partner.inbox.put(command)
