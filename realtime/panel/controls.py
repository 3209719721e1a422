"""What the control API does to a session that plays. It belongs to the server's thread.

It reads immutable snapshots and posts commands; it holds the settings in force, since nobody else changes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from piano.changes import bar_text, chord_name, roots_in
from piano.chart_keys import in_steps, key_of
from piano.cues import NO_CHORD, ROOTS
from piano.known_changes import KNOWN
from realtime.control.model_choice import ModelChoice
from realtime.control.presets import Presets
from realtime.control.protocol import (
    CHANGEABLE,
    ChartBars,
    ClockIn,
    CommandName,
    ControlError,
    Looping,
    Losses,
    Replaying,
    Request,
    Status,
    Trade,
    changed,
)
from realtime.doctor.cable import local_control, probe
from realtime.engine.commands import (
    ChoosePort,
    ComeToEnd,
    Command,
    HandOver,
    Keep,
    NewPiece,
    Panic,
    Retry,
    StopPlaying,
    Tap,
    Undo,
)
from realtime.engine.event_rings import EventRings
from realtime.live.live_session import LivePlay
from realtime.midi.gone_ports import Gone
from realtime.midi.input_thread import InputStatus
from realtime.midi.message import MessageKind, control_of, kind_of, on_channel
from realtime.midi.performance_messages import TimedMessage
from realtime.midi.ports import Direction, Wires, without_own
from realtime.performers.performer import LoopStatus, TradeStatus
from realtime.performers.reference import Reference
from realtime.settings import Settings
from realtime.take.take import Take, TakeRecord
from realtime.threads.clock import Clock

_NS_PER_S = 1e9

_PLAIN_COMMANDS: Mapping[CommandName, Command] = {
    CommandName.ANSWER: HandOver(),
    CommandName.STOP: StopPlaying(),
    CommandName.END: ComeToEnd(),
    CommandName.NEW_PIECE: NewPiece(),
    CommandName.RETRY: Retry(),
    CommandName.TAKE: Retry(),
    CommandName.KEEP: Keep(),
    CommandName.UNDO: Undo(),
    CommandName.CLEAR: NewPiece(),
    CommandName.PANIC: Panic(),
}

_ENDS_REPLAY = (CommandName.STOP, CommandName.PANIC)

_PLAYABLE = (MessageKind.NOTE_ON, MessageKind.NOTE_OFF, MessageKind.SUSTAIN)
MOST_WAITING = 2_000
"""With more messages than this in the engine's inbox, notes of a page are refused."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What plays, as the panel is told of it."""

    play: LivePlay
    history: EventRings
    settings: Settings
    seed: int
    provider: str
    has_midi: bool


