"""The files that a page may see: earlier takes, and pieces to look through; found by us, known by what we call them.

No path ever comes from a client: a take is asked for by its name, a piece by its number, and looked up in what was
found in the folder that the player named at the start. Links are not followed.
"""

import os
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from piano.errors import ConfigError, MidiFileError
from piano.midi.load import is_midi_name
from realtime.panel.take_marks import TakeMark, TakeMarks
from realtime.take.recovery import write_recovered

MOST_TAKES = 500
MOST_PIECES = 20_000
LARGEST_PIECE = 16 << 20
KEPT = "kept"
_DATE = re.compile(r"^\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d")
TAKE = ".mid"
"""How the name of a take ends, which we gave it."""


@dataclass(frozen=True, slots=True)
class TakeEntry:
    """An earlier take: its file's name, when it was written, in seconds since 1970, its size, and its marks."""

    name: str
    written_s: float
    bytes: int
    title: str = ""
    """What the player calls it; else the name of its file, where that says more than a date."""
    star: bool = False


class Takes:
    """The takes in a folder, those with a star first, then the newest. Takes a moment: for threads beside the loop."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else folder.expanduser()
        self._marks = None if self._folder is None else TakeMarks(self._folder)
        self._changing = threading.Lock()

    def entries(self) -> list[TakeEntry]:
        """Return the takes there are."""
        return [entry for entry, _ in self._found()]

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a take; None if there is none of that name. MidiFileError if it cannot be read."""
        path = self._path_of(name)
        return None if path is None else read_piece(path)

    def keep(self, midi: bytes) -> str:
        """Write a MIDI file among the takes, return its name; ConfigError if none are kept, OSError if it cannot be."""
        if self._folder is None:
            raise ConfigError("no takes are kept: start pianod with --takes FOLDER")
        self._folder.mkdir(parents=True, exist_ok=True)
        path = write_recovered(self._folder / f"{datetime.now():%Y-%m-%d %H.%M.%S} {KEPT}{TAKE}", midi)
        return path.name

    def mark(self, name: str, title: str | None, star: bool | None) -> bool:
        """Give a take a name, or a star, or take them back; False if there is none. ConfigError, OSError: not kept."""
        if self._marks is None or self._path_of(name) is None:
            return False
        with self._changing:
            marks = self._marks.read()
            before = marks.get(name, TakeMark())
            after = TakeMark(before.title if title is None else title, before.star if star is None else star)
            self._marks.write({**marks, name: after})
        return True

    def delete(self, name: str) -> bool:
        """Delete a take for good; False if there is none, OSError where it cannot be."""
        path = self._path_of(name)
        if self._marks is None or path is None:
            return False
        with self._changing:
            path.unlink(missing_ok=True)
            marks = self._marks.read()
            if marks.pop(name, None) is not None:
                self._marks.write(marks)
        return True

    def _path_of(self, name: str) -> Path | None:
        return next((path for entry, path in self._found() if entry.name == name), None)

    def _found(self) -> list[tuple[TakeEntry, Path]]:
        if self._folder is None or self._marks is None:
            return []
        marks = self._marks.read()
        found: list[tuple[TakeEntry, Path]] = []
        try:
            with os.scandir(self._folder) as files:
                for file in files:
                    if file.name.endswith(TAKE) and file.is_file(follow_symlinks=False):
                        status = file.stat(follow_symlinks=False)
                        mark = marks.get(file.name, TakeMark())
                        title = mark.title or _title_of(file.name)
                        entry = TakeEntry(file.name, status.st_mtime, status.st_size, title, mark.star)
                        found.append((entry, Path(file.path)))
        except OSError:
            return []  # there is no folder before the first take
        found.sort(key=lambda take: (not take[0].star, -take[0].written_s, take[0].name))
        return found[:MOST_TAKES]


def _title_of(name: str) -> str:
    """Return what the name of a file says beside the date that stands beside it anyway."""
    stem = name.removesuffix(TAKE)
    return _DATE.sub("", stem).strip() if _DATE.match(stem) else stem


class Pieces:
    """The MIDI files of a folder and those below it, by number; looked for once, on a thread beside the loop."""

    def __init__(self, folder: Path | None) -> None:
        """Take the folder; ConfigError if there is no such one."""
        self._folder = None if folder is None else folder.expanduser()
        if self._folder is not None and not self._folder.is_dir():
            raise ConfigError(f"--review {folder} is no folder: name one with MIDI files in it")
        self._paths: list[Path] | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is anything to look through."""
        return self._folder is not None

    def names(self) -> list[str]:
        """Return what the pieces are called: their places below the folder, in order."""
        folder = self._folder
        return [] if folder is None else [str(path.relative_to(folder)) for path in self._all(folder)]

    def read(self, number: int) -> bytes | None:
        """Return the bytes of a piece; None if there is none of that number. MidiFileError if it cannot be read."""
        paths = [] if self._folder is None else self._all(self._folder)
        return read_piece(paths[number]) if 0 <= number < len(paths) else None

    def _all(self, folder: Path) -> list[Path]:
        if self._paths is None:
            found = (
                Path(place) / name
                for place, _, names in os.walk(folder)
                for name in names
                if _is_midi(Path(place) / name)
            )
            self._paths = sorted(path for path, _ in zip(found, range(MOST_PIECES), strict=False))
        return self._paths


def _is_midi(path: Path) -> bool:
    return is_midi_name(path.name) and not path.is_symlink()


def read_piece(path: Path) -> bytes:
    """Return the bytes of a MIDI file; MidiFileError if it cannot be read, or is too large to be shown."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_PIECE + 1)
    except OSError as error:
        raise MidiFileError(f"{path.name} cannot be read: {error.strerror}") from error
    if len(data) > LARGEST_PIECE:
        raise MidiFileError(f"{path.name} has more than {LARGEST_PIECE >> 20} MiB, which is the most that is shown")
    return data
