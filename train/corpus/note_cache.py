"""The note cache: every performance of a corpus in one compact file, and in memory as a few flat arrays.

Format (version 2): a zip archive with `index.json` (format version, the pieces, how many notes, pedal changes and cues
each has, the type of each column) and the columns of all pieces one after the other. Times are whole
milliseconds; an onset is stored as the distance to the onset before it in the piece, a pedal change and a cue likewise.
Of cues a chord stands where it sounds. Version 1, which had no cues, is still read.
A column of several bytes is stored as one member a byte, lowest first (`onset_ms.0`, `onset_ms.1`, …), which
deflates far better. The archive's own checksums guard every member.
"""

import json
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from piano.cue_arrays import CUE, CueArray
from piano.cues import CUES
from piano.errors import CorpusError
from piano.notes import NOTE, PEDAL, Performance
from piano.whole_file import whole_file

FORMAT_VERSION = 2
CACHE_NAME = "notes.cache"
"""Name of the cache file in the folder that `prepare` writes."""

COLUMNS_INDEX = "columns.json"
"""Name of the index in a folder that `unpack` writes."""

NOTE_COLUMNS = ("onset_ms", "duration_ms", "pitch", "velocity", "track")
PEDAL_COLUMNS = ("pedal_ms", "pedal_down")
CUE_COLUMNS = ("cue_ms", "cue_code")
COLUMNS = (*NOTE_COLUMNS, *PEDAL_COLUMNS, *CUE_COLUMNS)

_COMPRESSION = 5
"""How hard zlib tries; 6 takes half as long again, 9 several times as long, and they save half a percent."""

_WRITTEN = (1980, 1, 1, 0, 0, 0)
"""The date of every member, so that the same pieces give the same file."""

Columns = dict[str, NDArray[np.unsignedinteger[Any]]]


@dataclass(frozen=True, slots=True)
class Piece:
    """What is known of one performance; `tracks` holds the names of the source's tracks, by NOTE.track."""

    dataset: str
    file: str
    split: str
    composer: str = ""
    title: str = ""
    licence: str = ""
    tracks: tuple[str, ...] = ()


