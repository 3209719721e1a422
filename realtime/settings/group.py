"""What groups of settings are made of: their base, and kinds of values that several have."""

from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class SettingsGroup(BaseModel):
    """A group of settings, a part of `Settings`: none is ever checked alone, so that nothing is made ready for it."""

    model_config = ConfigDict(defer_build=True)


def _empty_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip() == "" else value


Optional = BeforeValidator(_empty_is_none)
"""An empty text says: none."""
