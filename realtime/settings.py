"""Every setting of the daemon, in one model: defaults < TOML file < environment (`PIANOD_…`) < command line.

A setting has one name everywhere: `temperature` in the TOML file, `PIANOD_TEMPERATURE` in the environment and
`--temperature` on the command line. Its description, unit, range and default are read from here by `--help` and
by docs/settings.md. The groups are classes of their own, so that a function can ask for the one that it needs.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from piano.errors import ConfigError
from piano.vocabulary import COMPOSERS
from realtime.settings_words import fault_in_words, faults_as_text, flag_of

PREFIX = "PIANOD_"
"""What the name of a setting begins with in the environment."""

SET_UP_PREFIX = "PIANOD_SETUP_"
"""Variables that steer bin/pianod's set-up, and are no settings of the daemon."""

DEFAULT_FILE = Path("pianod.toml")
"""The TOML file that is read where it exists in the working directory, unless another is named."""


def _empty_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip() == "" else value


def _known_composer(name: str) -> str:
    if name not in COMPOSERS:
        raise ValueError(f"must be one of {', '.join(COMPOSERS)}")
    return name


Optional = BeforeValidator(_empty_is_none)
"""An empty text says: none."""


class PortSettings(BaseModel):
    """MIDI ports"""

    api: Literal["auto", "alsa", "jack", "core", "windows"] = Field(
        default="auto", description="MIDI system to use; auto takes the first that works"
    )
    input: Annotated[str | None, Optional] = Field(
        default=None,
        description="name, or part of the name, of the port your keyboard is on; a virtual port if not given",
    )
    output: Annotated[str | None, Optional] = Field(
        default=None,
        description="name, or part of the name, of the port that makes the sound; a virtual port if not given",
    )
    virtual_input: str = Field(
        default="pianod in",
        min_length=1,
        max_length=60,
        description="name of the virtual input port, where one is opened",
    )
    virtual_output: str = Field(
        default="pianod out",
        min_length=1,
        max_length=60,
        description="name of the virtual output port, where one is opened",
    )
    input_channel: int = Field(default=0, ge=0, le=16, description="MIDI channel to listen to; 0 listens to all")
    output_channel: int = Field(default=1, ge=1, le=16, description="MIDI channel to play on")
    thru: bool = Field(default=False, description="pass what you play on to the output")


class ModelSettings(BaseModel):
    """Model"""

    model: str = Field(
        default="embedded", min_length=1, description="folder of a model bundle, or embedded for the one inside"
    )
    provider: Literal["auto", "cpu", "cuda", "tensorrt"] = Field(
        default="auto", description="what the model runs on; auto takes the fastest that is there"
    )
    threads: int = Field(
        default=0, ge=0, le=64, description="threads that the model may use on the CPU; 0 chooses by the cores"
    )


class SamplingSettings(BaseModel):
    """Sampling"""

    temperature: float = Field(
        default=1.0,
        gt=0.0,
        le=2.0,
        description="how adventurous the notes are: 1 as in the music learned from, less is tamer",
    )
    top_k: int = Field(default=0, ge=0, le=1000, description="draw from the k likeliest tokens only; 0 from all")
    top_p: float = Field(
        default=0.98,
        gt=0.0,
        le=1.0,
        description="draw from the likeliest tokens that make up this share of the probability",
    )
    min_p: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        description="drop tokens less likely than this share of the likeliest one's probability",
    )
    seed: Annotated[int | None, Optional] = Field(
        default=None,
        ge=0,
        lt=2**63,
        description="the same seed and the same playing give the same notes; a fresh one if not given",
    )
    greedy: bool = Field(default=False, description="always take the likeliest token, whatever else is set")


class ModeSettings(BaseModel):
    """Way of playing"""

    mode: Literal["answer", "duet", "velocity"] = Field(
        default="answer",
        description="answer your phrases, play along as a duet, or give back your keys with better velocities",
    )
    mode_by_program: bool = Field(
        default=False,
        description="let program changes of your keyboard choose the mode: 0 answer, 1 duet, 2 velocity",
    )
    mode_cc: Annotated[int | None, Optional] = Field(
        default=None,
        ge=0,
        le=119,
        description="number of a controller that chooses the mode: answer, duet and velocity each have a third of it",
    )