class NoteCache:
    """A corpus in memory: `pieces`, and the performance of each built when it is asked for.

    The arrays are read-only and shared by all who hold the cache; processes forked after loading share the pages.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        note_counts: Sequence[int],
        pedal_counts: Sequence[int],
        cue_counts: Sequence[int],
        columns: Columns,
    ) -> None:
        self.pieces = tuple(pieces)
        self.note_counts = np.asarray(note_counts, np.int64)
        self.pedal_counts = np.asarray(pedal_counts, np.int64)
        self.cue_counts = np.asarray(cue_counts, np.int64)
        self._note_starts = np.concatenate(([0], np.cumsum(self.note_counts)))
        self._pedal_starts = np.concatenate(([0], np.cumsum(self.pedal_counts)))
        self._cue_starts = np.concatenate(([0], np.cumsum(self.cue_counts)))
        self._columns = columns
        self._folder: Path | None = None
        for column in columns.values():
            column.flags.writeable = False

    def __len__(self) -> int:
        """Return the number of pieces."""
        return len(self.pieces)

    @classmethod
    def build(cls, performances: Iterable[tuple[Piece, Performance]]) -> "NoteCache":
        """Return a cache of the performances, rounded to whole milliseconds; none may begin before 0."""
        pieces, packed = [], []
        for piece, performance in performances:
            pieces.append(piece)
            packed.append(pack(performance))
        return cls.join(pieces, packed)

    @classmethod
    def join(cls, pieces: Sequence[Piece], packed: Sequence[Columns]) -> "NoteCache":
        """Return a cache of pieces whose columns have been packed before, see `pack`."""
        columns: Columns = {}
        for name in COLUMNS:
            joined = np.concatenate([piece[name] for piece in packed]) if packed else np.zeros(0, np.uint8)
            columns[name] = joined.astype(np.min_scalar_type(int(joined.max(initial=0))))
        notes, pedals, cues = ([piece[name].size for piece in packed] for name in ("pitch", "pedal_ms", "cue_ms"))
        return cls(pieces, notes, pedals, cues, columns)

    def select(self, split: str | None = None, datasets: Collection[str] | None = None) -> list[int]:
        """Return the indices of the pieces of a split and of some datasets (None: of all)."""
        return [
            index
            for index, piece in enumerate(self.pieces)
            if (split is None or piece.split == split) and (datasets is None or piece.dataset in datasets)
        ]

    def performance(self, index: int) -> Performance:
        """Return the performance of a piece without its cues: new arrays, at whole milliseconds."""
        if not 0 <= index < len(self.pieces):
            raise IndexError(f"piece {index} of {len(self.pieces)}")
        these = slice(int(self._note_starts[index]), int(self._note_starts[index + 1]))
        notes = np.zeros(these.stop - these.start, NOTE)
        notes["onset_s"] = np.cumsum(self._columns["onset_ms"][these], dtype=np.int64) / 1000
        notes["duration_s"] = self._columns["duration_ms"][these] / 1000
        for name in ("pitch", "velocity", "track"):
            notes[name] = self._columns[name][these]
        these = slice(int(self._pedal_starts[index]), int(self._pedal_starts[index + 1]))
        pedals = np.zeros(these.stop - these.start, PEDAL)
        pedals["time_s"] = np.cumsum(self._columns["pedal_ms"][these], dtype=np.int64) / 1000
        pedals["down"] = self._columns["pedal_down"][these]
        return Performance(notes, pedals)

    def part(self, indices: Sequence[int]) -> "NoteCache":
        """Return a cache of some of the pieces, in the order given."""
        starts = {NOTE_COLUMNS: self._note_starts, PEDAL_COLUMNS: self._pedal_starts, CUE_COLUMNS: self._cue_starts}
        packed = [
            {name: self._columns[name][at[index] : at[index + 1]] for names, at in starts.items() for name in names}
            for index in indices
        ]
        return NoteCache.join([self.pieces[index] for index in indices], packed)

    def cues(self, index: int) -> CueArray:
        """Return what is known of the beats and chords of a piece, chords where they sound: a new array (dtype CUE)."""
        these = slice(int(self._cue_starts[index]), int(self._cue_starts[index + 1]))
        cues = np.zeros(these.stop - these.start, CUE)
        cues["time_s"] = np.cumsum(self._columns["cue_ms"][these], dtype=np.int64) / 1000
        cues["code"] = self._columns["cue_code"][these]
        return cues

    def save(self, path: Path) -> None:
        """Write the cache to a file, which appears whole or not at all."""
        index = {
            "format": FORMAT_VERSION,
            "pieces": [asdict(piece) for piece in self.pieces],
            "notes": self.note_counts.tolist(),
            "pedals": self.pedal_counts.tolist(),
            "cues": self.cue_counts.tolist(),
            "columns": {name: column.dtype.name for name, column in self._columns.items()},
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive_for(path) as archive:
                put_member(archive, "index.json", [json.dumps(index, ensure_ascii=False).encode()])
                for name, column in self._columns.items():
                    planes = column.astype(column.dtype.newbyteorder("<")).view(np.uint8)
                    for byte in range(column.itemsize):
                        put_member(archive, f"{name}.{byte}", [planes[byte :: column.itemsize].tobytes()])
        except OSError as error:
            raise CorpusError(f"{path}: cannot be written: {error.strerror or error}") from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load a cache from its file or from the folder it is in; CorpusError if it is missing, foreign or damaged.

        Of a folder that `train.corpus.unpack` made, the columns stay on the disk, and are read where they are needed.
        """
        if (path / COLUMNS_INDEX).is_file():
            return cls._on_the_disk(path)
        path = path / CACHE_NAME if path.is_dir() else path
        with reading(path), zipfile.ZipFile(path) as archive:
            index = json.loads(archive.read("index.json"))
            if index["format"] not in (1, FORMAT_VERSION):
                raise CorpusError(
                    f"{path}: has format {index['format']}, this program reads 1 and {FORMAT_VERSION}; "
                    "write it again with `python -m train prepare`"
                )
            pieces = [Piece(**{**piece, "tracks": tuple(piece["tracks"])}) for piece in index["pieces"]]
            columns = {name: _read_column(archive, name, dtype) for name, dtype in index["columns"].items()}
            if index["format"] == 1:
                index["cues"] = [0] * len(pieces)
                columns |= {name: np.zeros(0, np.uint8) for name in CUE_COLUMNS}
            return cls._checked(pieces, index["notes"], index["pedals"], index["cues"], columns)

    @classmethod
    def _on_the_disk(cls, folder: Path) -> Self:
        with reading(folder):
            index = json.loads((folder / COLUMNS_INDEX).read_bytes())
            pieces = [Piece(**{**piece, "tracks": tuple(piece["tracks"])}) for piece in index["pieces"]]
            columns = {name: _mapped(folder / f"{name}.bin", dtype) for name, dtype in index["columns"].items()}
            cache = cls._checked(pieces, index["notes"], index["pedals"], index["cues"], columns)
        cache._folder = folder
        return cache

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """Travel to another process as the name of the folder, where it is on the disk."""
        return (type(self).load, (self._folder,)) if self._folder else super().__reduce_ex__(protocol)

    @classmethod
    def _checked(
        cls, pieces: list[Piece], notes: list[int], pedals: list[int], cues: list[int], columns: Columns
    ) -> Self:
        """Return the cache if its index and its columns agree; ValueError otherwise."""
        if not len(pieces) == len(notes) == len(pedals) == len(cues):
            raise ValueError("the index contradicts itself")
        for names, counts in ((NOTE_COLUMNS, notes), (PEDAL_COLUMNS, pedals), (CUE_COLUMNS, cues)):
            if any(columns[name].size != sum(counts) for name in names):
                raise ValueError("the columns are not as long as the index says")
        if columns["cue_code"].max(initial=0) >= CUES:
            raise ValueError("a cue is none that there is")
        return cls(pieces, notes, pedals, cues, columns)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a cache is read into a CorpusError that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: there is no note cache; write one with `python -m train prepare`") from error
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, KeyError, TypeError, ValueError, EOFError) as error:
        raise CorpusError(
            f"{path}: is damaged or no note cache ({error}); write it again with `python -m train prepare`"
        ) from error


