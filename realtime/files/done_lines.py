"""The new lines of a list of what is done, while work goes on: kept at once, at a cost that does not grow.

On a disk each line is added to one file. In a store nothing is added to what is there: the lines of a second are a file
of their own there, so that of work that is killed at most a second's files are made once more.
"""

import time
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from workers.stores import is_stored

NAME = ".pianod.new.jsonl"
_STORED = ".pianod.new-"
_EVERY_S = 1.0


class DoneLines(Protocol):
    """Lines that have been added and not yet taken over; all of it raises OSError if that cannot be."""

    def read(self) -> str:
        """Return all lines that were kept; the last one may have broken off."""

    def is_whole(self) -> bool:
        """Say whether another line may follow."""

    def add(self, text: str) -> None:
        """Keep whole lines."""

    def keep(self) -> bool:
        """Keep what has not been kept yet; say whether there is any line."""

    def clear(self) -> None:
        """Forget all lines."""


def done_lines(folder: Path) -> DoneLines:
    """Return what keeps the lines of a folder: one file on a disk, several in a store."""
    return _StoredLines(folder) if is_stored(folder) else _FileLines(folder / NAME)


class _FileLines:
    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str:
        return self._path.read_text(encoding="utf-8") if self._path.exists() else ""

    def is_whole(self) -> bool:
        return not self._path.exists() or self._path.read_bytes()[-1:] in (b"", b"\n")

    def add(self, text: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text)

    def keep(self) -> bool:
        return self._path.exists()

    def clear(self) -> None:
        self._path.unlink()


class _StoredLines:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run, self._number = uuid4().hex, 0
        self._waiting: list[str] = []
        self._kept_s = time.monotonic()

    def _files(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if path.name.startswith(_STORED))

    def read(self) -> str:
        return "".join(path.read_text(encoding="utf-8") for path in self._files())

    def is_whole(self) -> bool:
        return True

    def add(self, text: str) -> None:
        self._waiting.append(text)
        if time.monotonic() - self._kept_s >= _EVERY_S:
            self._send()

    def keep(self) -> bool:
        self._send()
        return bool(self._files())

    def _send(self) -> None:
        if self._waiting:
            name = f"{_STORED}{self._run}-{self._number:09}.jsonl"
            (self._folder / name).write_bytes("".join(self._waiting).encode())
            self._number += 1
            self._waiting.clear()
        self._kept_s = time.monotonic()

    def clear(self) -> None:
        for path in self._files():
            path.unlink()