class DuetSettings(BaseModel):
    """Duet"""

    duet_lowest: int = Field(default=21, ge=21, le=108, description="lowest MIDI pitch that the model may strike")
    duet_highest: int = Field(default=108, ge=21, le=108, description="highest MIDI pitch that the model may strike")
    duet_loudest: int = Field(default=127, ge=1, le=127, description="highest MIDI velocity of the model")
    restraint: float = Field(
        default=0.0,
        ge=-3.0,
        le=6.0,
        description="how much the model holds its keys back; 0 as in the music learned",
    )
    when_alone: Literal["end", "hold", "continue"] = Field(
        default="end", description="what the model does when you have stopped: end, strike nothing new, or play on"
    )
    alone_after_s: float = Field(
        default=4.0, ge=0.5, le=60.0, description="seconds without a key of yours after which you have stopped"
    )


class VelocitySettings(BaseModel):
    """Velocity"""

    strength: float = Field(
        default=0.5,
        ge=0.0,
        le=1.0,
        description="how far your keyboard's velocities are mended: 0 passes them through, 1 ignores them",
    )
    velocity_wait_ms: float = Field(
        default=10.0,
        ge=1.0,
        le=50.0,
        description="milliseconds after which a key goes out with the velocity that it came with",
    )


class AnswerSettings(BaseModel):
    """Call and response"""

    trigger: Literal["pause", "pedal", "key", "cc"] = Field(
        default="pause", description="what asks for an answer: a pause in your playing, a pedal, a key, or a controller"
    )
    shortest_pause_s: float = Field(
        default=0.7,
        ge=0.1,
        le=10.0,
        description="seconds of rest that end a fast phrase; the pause adapts to how you play",
    )
    longest_pause_s: float = Field(default=1.5, ge=0.1, le=10.0, description="seconds of rest that end any phrase")
    trigger_pedal: Literal["soft", "sostenuto"] = Field(
        default="soft", description="pedal that asks for an answer, with trigger = pedal"
    )
    trigger_key: int = Field(
        default=21,
        ge=0,
        le=127,
        description="MIDI pitch of the key that asks for an answer, with trigger = key; 21 is the lowest A",
    )
    trigger_cc: int = Field(
        default=80, ge=0, le=119, description="number of the controller that asks for an answer, with trigger = cc"
    )
    answer: Literal["endless", "phrase"] = Field(
        default="endless", description="play on until you play again, or about as long as your phrase and end at a rest"
    )
    composer: Annotated[Annotated[str, AfterValidator(_known_composer)] | None, Optional] = Field(
        default=None, description=f"whose manner to play in ({', '.join(COMPOSERS)}); yours if not given"
    )
    density: Annotated[float | None, Optional] = Field(
        default=None, gt=0.0, le=40.0, description="how busy to play, in notes per second; as busy as you if not given"
    )


class LimitSettings(BaseModel):
    """Limits"""

    longest_note_s: float = Field(
        default=5.0,
        ge=0.1,
        le=120.0,
        description="seconds after which the model lifts a key; 999 of 1,000 played notes are shorter than 5",
    )
    max_polyphony: int = Field(default=24, ge=1, le=88, description="most keys that the model may hold at once")


class ReportSettings(BaseModel):
    """Recording and logs"""

    takes: Annotated[Path | None, Optional] = Field(
        default=None, description="folder into which each session is recorded as a MIDI file; not recorded if not given"
    )
    verbosity: int = Field(
        default=0,
        ge=0,
        le=2,
        description="0 tells what a player should know, 1 (-v) what happens, 2 (-v -v) everything",
    )


class PanelSettings(BaseModel):
    """Panel"""

    panel: bool = Field(
        default=True, description="serve the panel, a page that shows what is played, steers it and plays it"
    )
    panel_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=255,
        description="address to serve the panel on; any other than this machine's own asks visitors for a token",
    )
    panel_port: int = Field(
        default=8765, ge=0, le=65535, description="port to serve the panel on; 0, or one that is taken, means any"
    )
    open: bool = Field(default=False, description="open the panel in the browser at the start")


