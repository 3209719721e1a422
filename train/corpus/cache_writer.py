"""The note cache as it is written: each piece goes to the disk when it comes, so that no number of them fills memory.

The columns wait in temporary files beside the cache, byte plane by byte plane, since how wide a column is is known at
the end; then they are put into the archive of `train.corpus.note_cache`, block by block.
"""

import json
import os
import tempfile
import zipfile
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from piano.errors import CorpusError
from train.corpus.note_cache import (
    COLUMNS,
    FORMAT_VERSION,
    Columns,
    Piece,
    archive_for,
    put_member,
)

_BLOCK = 1 << 20
_KNOWN = tuple(each.name for each in fields(Piece))
_WIDEST = 4
"""The bytes of the widest column that `pack` makes."""


class CacheWriter:
    """A note cache that is being written to `path`; `with` holds its temporary files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = ExitStack()
        self._planes: dict[str, list[_Plane]] = {}
        self._largest = dict.fromkeys(COLUMNS, 0)
        self._counts = {name: array("q") for name in ("notes", "pedals", "cues")}

    def __enter__(self) -> "CacheWriter":
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            for name in COLUMNS:
                self._planes[name] = [
                    _Plane(self._files.enter_context(tempfile.TemporaryFile(dir=self._path.parent)))  # noqa: SIM115
                    for _ in range(_WIDEST)
                ]
        except OSError as error:
            self._files.close()
            raise self._cannot(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._files.close()

    def __len__(self) -> int:
        """Return how many pieces are in it."""
        return len(self._counts["notes"])

    def add(self, columns: Columns) -> None:
        """Take the columns of the next piece, see `pack`; CorpusError if the disk is full."""
        for name, length in (("notes", "pitch"), ("pedals", "pedal_ms"), ("cues", "cue_ms")):
            self._counts[name].append(columns[length].size)
        try:
            for name, planes in self._planes.items():
                column = columns[name]
                largest = int(column.max(initial=0))
                self._largest[name] = max(self._largest[name], largest)
                octets = column.astype(column.dtype.newbyteorder("<"), copy=False).view(np.uint8)
                width = column.itemsize
                for byte, plane in enumerate(planes):
                    if byte < width:
                        plane.write(octets[byte::width].tobytes())
                    else:
                        plane.zeros += column.size
        except OSError as error:
            raise self._cannot(error) from error

    def finish(self, pieces: Iterable[Piece]) -> None:
        """Write the cache, which appears whole or not at all; `pieces` are those that were added, in their order."""
        widths = {name: np.min_scalar_type(largest).itemsize for name, largest in self._largest.items()}
        dtypes = {name: np.min_scalar_type(largest).name for name, largest in self._largest.items()}
        try:
            with archive_for(self._path) as archive:
                self._put_index(archive, pieces, dtypes)
                for name, planes in self._planes.items():
                    for byte in range(widths[name]):
                        put_member(archive, f"{name}.{byte}", planes[byte].blocks(), planes[byte].finish())
        except OSError as error:
            raise self._cannot(error) from error

    def _put_index(self, archive: zipfile.ZipFile, pieces: Iterable[Piece], dtypes: Mapping[str, str]) -> None:
        rest: dict[str, Any] = {name: counts.tolist() for name, counts in self._counts.items()} | {"columns": dtypes}

        def parts() -> Iterator[bytes]:
            yield f'{{"format": {FORMAT_VERSION}, "pieces": ['.encode()
            for number, piece in enumerate(pieces):
                yield (", " if number else "").encode() + json.dumps(
                    {name: getattr(piece, name) for name in _KNOWN}, ensure_ascii=False
                ).encode()
            yield b"], " + json.dumps(rest, ensure_ascii=False)[1:].encode()

        put_member(archive, "index.json", parts())

    def _cannot(self, error: OSError) -> CorpusError:
        return CorpusError(f"{self._path}: cannot be written: {error.strerror or error}; choose another --out")


@dataclass
class _Plane:
    """One byte of each value of a column; zeros that follow are written when something else does, as a hole."""

    file: IO[bytes]
    zeros: int = 0

    def write(self, data: bytes) -> None:
        if self.zeros:
            self.file.seek(self.zeros, os.SEEK_CUR)
            self.zeros = 0
        self.file.write(data)

    def finish(self) -> int:
        """Write the last zeros and go to the beginning; return the size in bytes."""
        size = self.file.seek(self.zeros, os.SEEK_CUR)
        self.file.truncate(size)
        self.file.seek(0)
        return size

    def blocks(self) -> Iterator[bytes]:
        while block := self.file.read(_BLOCK):
            yield block
