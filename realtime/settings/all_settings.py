"""All groups of settings in one model, in the order of the help."""

from collections.abc import Iterator
from typing import Any, Self

from pydantic import BaseModel, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from realtime.settings.call_and_response import AnswerGroup
from realtime.settings.changes import ChangesGroup
from realtime.settings.marks import SettingMark
from realtime.settings.model import ModelGroup, SamplingGroup
from realtime.settings.modes import DuetGroup, LimitGroup, LoopGroup, ModeGroup, VelocityGroup
from realtime.settings.ports import PortGroup
from realtime.settings.service import MetronomeGroup, PanelGroup, ReportGroup

PREFIX = "PIANOD_"
"""What the name of a setting begins with in the environment."""


class Settings(
    PortGroup,
    ModelGroup,
    SamplingGroup,
    ModeGroup,
    AnswerGroup,
    ChangesGroup,
    DuetGroup,
    LoopGroup,
    VelocityGroup,
    LimitGroup,
    MetronomeGroup,
    ReportGroup,
    PanelGroup,
    BaseSettings,
):
    """All settings, checked. Made by `load_settings`; `Settings()` takes the defaults and the environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, protected_namespaces=())

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_switch(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where a number is wanted: they would count as 1 and 0."""
        if isinstance(value, bool) and info.field_name and cls.model_fields[info.field_name].annotation is not bool:
            raise ValueError("must not be true or false")
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.shortest_pause_s > self.longest_pause_s:
            raise ValueError(
                f"shortest_pause_s ({self.shortest_pause_s}) must not exceed longest_pause_s ({self.longest_pause_s})"
            )
        if self.duet_lowest > self.duet_highest:
            raise ValueError(f"duet_lowest ({self.duet_lowest}) must not exceed duet_highest ({self.duet_highest})")
        if self.duet_split is not None and not self.duet_lowest < self.duet_split <= self.duet_highest:
            raise ValueError(
                f"duet_split ({self.duet_split}) must lie above duet_lowest ({self.duet_lowest}), and not above "
                f"duet_highest ({self.duet_highest})"
            )
        if self.virtual_input == self.virtual_output:
            raise ValueError(f"virtual_input and virtual_output must differ; both are {self.virtual_input!r}")
        return self


GROUPS: tuple[type[BaseModel], ...] = tuple(base for base in Settings.__bases__ if base is not BaseSettings)
"""The groups of settings, in the order of the help; the docstring of each is its title."""


def settings_by_group() -> Iterator[tuple[str, dict[str, FieldInfo]]]:
    """Yield the title of each group with its settings by name."""
    for group in GROUPS:
        yield str(group.__doc__), dict(group.model_fields)


def marked(mark: SettingMark) -> tuple[str, ...]:
    """Return the names of the settings that carry a mark, in the order of the help."""
    return tuple(name for _, fields in settings_by_group() for name, field in fields.items() if mark in field.metadata)
