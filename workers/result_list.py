"""The list of what is done: results by key, each added to a file as it comes, so that work that broke off goes on.

The file begins with a line that says what it is. A result is a line of JSON, its key, what is told of it and how many
bytes follow, then these bytes and a line's end. One that broke off is the last, and is cut away.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from piano.errors import ConfigError

_HEAD = b'{"pianod": "results", "version": 1}\n'


class Stored(NamedTuple):
    """A result as it lies in the file: what JSON can say of it, and bytes."""

    told: Any
    data: bytes = b""


class ResultList:
    """The list in a file, which one process writes; without one, nothing is kept. ConfigError if that cannot be."""

    def __init__(self, path: Path | None = None) -> None:
        self._file: IO[bytes] | None = None
        self._path = path
        self._places: dict[bytes, int] = {}
        if path is None:
            return
        try:
            self._file = path.open("r+b" if path.exists() else "w+b")
            self._read_all()
        except OSError as error:
            raise self._cannot(error) from error

    def __del__(self) -> None:
        self.close()

    def __len__(self) -> int:
        """Return how many results were there when it was opened."""
        return len(self._places)

    def find(self, key: str) -> int | None:
        """Return where the result of a key lies, if it was there when the list was opened."""
        return self._places.get(bytes.fromhex(key))

    def at(self, place: int) -> Stored:
        """Return the result at a place."""
        try:
            if self._file is None:
                raise ValueError("nothing is kept in this list")
            self._file.seek(place)
            _, told, size = json.loads(self._file.readline())
            return Stored(told, self._file.read(size))
        except OSError as error:
            raise self._cannot(error) from error

    def add(self, key: str, result: Stored) -> None:
        """Keep a result; what is added now is found when the list is next opened."""
        if self._file is None:
            return
        try:
            self._file.seek(0, os.SEEK_END)
            line = json.dumps([key, result.told, len(result.data)]).encode()
            self._file.write(b"".join((line, b"\n", result.data, b"\n")))
            self._file.flush()
        except OSError as error:
            raise self._cannot(error) from error

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def forget(self) -> None:
        """Remove the file: all is done."""
        self.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _read_all(self) -> None:
        """Note where each result lies, and cut away one that broke off."""
        assert self._file is not None
        head = self._file.read(len(_HEAD))
        if not _HEAD.startswith(head):
            raise ConfigError(f"{self._path}: is no list of what is done; name another file, or one that is not there")
        if head != _HEAD:
            self._file.seek(0)
            self._file.write(_HEAD)
        end = len(_HEAD)
        while line := self._file.readline():
            try:
                key, _, size = json.loads(line)
                self._file.seek(size, os.SEEK_CUR)
                if self._file.read(1) != b"\n":
                    break
                self._places[bytes.fromhex(key)] = end
            except (ValueError, TypeError):
                break
            end = self._file.tell()
        self._file.truncate(end)

    def _cannot(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"{self._path}: the list of what is done cannot be read or written ({error.strerror or error}); choose "
            "another place"
        )


def key_of(*parts: object) -> str:
    """Return what stands for data of any depth: words, numbers, arrays, records and what holds them.

    TypeError for what has no contents that say what it is, such as a function.
    """
    digest = hashlib.sha256()
    _take(digest, parts)
    return digest.hexdigest()


def _take(digest: Any, part: Any) -> None:
    if isinstance(part, Enum):
        digest.update(f"e{type(part).__name__}.{part.name};".encode())
    elif part is None or isinstance(part, str | int | float | Path):
        digest.update(f"{type(part).__name__}{part!r};".encode())
    elif isinstance(part, bytes):
        digest.update(f"b{len(part)};".encode() + part)
    elif isinstance(part, np.ndarray | np.generic):
        digest.update(f"a{part.dtype!r}{part.shape};".encode() + part.tobytes())
    elif is_dataclass(part):
        _take(digest, [type(part).__name__, *(getattr(part, field.name) for field in fields(part))])
    elif isinstance(part, Mapping):
        _take(digest, [*part.items()])
    elif isinstance(part, list | tuple):
        digest.update(f"l{len(part)};".encode())
        for each in part:
            _take(digest, each)
    else:
        raise TypeError(f"{type(part).__name__} has no contents that a key can be made of")
