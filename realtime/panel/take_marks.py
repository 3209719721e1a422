"""What the player says of takes: a name and a star each, kept in one file beside them.

A take is known by the name of its file, which stays: what the player calls it never becomes a path.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from piano.errors import ConfigError
from piano.whole_file import write_whole

MARKS = "takes.json"
LONGEST_TITLE = 80
_LARGEST_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class TakeMark:
    """What the player calls a take, and whether it has a star."""

    title: str = ""
    star: bool = False


class TakeMarks:
    """The marks in a folder of takes, read anew each time: another pianod may have written them."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / MARKS

    def read(self) -> dict[str, TakeMark]:
        """Return the marks by the names of the files; none where the file is missing, or none of ours."""
        try:
            with self._path.open("rb") as file:
                data = file.read(_LARGEST_FILE + 1)
            read: Any = json.loads(data) if len(data) <= _LARGEST_FILE else None
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(read, dict):
            return {}
        marks = {name: _mark_of(mark) for name, mark in read.items()}
        return {name: mark for name, mark in marks.items() if mark is not None}

    def write(self, marks: Mapping[str, TakeMark]) -> None:
        """Keep the marks that say something; ConfigError where they take too much room, OSError if they cannot be."""
        said = {name: asdict(mark) for name, mark in marks.items() if mark != TakeMark()}
        data = (json.dumps(said, indent=2, sort_keys=True) + "\n").encode()
        if len(data) > _LARGEST_FILE:
            raise ConfigError(f"{self._path} would have more than {_LARGEST_FILE >> 20} MiB: take some names back")
        write_whole(self._path, data)


def _mark_of(read: Any) -> TakeMark | None:
    if not isinstance(read, dict):
        return None
    title, star = read.get("title", ""), read.get("star", False)
    fits = isinstance(title, str) and len(title) <= LONGEST_TITLE and isinstance(star, bool)
    return TakeMark(title, star) if fits else None