class Controls:
    """Carry out requests, and tell how it stands."""

    def __init__(self, stage: Stage, clock: Clock) -> None:
        """Take what plays; ConfigError if the models that the settings name cannot be looked for."""
        self._stage, self._clock = stage, clock
        self._presets = Presets(stage.settings.presets)
        self.models = ModelChoice(stage.settings, stage.provider, stage.play.session, self._put)
        self._called: tuple[str, tuple[str, ...]] | None = None
        """The name of changes, and these as steps of their key, by which they are known in any key."""
        self.origin_ns = clock.now_ns()
        """From when the seconds of the API are counted."""

    @property
    def history(self) -> EventRings:
        """Return what went by."""
        return self._stage.history

    @property
    def settings(self) -> Settings:
        """Return the settings in force, the model that was chosen among them."""
        return self._stage.play.settings.model_copy(update={"model": self.models.setting})

    @property
    def take(self) -> Take:
        """Return all that was played so far."""
        return self._stage.play.partner.take

    def last(self, seconds: float) -> list[TakeRecord]:
        """Return what was played and answered in the last seconds."""
        since_ns = self._clock.now_ns() - round(seconds * _NS_PER_S)
        return self.take.last(since_ns)

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
        elif request.model is not None:
            self.models.choose(request.model)
        elif request.preset is not None:
            self._use_preset(request.command, request.preset)
        elif request.direction is not None:
            self._put(ChoosePort(request.direction, self._known_port(request.direction, request.port)))
        elif request.command is CommandName.PLAY:
            self.play(request.messages())
        elif request.command is CommandName.TAP:
            self._put(Tap(self._clock.now_ns()))
        else:
            if request.command in _ENDS_REPLAY:
                self._stage.play.beside.stop_replay()
            self._put(_PLAIN_COMMANDS[request.command])

    def status(self) -> Status:
        """Return a snapshot."""
        stage = self._stage
        listing, model = stage.play.listing, self.models.state
        if listing is not None:
            listing = without_own(listing, *stage.play.port_names)
        engine, output = stage.play.partner.engine.status(), stage.play.partner.scheduler.status()
        wires = stage.play.wires
        refused = stage.play.partner.way_in.refused + output.refused
        return Status(
            at_s=self.now_s(),
            activity=engine.performer.activity,
            mode=engine.mode,
            model=model.name,
            provider=model.provider,
            models=self.models.names,
            loading=model.loading,
            model_fault=model.fault,
            presets=self._presets.names,
            replaying=self._replaying(),
            beat_s=self.seconds(stage.play.beside.beat_ns),
            beat_bpm=stage.play.beside.tempo_bpm,
            beat_from=stage.play.beats.grid.source,
            link_peers=stage.play.beside.link_peers,
            clock=self._clock_in(),
            input=stage.play.port_names[0],
            output=stage.play.port_names[1],
            has_midi=stage.has_midi,
            inputs=listing.inputs if listing else (),
            outputs=listing.outputs if listing else (),
            players=None if wires is None else tuple(sorted(wires.players)),
            listeners=None if wires is None else tuple(sorted(wires.listeners)),
            gone=still_gone(stage.play.gone, wires),
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
            loop=self._looping(engine.performer.loop),
            trade=self._trading(engine.performer.trade),
            chart=self._chart(engine.performer.trade),
            held_chord=self._held_chord(),
            losses=Losses(output.stale, output.too_late, output.overlong, output.left_out, output.undelivered, refused),
            fault=engine.fault,
            take_fault=stage.play.take_fault,
            like=stage.play.like,
            settings={**self.settings.model_dump(include=set(CHANGEABLE)), "seed": stage.play.seed},
        )

    def _change(self, changes: Mapping[str, Any]) -> None:
        self._stage.play.change(lambda before: changed(before, changes))

    def _use_preset(self, command: CommandName, name: str) -> None:
        if command is CommandName.RECALL_PRESET:
            self._change(self._presets.recall(name))
        elif command is CommandName.SAVE_PRESET:
            self._presets.save(name, self.settings.model_dump(mode="json"))
        else:
            self._presets.forget(name)

    def play_like(self, reference: Reference | None) -> None:
        """Play like other music from now on, or like none."""
        self._stage.play.play_like(reference)

    def take_chart(self, text: str | None, name: str = "") -> None:
        """Play over changes from now on, or over none; ConfigError if they are none, or too long.

        `name` is that of the file they are from.
        """
        if text is None:
            self._stage.play.change(lambda before: before.model_copy(update={"chart": None, "chart_file": None}))
            return
        self._change({"chart": text})
        if name and (chart := self._stage.play.chart) is not None:
            self._called = (name, in_steps(chart, key_of(chart)))

    def replay(self, name: str, messages: list[TimedMessage], from_s: float) -> None:
        """Sound what was played before once more, through the output, on the channel that the model plays on."""
        channel = self.settings.output_channel - 1
        moved = [(at_ns, on_channel(data, channel)) for at_ns, data in messages]
        self._stage.play.beside.replay(name, moved, from_s)

    def set_local_control(self, *, on: bool) -> None:
        """Tell the piano at the output whether its keys play its own sound."""
        self._stage.play.beside.replay("Local Control", [(0, local_control(self.settings.output_channel, on=on))])

    def probe(self) -> None:
        """Send what means nothing to anybody, to see whether it comes back."""
        self._stage.play.beside.replay("a probe", [(0, probe(self.settings.output_channel))])

    def input_status(self) -> InputStatus | None:
        """Return what has come in over the input port; None where there is none."""
        return self._stage.play.input_status

    def stop_replay(self) -> None:
        """End it."""
        self._stage.play.beside.stop_replay()

    def _looping(self, loop: LoopStatus | None) -> Looping | None:
        if loop is None:
            return None
        length_s = round(loop.length_ns / _NS_PER_S, 6)
        return Looping(self.seconds(loop.began_ns), length_s, loop.passes, loop.layers, loop.course)

    def _trading(self, trade: TradeStatus | None) -> Trade | None:
        if trade is None:
            return None
        from_s, until_s = (None if at_ns is None else self.seconds(at_ns) for at_ns in (trade.from_ns, trade.until_ns))
        return Trade(trade.who, from_s, until_s, trade.bars)

    def _chart(self, trade: TradeStatus | None) -> ChartBars | None:
        chart = self._stage.play.chart
        if chart is None:
            return None
        key = key_of(chart)
        written = self.settings.chart_key
        roots = roots_in(written if roots_in(written)[ROOTS.index(key)] == written else key)
        names = tuple(bar_text(bar, roots) for bar in chart.bars)
        steps = in_steps(chart, key)
        first_beat = 0 if trade is None else trade.first_beat
        return ChartBars(chart.words, first_beat, key, names, steps, self._name_of(steps))

    def _name_of(self, steps: tuple[str, ...]) -> str:
        """Return what the changes in force are called; a name stays when they are moved to another key."""
        settings = self.settings
        if settings.chart is None and settings.chart_file is not None:
            self._called = (settings.chart_file.name, steps)
        elif settings.chart in KNOWN:
            self._called = (settings.chart, steps)
        if self._called is not None and self._called[1] == steps:
            return self._called[0]
        return settings.chart or ""

    def _held_chord(self) -> str | None:
        code = self._stage.play.partner.guide.held_chord(self._clock.now_ns())
        return None if code == NO_CHORD else chord_name(code)

    def _clock_in(self) -> ClockIn | None:
        beats = self._stage.play.midi_clock.beats(self._clock.now_ns())
        return None if beats is None else ClockIn(round(beats.tempo_bpm, 1), beats.runs)

    def _replaying(self) -> Replaying | None:
        clip = self._stage.play.beside.clip
        return None if clip is None else Replaying(clip.name, self.seconds(clip.begins_ns))

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
            if kind not in _PLAYABLE and not (kind is MessageKind.CHANNEL and control_of(data)):
                raise ControlError("a page plays notes, pedals and controllers, nothing else")
            if len(inbox) > MOST_WAITING and kind is MessageKind.NOTE_ON:
                raise ControlError("too many notes at once: the engine has not taken in the last ones yet")
            self._stage.play.play(data)

    def _put(self, command: Command) -> None:
        self._stage.play.partner.tell(command)


def still_gone(gone: tuple[Gone, ...], wires: Wires | None) -> tuple[Gone, ...]:
    """Leave out what went from a port of ours that somebody is connected to again."""
    others = {} if wires is None else {Direction.INPUT: wires.players, Direction.OUTPUT: wires.listeners}
    return tuple(one for one in gone if one.returns or not others.get(Direction(one.what)))
