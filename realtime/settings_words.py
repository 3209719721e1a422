"""Settings in words: their flags, ranges and defaults for the help and the docs, and what is wrong with a value."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

LARGEST_BOUND_SAID = 2**32
"""A bound beyond this is of no interest to a reader."""


def flag_of(name: str) -> str:
    """Return the command-line flag of a setting."""
    return "--" + name.replace("_", "-")


def default_of(field: FieldInfo) -> str:
    """Return the default of a setting as text; empty for none."""
    if field.is_required() or field.default is None:
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def range_of(field: FieldInfo) -> str:
    """Return what a setting may be: its choices, or its bounds; empty where any text will do."""
    annotated: Any = Annotated[field.annotation, field]
    schema = TypeAdapter(annotated).json_schema()
    schema = next((part for part in schema.get("anyOf", ()) if part.get("type") != "null"), schema)
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if schema.get("type") == "boolean":
        return "true or false"
    if schema.get("type") not in ("integer", "number"):
        return ""
    kind = "a whole number" if schema["type"] == "integer" else "a number"
    bounds = [f"from {schema['minimum']:g}"] if "minimum" in schema else []
    bounds += [f"above {schema['exclusiveMinimum']:g}"] if "exclusiveMinimum" in schema else []
    bounds += [f"to {schema['maximum']:g}"] if "maximum" in schema else []
    if schema.get("exclusiveMaximum", LARGEST_BOUND_SAID) < LARGEST_BOUND_SAID:
        bounds.append(f"below {schema['exclusiveMaximum']:g}")
    joined = " ".join(bounds) if "minimum" in schema and "maximum" in schema else " and ".join(bounds)
    return f"{kind} {joined.replace('and to', 'and at most')}".strip()


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
