"""What became of a file that `prepare` read, and how that is kept until the cache is whole.

A file is known again by its name, its size and when it was written (in a zip by its checksum, in a store by its name
alone), with what is annotated beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from train.corpus.annotations import ANNOTATED
from train.corpus.archives import archive_at
from train.corpus.corpus_report import FileOutcome
from train.corpus.note_cache import COLUMNS, FORMAT_VERSION, Columns, Piece
from train.corpus.sources import CorpusSource
from workers.in_turn import Keeping
from workers.result_list import ResultList, Stored, key_of
from workers.stores import is_stored

DONE_NAME = "notes.done"
"""Name of the list in the folder that `prepare` writes; it goes when the cache is there."""

_PIECE = tuple(each.name for each in fields(Piece))
_FIGURES = tuple(each.name for each in fields(FileOutcome) if each.name != "piece")
_piece_of, _figures_of = attrgetter(*_PIECE), attrgetter(*_FIGURES)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What became of one file: its piece and packed notes, or the reason why it was refused."""

    outcome: FileOutcome
    columns: Columns | None


def keeping(done: ResultList, *wishes: object) -> Keeping[CorpusSource, Prepared]:
    """Return how what became of files is kept, prepared by such wishes."""

    def key(source: CorpusSource) -> str:
        return key_of(repr((FORMAT_VERSION, wishes, source.piece, *_marks(source))))

    return Keeping(done, key, store, restore)


def store(prepared: Prepared) -> Stored:
    """Return what became of a file as it is kept."""
    outcome, columns = prepared.outcome, prepared.columns
    told = [_piece_of(outcome.piece), _figures_of(outcome)]
    if columns is None:
        return Stored([*told, None])
    shapes = [(columns[name].dtype.str, columns[name].size) for name in COLUMNS]
    return Stored([*told, shapes], b"".join(columns[name].tobytes() for name in COLUMNS))


def restore(stored: Stored) -> Prepared:
    """Return what became of a file from what was kept, the inverse of `store`."""
    piece, figures, shapes = stored.told
    known = dict(zip(_PIECE, piece, strict=True))
    outcome = FileOutcome(Piece(**known | {"tracks": tuple(known["tracks"])}), *figures)
    if shapes is None:
        return Prepared(outcome, None)
    columns: Columns = {}
    at = 0
    for name, (dtype, size) in zip(COLUMNS, shapes, strict=True):
        columns[name] = np.frombuffer(stored.data, np.dtype(dtype), size, at)
        at += columns[name].nbytes
    return Prepared(outcome, columns)


def _marks(source: CorpusSource) -> Iterator[object]:
    """Yield what changes when a file, or what is annotated of it, does."""
    names = [f"{source.annotated_as}.{kind}.tsv" for kind in ANNOTATED] if source.annotations else []
    places = [(source.path, source.member), *((source.annotations, name) for name in names)]
    for place, member in places:
        yield _mark(place, member)


def _mark(place: Path | None, member: str | None) -> object:
    if place is None or is_stored(place):  # to ask a store of each file takes longer than to prepare it
        return None
    try:
        if member is not None and place.is_file():
            about = archive_at(place).NameToInfo.get(member)
            return None if about is None else (about.CRC, about.file_size)
        status = (place if member is None else place / member).stat()
    except (OSError, ValueError, BadZipFile):
        return None
    return status.st_size, status.st_mtime_ns
