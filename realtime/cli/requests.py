"""What the commands that work on no file are asked for: one frozen, checked model per command."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class DemoRequest(BaseModel):
    """What `pianod demo` writes."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    out: Path = Field(
        default=Path("demo"), description="folder for duet.mid, duet.png, report.json and, where possible, sound"
    )


class DoctorRequest(BaseModel):
    """What `pianod doctor` looks at beside the computer."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    listen_s: float = Field(
        default=0.0, ge=0.0, le=600.0, description="seconds to listen to your keyboard, while you play some keys"
    )
    local_control: Literal["on", "off"] | None = Field(
        default=None,
        description="look at nothing: tell a piano to play its own keys itself (on), or to leave that to pianod (off)",
    )
    as_json: bool = Field(default=False, description="print what was found as JSON, for programs")


class SendRequest(BaseModel):
    """What `pianod send` tells the pianod that runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    what: str = Field(
        min_length=1,
        max_length=200,
        description="status, answer, stop, end, new_piece, retry, take, keep, undo, clear, tap, panic, or a setting: "
        "NAME=VALUE",
    )
