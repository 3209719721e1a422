"""What was found, in plain words, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    NOTE = "note"
    """Nothing is wrong, but it could be better or is worth knowing."""
    FAULT = "fault"
    """Something will not work, or not as it should."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of settings that mends something, and what a button for it says."""

    button: str
    settings: Mapping[str, bool | int | float | str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; what is no good comes with what to do, and, where pianod can do it itself, with the change."""

    grade: Grade
    says: str
    remedy: str = ""
    change: Change | None = None


def good(says: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(Grade.GOOD, says)


def note(says: str, remedy: str = "", change: Change | None = None) -> Finding:
    """Return that something could be better."""
    return Finding(Grade.NOTE, says, remedy, change)


def fault(says: str, remedy: str, change: Change | None = None) -> Finding:
    """Return that something is wrong, and what to do."""
    return Finding(Grade.FAULT, says, remedy, change)
