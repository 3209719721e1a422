"""What has been made in a folder, and from what: so that work that broke off goes on where it was.

The list is a file, `.pianod.json`, in the folder that holds what was made. While work goes on, each file that is made
adds a line beside it (`realtime.files.done_lines`), which costs the same however long the list is; at the end, and when
the list is next written, both become one again. One process writes them, on any machine that sees the folder.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from piano.errors import ConfigError
from realtime.files.done_lines import done_lines
from workers.stores import write_anywhere

NAME = ".pianod.json"
_VERSION = 1


class DoneIndex:
    """The list of one folder. What cannot be read is taken for nothing done."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._new = done_lines(folder)

    @cached_property
    def _wishes(self) -> dict[str, str]:
        """Return the wish by which each file of the folder was made."""
        found: dict[str, str] = {}
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            made = told["made"] if told["version"] == _VERSION else {}
            found |= {str(name): str(entry["wish"]) for name, entry in made.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            found = {}
        try:
            for line in self._new.read().splitlines():
                name, wish = json.loads(line)
                found[str(name)] = str(wish)
        except (OSError, ValueError, TypeError):  # a line that broke off is the last one
            pass
        return found

    @property
    def outputs(self) -> frozenset[str]:
        """Return the names of the files of this folder that were made."""
        return frozenset(self._wishes)

    def has(self, name: str, wish: str) -> bool:
        """Say whether a file was made by this very wish (see `fingerprint`) and is still there."""
        return self._wishes.get(name) == wish and self._path.with_name(name).exists()

    def add(self, names: Sequence[str], wish: str) -> None:
        """Note that files were made; ConfigError if the list cannot be written."""
        self._wishes.update(dict.fromkeys(names, wish))
        try:
            if not self._new.is_whole():
                self.settle()
            self._new.add("".join(json.dumps([name, wish]) + "\n" for name in names))
        except OSError as error:
            raise self._cannot(error) from error

    def settle(self) -> None:
        """Put the new lines into the list; ConfigError if it cannot be written."""
        try:
            if not self._new.keep():
                return
        except OSError as error:
            raise self._cannot(error) from error
        made = {name: {"wish": wish} for name, wish in sorted(self._wishes.items())}
        try:
            write_anywhere(self._path, (json.dumps({"version": _VERSION, "made": made}, indent=1) + "\n").encode())
            self._new.clear()
        except OSError as error:
            raise self._cannot(error) from error

    def _cannot(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"{self._path} cannot be written: {error.strerror or error}; choose another place with --out"
        )


class DoneIndexes:
    """The lists of several folders, each read once."""

    def __init__(self) -> None:
        self._of: dict[Path, DoneIndex] = {}

    def of(self, folder: Path) -> DoneIndex:
        """Return the list of a folder."""
        if folder not in self._of:
            self._of[folder] = DoneIndex(folder)
        return self._of[folder]

    def settle(self) -> None:
        """Put what is new into the lists."""
        for index in self._of.values():
            index.settle()


def fingerprint(data: bytes, wishes: Mapping[str, Any]) -> str:
    """Return the fingerprint of what is wanted of a file: of its bytes and of all that decides what is made of them."""
    text = json.dumps(wishes, sort_keys=True, default=str)
    return hashlib.sha256(hashlib.sha256(data).digest() + text.encode()).hexdigest()


def seed_for(seed: int, name: str, variant: int) -> int:
    """Return the seed of one variant of a file: from the seed asked for and the file's name, wherever it lies."""
    digest = hashlib.sha256(f"{seed + variant}/{name}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 2
