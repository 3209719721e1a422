"""The control API: commands in, status out, in one version. Records and their JSON, with limits; no socket, no thread.

A page of the panel and a script speak the same. docs/control-api.md tells all of it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from types import NoneType
from typing import Annotated, Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError, model_validator
from pydantic.fields import FieldInfo

from piano.errors import ConfigError, PianodError
from piano.tokens.styles import COMPOSERS
from realtime.midi.gone_ports import Gone
from realtime.midi.ports import Direction
from realtime.settings import PageGroup, SettingMark, Settings, Shown, marked, settings_by_group
from realtime.settings.words import BOUNDS, fault_in_words, faults_as_text
from realtime.threads.lateness import LatenessSummary

VERSION = 1

LONGEST_REQUEST = 16_384
"""Bytes of a request; a longer one is refused unread."""

MOST_MESSAGES = 64
"""MIDI messages in one request."""

CHANGEABLE = marked(SettingMark.LIVE)
"""The settings that can be changed while it plays."""


class ControlError(PianodError):
    """A request that cannot be read or carried out."""


class CommandName(StrEnum):
    """What can be asked for."""

    ANSWER = "answer"
    STOP = "stop"
    END = "end"
    NEW_PIECE = "new_piece"
    RETRY = "retry"
    TAKE = "take"
    KEEP = "keep"
    UNDO = "undo"
    CLEAR = "clear"
    TAP = "tap"
    PANIC = "panic"
    CHANGE = "change"
    CHOOSE_PORT = "choose_port"
    CHOOSE_MODEL = "choose_model"
    SAVE_PRESET = "save_preset"
    RECALL_PRESET = "recall_preset"
    FORGET_PRESET = "forget_preset"
    PLAY = "play"


MidiHex = Annotated[str, StringConstraints(pattern=r"^[89ab][0-9a-f](?:[0-7][0-9a-f]){2}$")]
"""A note-on, note-off, polyphonic pressure or control change in hexadecimal, six lower-case digits."""


PresetName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]

_GOES_WITH: Mapping[str, tuple[CommandName, ...]] = {
    "settings": (CommandName.CHANGE,),
    "midi": (CommandName.PLAY,),
    "direction": (CommandName.CHOOSE_PORT,),
    "model": (CommandName.CHOOSE_MODEL,),
    "preset": (CommandName.SAVE_PRESET, CommandName.RECALL_PRESET, CommandName.FORGET_PRESET),
}
"""What a command must come with, and no other may."""

NEEDS_MORE = frozenset(command for commands in _GOES_WITH.values() for command in commands)
"""The commands that say nothing by their name alone."""


class Request(BaseModel):
    """One command of a client, as it comes over the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1, le=1, strict=True)
    id: int = Field(ge=0, lt=2**53, strict=True)
    command: CommandName
    settings: dict[str, JsonValue] | None = Field(default=None, min_length=1, max_length=len(CHANGEABLE))
    midi: tuple[MidiHex, ...] | None = Field(default=None, min_length=1, max_length=MOST_MESSAGES)
    direction: Direction | None = None
    port: str | None = Field(default=None, min_length=1, max_length=256)
    model: str | None = Field(default=None, min_length=1, max_length=256)
    preset: PresetName | None = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for field, commands in _GOES_WITH.items():
            if (self.command in commands) != (getattr(self, field) is not None):
                raise ValueError(f"{field} goes with the command {' or '.join(commands)}, and only with it")
        if self.port is not None and self.command is not CommandName.CHOOSE_PORT:
            raise ValueError("port goes with the command choose_port only")
        return self

    def messages(self) -> tuple[bytes, ...]:
        """Return the MIDI messages of a request to play."""
        return tuple(bytes.fromhex(text) for text in self.midi or ())


