"""What was found, in plain words, and what to do about it."""

from collections.abc import Mapping, Sequence
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


def in_short(found: Sequence[Finding]) -> str:
    """Say in one line how things stand: what is to be mended, and what could be better."""
    faults, notes = (sum(one.grade is grade for one in found) for grade in (Grade.FAULT, Grade.NOTE))
    better = f"{notes} of {len(found)} findings could be better (--)" if notes else ""
    if faults:
        return f"{faults} of {len(found)} findings ask for something to be done (!!){f'; {better}' if better else ''}"
    return f"Nothing is wrong{f'; {better}' if better else ''}."
