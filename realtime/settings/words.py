"""Settings in words: their flags, ranges and defaults for the help and the docs, and what is wrong with a value."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from types import NoneType
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

BOUNDS = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
"""How bounds are said, by the names that pydantic gives them."""

LARGEST_BOUND_SAID = 2**32
"""A bound beyond this is of no interest to a reader."""


def flag_of(name: str) -> str:
    """Return the command-line flag of a setting."""
    return "--" + name.replace("_", "-")


def default_of(field: FieldInfo) -> str:
    """Return the default of a setting as text; empty for none."""
    if field.is_required() or field.default is None or field.default == ():
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def range_of(field: FieldInfo) -> str:
    """Return what a setting may be: its choices, or its bounds; empty where any text will do."""
    kinds = [kind for kind in get_args(field.annotation) if kind is not NoneType]
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(kinds)
    kind = kinds[0] if kinds else field.annotation
    if kind is bool:
        return "true or false"
    if kind not in (int, float):
        return ""
    bounds = {name: getattr(limit, name) for limit in field.metadata for name in BOUNDS if hasattr(limit, name)}
    said = [f"{BOUNDS[name]} {bounds[name]:g}" for name in BOUNDS if abs(bounds.get(name, inf)) < LARGEST_BOUND_SAID]
    joined = " ".join(said) if {"ge", "le"} <= bounds.keys() else " and ".join(said).replace("and to", "and at most")
    return f"{'a whole number' if kind is int else 'a number'} {joined}".strip()


def notes_on(field: FieldInfo) -> str:
    """Return the range and the default of a setting as one note for the help."""
    if field.annotation is bool:
        return f"default {'on' if field.default else 'off'}"
    default = default_of(field)
    return "; ".join(note for note in (range_of(field), f"default {default}" if default else "") if note)


def fault_in_words(details: ErrorDetails, fields: Mapping[str, FieldInfo], place_of: Callable[[str], str]) -> str:
    """Say in one sentence what is wrong with a value, where it was set and what it may be."""
    said = str(details["msg"]).removeprefix("Value error, ")
    if not details["loc"]:
        return said
    name = str(details["loc"][0])
    place = place_of(name)
    if details["type"] == "missing":
        return f"{place} is missing"
    wanted = range_of(fields[name]) if name in fields else ""
    is_ours = details["type"] == "value_error"
    says = f"it must be {wanted}" if wanted else f"it {said}" if is_ours else said[:1].lower() + said[1:]
    return f"{place} is {details['input']!r}; {says}"


def faults_as_text(faults: Sequence[str], where: str) -> str:
    """Return one fault as it is, several as a list under a line that counts them."""
    if len(faults) == 1:
        return faults[0]
    return f"{len(faults)} faults in {where}:\n" + "\n".join(f"  - {fault}" for fault in faults)