def decode_request(text: str) -> Request:
    """Return a request from its JSON; ControlError says what is wrong with it."""
    if len(text) > LONGEST_REQUEST:
        raise ControlError(f"a request has at most {LONGEST_REQUEST} characters, not {len(text)}")
    try:
        return Request.model_validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        places = {".".join(str(part) for part in fault["loc"]) or "request": str(fault["msg"]) for fault in faults[:5]}
        raise ControlError("; ".join(f"{place}: {fault}" for place, fault in places.items())) from error


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Return settings with some of them changed; ControlError if one may not be, ConfigError if a value may not be."""
    for name in changes:
        if name not in CHANGEABLE:
            raise ControlError(f"{name[:60]!r} cannot be changed while it plays; these can: {', '.join(CHANGEABLE)}")
    try:
        return Settings.model_validate({**settings.model_dump(), **changes})
    except ValidationError as error:
        faults = [
            fault_in_words(details, Settings.model_fields, lambda name: name)
            for details in error.errors(include_url=False)
        ]
        raise ConfigError(faults_as_text(faults, "the settings")) from error


@dataclass(frozen=True, slots=True)
class SettingDescription:
    """What a client needs to show a setting: its kind is number, whole, switch, choice or text."""

    name: str
    group: str
    description: str
    kind: str
    optional: bool
    choices: tuple[str, ...]
    bounds: dict[str, float]
    """By ge, gt, le, lt."""
    label: str
    section: str
    """The heading under which the panel shows it."""
    modes: tuple[str, ...]
    """In which modes it shows that; none means in all of them."""
    slider: tuple[float, float, float] | None
    """From which value to which a slider runs, in which steps; a number is typed where there is none."""
    none: str
    """What it is called to have no value."""
    knob_of: tuple[str, ...]
    """In which modes it is one of the few knobs of the plain face, by the words `knob`."""
    knob: str


_KINDS = {"float": "number", "int": "whole", "bool": "switch"}


def descriptions() -> tuple[SettingDescription, ...]:
    """Return the settings that can be changed, in the order in which the panel shows them."""
    described = [
        (list(PageGroup).index(shown.group), _describe(name, group, field, shown))
        for group, fields in settings_by_group()
        for name, field in fields.items()
        for shown in field.metadata
        if isinstance(shown, Shown)
    ]
    return tuple(description for _, description in sorted(described, key=lambda entry: entry[0]))


def _describe(name: str, group: str, field: FieldInfo, shown: Shown) -> SettingDescription:
    annotation = field.annotation
    is_plain = get_origin(annotation) is Literal
    inner = [] if is_plain else [kind for kind in get_args(annotation) if kind is not NoneType]
    plain = inner[0] if inner else annotation
    is_choice = get_origin(plain) is Literal or name == "composer"
    kind = "choice" if is_choice else _KINDS.get(str(getattr(plain, "__name__", "")), "text")
    return SettingDescription(
        name=name,
        group=group,
        description=str(field.description),
        kind=kind,
        optional=bool(inner),
        choices=() if not is_choice else COMPOSERS if name == "composer" else get_args(plain),
        bounds={bound: getattr(limit, bound) for limit in field.metadata for bound in BOUNDS if hasattr(limit, bound)},
        label=shown.label,
        section=shown.group.title,
        modes=shown.group.modes,
        slider=shown.slider,
        none=shown.none,
        knob_of=shown.knob_of,
        knob=shown.knob or shown.label,
    )


@dataclass(frozen=True, slots=True)
class Looping:
    """A loop that goes round, or has been stopped: when its pass began, how long it is, and what it consists of."""

    began_s: float
    length_s: float
    passes: int
    """How many were played before this one."""
    layers: int
    course: str
    """What becomes of the answer at the seam: renew, hold, or keep (and what is played becomes a layer)."""


@dataclass(frozen=True, slots=True)
class Trade:
    """Bars that are traded: whose turn it is (waiting, player or pianod), since when, until when, of how many bars."""

    who: str
    from_s: float | None
    until_s: float | None
    bars: int


@dataclass(frozen=True, slots=True)
class ChartBars:
    """The changes as they are written, by bar, and the beat with which they begin."""

    bars: tuple[str, ...]
    first_beat: int
    key: str
    """The key that they are in: that of their steps, or the one to which most of the chords belong."""
    names: tuple[str, ...]
    """Each bar with its chords by name."""
    steps: tuple[str, ...]
    """Each bar with its chords as steps of the key."""
    name: str
    """What they are called: the file that they are from, or as they were written."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What did not go the usual way, in messages since the start."""

    stale: int
    too_late: int
    overlong: int
    left_out: int
    undelivered: int
    overload: int
    """What neither the model nor the output could take any more: too much came at once."""


@dataclass(frozen=True, slots=True)
class Replaying:
    """What sounds again through the output: its name, and when its beginning sounds, or would have."""

    name: str
    begins_s: float


@dataclass(frozen=True, slots=True)
class ClockIn:
    """A MIDI clock that comes in."""

    tempo_bpm: float
    runs: bool
    """Not while it has been stopped."""


@dataclass(frozen=True, slots=True)
class Status:
    """How the daemon stands: an immutable snapshot. Moments are seconds since it started."""

    at_s: float
    activity: str
    mode: str
    model: str
    provider: str
    models: tuple[str, ...]
    """The models there are to choose from."""
    loading: str | None
    """The model that is being loaded."""
    model_fault: str | None
    """Why the last choice of a model came to nothing."""
    presets: tuple[str, ...]
    replaying: Replaying | None
    beat_s: float
    """When a first beat of the metronome lay; all others lie on the grid from there."""
    beat_bpm: float | None
    """The tempo of that grid; null while a MIDI clock that it follows halts."""
    beat_from: str
    """What the beats come from: set, taps, playing, link or clock."""
    link_peers: int | None
    """How many others are in the Ableton Link session; null while none is taken part in."""
    clock: ClockIn | None
    """The MIDI clock that comes in; null if none does."""
    input: str
    output: str
    has_midi: bool
    """Whether there is a MIDI system; without one a page is keyboard and sound."""
    inputs: tuple[str, ...]
    """The ports there are to listen to."""
    outputs: tuple[str, ...]
    """The ports there are to play on."""
    players: tuple[str, ...] | None
    """Who plays into a port of pianod's own, by the names of their ports; null where that cannot be known."""
    listeners: tuple[str, ...] | None
    """Who listens to a port of pianod's own."""
    gone: tuple[Gone, ...]
    """What was connected and is not any more."""
    answers: int
    interruptions: int
    heard: int
    sent: int
    waiting: int
    sounding: tuple[int, ...]
    """The model's pitches that sound."""
    planned: int
    """Events that wait for their moment."""
    pedal: bool
    context_fill: float
    stream_tokens: int
    hearing: LatenessSummary
    lateness: LatenessSummary
    loop: Looping | None
    trade: Trade | None
    chart: ChartBars | None
    held_chord: str | None
    """The chord that the left hand holds, where it leads; null where it does not, or none is known yet."""
    losses: Losses
    fault: str | None
    take_fault: str | None
    """Why what is played is not being written to the disk; null where it is, or is not to be."""
    like: str | None
    """The name of the file that is played like."""
    settings: Mapping[str, Any]


def encode_message(kind: str, **fields: Any) -> str:
    """Return one message to a client as JSON."""
    return json.dumps({"type": kind, "version": VERSION, **fields}, separators=(",", ":"), allow_nan=False)


def encode_status(status: Status) -> str:
    """Return a status as JSON."""
    return encode_message("status", **asdict(status))