@contextmanager
def archive_for(path: Path) -> Iterator[zipfile.ZipFile]:
    """Give an archive to be filled, which appears at its path whole or not at all; OSError if it cannot be written."""
    with (
        whole_file(path) as partial,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as archive,
    ):
        yield archive


def put_member(archive: zipfile.ZipFile, name: str, blocks: Iterable[bytes], size: int = 0) -> None:
    """Write a member block by block; `size` is told where it may pass 2 GB. OSError if that fails."""
    info = zipfile.ZipInfo(name, _WRITTEN)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    info.file_size = size
    info._compresslevel = _COMPRESSION  # type: ignore[attr-defined]  # zipfile has no other way before Python 3.13
    with archive.open(info, "w") as member:
        for block in blocks:
            member.write(block)


def pack(performance: Performance) -> Columns:
    """Return a performance as columns of whole milliseconds, onsets, pedal changes and cues as distances.

    Notes keep at least 1 ms; of pedal changes that fall into one millisecond, only what they come to is kept.
    """
    notes, pedals = performance.notes, performance.pedals
    onset_ms = _whole_ms(notes["onset_s"])
    order = np.lexsort((notes["pitch"], onset_ms))
    end_ms = _whole_ms(notes["onset_s"] + notes["duration_s"])
    pedal_ms = _whole_ms(pedals["time_s"])
    cue_ms = _whole_ms(performance.cues["time_s"])
    if min(onset_ms.min(initial=0), pedal_ms.min(initial=0), cue_ms.min(initial=0)) < 0:
        raise ValueError("a performance in a cache must not begin before 0 s")
    last = np.append(np.diff(pedal_ms) > 0, True)[: pedal_ms.size]
    pedal_ms, down = pedal_ms[last], pedals["down"][last]
    changed = down != np.concatenate(([False], down[:-1]))[: down.size]
    return {
        "onset_ms": np.diff(onset_ms[order], prepend=0).astype(np.uint32),
        "duration_ms": np.maximum(end_ms - onset_ms, 1)[order].astype(np.uint32),
        "pitch": notes["pitch"].take(order),
        "velocity": notes["velocity"].take(order),
        "track": notes["track"].take(order),
        "pedal_ms": np.diff(pedal_ms[changed], prepend=0).astype(np.uint32),
        "pedal_down": down[changed].astype(np.uint8),
        "cue_ms": np.diff(cue_ms, prepend=0).astype(np.uint32),
        "cue_code": performance.cues["code"],
    }


def _whole_ms(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return seconds as whole milliseconds."""
    return np.rint(seconds * 1000).astype(np.int64)


def _read_column(archive: zipfile.ZipFile, name: str, dtype_name: str) -> NDArray[np.unsignedinteger[Any]]:
    """Return a column put together from its byte planes."""
    dtype = np.dtype(dtype_name)
    if dtype.kind != "u":
        raise ValueError(f"column {name} has type {dtype_name}")
    planes = [np.frombuffer(archive.read(f"{name}.{byte}"), np.uint8) for byte in range(dtype.itemsize)]
    return np.stack(planes, axis=1).reshape(-1).view(dtype.newbyteorder("<")).astype(dtype, copy=False)


def _mapped(path: Path, dtype_name: str) -> NDArray[np.unsignedinteger[Any]]:
    """Return a column that stays in its file."""
    dtype = np.dtype(dtype_name).newbyteorder("<")
    return np.memmap(path, dtype, "r") if path.stat().st_size else np.zeros(0, dtype)