GROUPS: tuple[type[BaseModel], ...] = (
    PortSettings,
    ModelSettings,
    SamplingSettings,
    ModeSettings,
    AnswerSettings,
    DuetSettings,
    VelocitySettings,
    LimitSettings,
    ReportSettings,
    PanelSettings,
)
"""The groups of settings, in the order of the help; the docstring of each is its title."""


class Settings(
    PortSettings,
    ModelSettings,
    SamplingSettings,
    ModeSettings,
    AnswerSettings,
    DuetSettings,
    VelocitySettings,
    LimitSettings,
    ReportSettings,
    PanelSettings,
    BaseSettings,
):
    """All settings, checked. Made by `load_settings`; `Settings()` takes the defaults and the environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, protected_namespaces=())

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.shortest_pause_s > self.longest_pause_s:
            raise ValueError(
                f"shortest_pause_s ({self.shortest_pause_s}) must not exceed longest_pause_s ({self.longest_pause_s})"
            )
        if self.duet_lowest > self.duet_highest:
            raise ValueError(f"duet_lowest ({self.duet_lowest}) must not exceed duet_highest ({self.duet_highest})")
        if self.virtual_input == self.virtual_output:
            raise ValueError(f"virtual_input and virtual_output must differ; both are {self.virtual_input!r}")
        return self


def settings_by_group() -> Iterator[tuple[str, dict[str, FieldInfo]]]:
    """Yield the title of each group with its settings by name."""
    for group in GROUPS:
        yield str(group.__doc__), dict(group.model_fields)


def load_settings(flags: Mapping[str, Any] | None = None, *, config: Path | None = None) -> Settings:
    """Return the settings from all four places; `flags` are the settings given on the command line.

    `config` names the TOML file; without it, `pianod.toml` in the working directory is read where there is one.
    Raises ConfigError, which tells all faults at once, each with the place it comes from.
    """
    flags = dict(flags or {})
    path = config or DEFAULT_FILE
    from_file = _read_toml(path) if config or path.is_file() else {}

    class FileBelowEnvironment(Settings):
        """The settings with one file among their sources."""

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],  # noqa: ARG003
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[Any, ...]:
            return init_settings, env_settings, lambda: from_file

    faults = []
    settings = None
    try:
        settings = FileBelowEnvironment(**flags)
    except ValidationError as error:
        faults = [
            f"{details['loc'][0]} in {path} is no setting{_perhaps(str(details['loc'][0]))}"
            if details["type"] == "extra_forbidden"
            else fault_in_words(details, Settings.model_fields, lambda name: _place_of(name, flags, path))
            for details in error.errors(include_url=False)
        ]
    faults += [f"{name} in the environment is no setting{_perhaps(_bare(name))}" for name in _strange_variables()]
    if settings is None or faults:
        raise ConfigError(faults_as_text(faults, "the settings"))
    return settings


def _bare(variable: str) -> str:
    return variable.removeprefix(PREFIX).lower()


def _strange_variables() -> list[str]:
    """Return the variables of the environment that look like settings and are none."""
    ours = (name for name in sorted(os.environ) if name.startswith(PREFIX) and not name.startswith(SET_UP_PREFIX))
    return [name for name in ours if _bare(name) not in Settings.model_fields]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not a TOML file: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a TOML file: it is not text in UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; name another with --config") from error


def _place_of(name: str, flags: Mapping[str, Any], path: Path) -> str:
    """Return where a setting got its value, as the user wrote it."""
    if name in flags:
        return flag_of(name)
    if f"{PREFIX}{name}".upper() in (key.upper() for key in os.environ):
        return f"{PREFIX}{name.upper()}"
    return f"{name} in {path}"


def _perhaps(name: str) -> str:
    near = difflib.get_close_matches(name, Settings.model_fields, n=1)
    return f"; perhaps {near[0]}" if near else "; docs/settings.md lists them all"
