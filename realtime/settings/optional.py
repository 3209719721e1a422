"""Kinds of values that several groups of settings have."""

from typing import Any

from pydantic import BeforeValidator


def _empty_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip() == "" else value


Optional = BeforeValidator(_empty_is_none)
"""An empty text says: none."""
