"""Any file is a table, of splits, of beats, of chords, or a CorpusError that names it.

python -m tests.fuzz.tables --seconds 60
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from piano.errors import CorpusError
from piano.notes import NOTE
from tests.fuzz.drive import fuzz
from train.corpus.annotations import cues_of
from train.corpus.note_cache import Piece
from train.corpus.sources import SPLITS, CorpusSource, folder_sources

INSTRUMENTED = ("train.corpus.sources", "train.corpus.annotations", "piano.cues", "piano.chords")
LONGEST_S = 24 * 3600.0

NOTES = np.array([(0.0, 2.0, pitch, 64, 0) for pitch in (48, 60, 64, 67)], NOTE)
_FOLDERS: list[Path] = []


def check(data: bytes) -> None:
    """Read a table: what it lists are files with a split each, none of them in two, or moments that can be."""
    if not _FOLDERS:
        _FOLDERS.append(Path(mkdtemp(prefix="pianod-fuzz-")))
    for kind in ("beats", "chords"):
        _check_annotation(_FOLDERS[0], kind, data)
    table = _FOLDERS[0] / "splits.csv"
    table.write_bytes(data)
    try:
        sources = folder_sources(_FOLDERS[0], table)
    except CorpusError as error:
        if str(table) not in str(error):
            raise AssertionError("the table is not named") from error
        return
    splits: dict[str, str] = {}
    for source in sources:
        piece = source.piece
        if not piece.file or piece.split not in SPLITS or splits.setdefault(piece.file, piece.split) != piece.split:
            raise AssertionError(f"a piece that cannot be: {piece}")


def _check_annotation(folder: Path, kind: str, data: bytes) -> None:
    table = folder / f"a.mid.{kind}.tsv"
    table.write_bytes(data)
    piece = Piece(dataset="mine", file="a.mid", split="train")
    try:
        cues = cues_of(CorpusSource(piece, folder / "a.mid", annotations=folder, annotated_as="a.mid"), NOTES)
    except CorpusError as error:
        if table.name not in str(error):
            raise AssertionError("the table is not named") from error
    else:
        if not (np.abs(cues["time_s"]) <= LONGEST_S).all() or (np.diff(cues["time_s"]) < 0).any():
            raise AssertionError("moments that cannot be")
    finally:
        table.unlink()


def seeds() -> Iterator[bytes]:
    """Yield tables as spreadsheets write them, and some that have been a nuisance elsewhere."""
    yield b"file,split,composer,title\na.mid,train,Bach,Air\nb.mid,validation,,\n"
    yield b'\xef\xbb\xbffile;split\r\n"a;b.mid";Train\r\n'
    yield b"File\tSplit\na.mid\t TEST \n"
    yield b"file,split\na.mid\n"
    yield b"file,split\na.mid,train\na.mid,test\n"
    yield b"file,file,split\na.mid,,train,more,and more\n"
    yield b'file,split\n"a.mid,train\nb.mid,train\n'
    yield b"file,split\n" + b"a" * 140_000 + b",train\n"
    yield "file,split\na\u2028b.mid,train\n".encode()
    yield b"file,split\r\0a.mid,train\r"
    yield b"0.5\tdb\n1.0\tb\n1.5\tbR\n"
    yield b"0.0\t2.0\tF#:min7/b3\n2.0\t4.0\tN\n"
    yield b"1e300\tdb\nnan\tb\n-1\tb\n"
    yield b"99999999999\tb\n"
    yield b"file,split\n\xff.mid,train\n"


if __name__ == "__main__":
    fuzz("tables", check, seeds(), INSTRUMENTED)
