"""Settings of the ports: where the keys come from and where the sound goes."""

from typing import Annotated, Literal

from pydantic import Field

from realtime.settings.group import Optional, SettingsGroup
from realtime.settings.marks import Live, PageGroup, Shown


class PortGroup(SettingsGroup):
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
    input_channel: Annotated[int, Live, Shown(PageGroup.KEYBOARD, "Listen to channel")] = Field(
        default=0, ge=0, le=16, description="MIDI channel to listen to; 0 listens to all"
    )
    output_channel: int = Field(default=1, ge=1, le=16, description="MIDI channel to play on")
    guardian: bool = Field(
        default=True,
        description="let a small process hold the ports: it ends all notes if pianod dies",
    )
    thru: Annotated[bool, Live, Shown(PageGroup.KEYBOARD, "Pass my playing on")] = Field(
        default=False, description="pass what you play on to the output"
    )
