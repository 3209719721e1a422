"""What has been made in a folder, and from what: so that work that broke off goes on where it was.

The list is a file, `.pianod.json`, in the folder that holds what was made. It is written whole or not at all, after
each file; one process writes it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from piano.errors import ConfigError
from piano.whole_file import write_whole

NAME = ".pianod.json"
_VERSION = 1


class DoneIndex:
    """The list of one folder. What cannot be read is taken for nothing done."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    @cached_property
    def _entries(self) -> dict[str, dict[str, Any]]:
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            made = told["made"] if told["version"] == _VERSION else {}
            return {str(name): {str(key): value for key, value in entry.items()} for name, entry in made.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    @property
    def outputs(self) -> frozenset[str]:
        """Return the names of the files of this folder that were made."""
        return frozenset(self._entries)

    def has(self, name: str, wish: str) -> bool:
        """Say whether a file was made by this very wish (see `fingerprint`) and is still there."""
        return self._entries.get(name, {}).get("wish") == wish and self._path.with_name(name).exists()

    def add(self, names: Sequence[str], wish: str) -> None:
        """Note that files were made; ConfigError if the list cannot be written."""
        for name in names:
            self._entries[name] = {"wish": wish}
        text = json.dumps({"version": _VERSION, "made": dict(sorted(self._entries.items()))}, indent=1) + "\n"
        try:
            write_whole(self._path, text.encode())
        except OSError as error:
            raise ConfigError(
                f"{self._path} cannot be written: {error.strerror or error}; choose another place with --out"
            ) from error


def fingerprint(data: bytes, wishes: Mapping[str, Any]) -> str:
    """Return the fingerprint of what is wanted of a file: of its bytes and of all that decides what is made of them."""
    text = json.dumps(wishes, sort_keys=True, default=str)
    return hashlib.sha256(hashlib.sha256(data).digest() + text.encode()).hexdigest()


def seed_for(seed: int, name: str, variant: int) -> int:
    """Return the seed of one variant of a file: from the seed asked for and the file's name, wherever it lies."""
    digest = hashlib.sha256(f"{seed + variant}/{name}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 2
