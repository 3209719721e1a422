"""What groups of settings are made of: their base, and kinds of values that several have."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from realtime.settings.marks import Live, Preset


class SettingsGroup(BaseModel):
    """A group of settings, a part of `Settings`: none is ever checked alone, so that nothing is made ready for it."""

    model_config = ConfigDict(defer_build=True)


def _empty_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip() == "" else value


Optional = BeforeValidator(_empty_is_none)
"""An empty text says: none."""

AskingController = Annotated[int | None, Field(ge=0, le=119), Optional, Live]
"""The number of a controller that asks for something when it is pressed."""

AskingKey = Annotated[int | None, Field(ge=0, le=127), Optional, Live]
"""The MIDI pitch of a key that asks for something."""

KeyBetween = Annotated[int | None, Field(ge=22, le=108), Optional, Live, Preset]
"""The MIDI pitch that divides the keyboard."""

Share = Annotated[float, Live, Preset, Field(ge=0.0, le=1.0)]
"""How far, or how strongly: from not at all to wholly."""
