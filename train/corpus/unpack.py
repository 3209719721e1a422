"""`python -m train unpack`: a note cache laid out on the disk, so that no machine holds all of it.

It writes the columns of a note cache as plain files into a folder: `columns.json`, the index of the cache as it stands
in it, and `COLUMN.bin`, little-endian. `NoteCache.load` maps such a folder into memory: what a window touches is read,
and the system drops it again when it wants the room. Only the list of pieces is held.
"""

import argparse
import json
import os
import shutil
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np

from piano.errors import CorpusError
from train.corpus.note_cache import CACHE_NAME, COLUMNS_INDEX, FORMAT_VERSION, reading

FOLDER_NAME = "notes.columns"
"""Name of the folder that `unpack` makes beside a cache."""

_BLOCK = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the sub-command."""
    parser.add_argument("--corpus", type=Path, required=True, metavar="DIR", help="a note cache or its folder")
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"folder to make (default: {FOLDER_NAME} beside it)")


def run(args: argparse.Namespace) -> int:
    """Unpack a cache and say where it is."""
    cache: Path = args.corpus / CACHE_NAME if args.corpus.is_dir() else args.corpus
    out: Path = args.out or cache.with_name(FOLDER_NAME)
    unpack(cache, out)
    print(f"{out}: give it as --corpus, and nothing is read but what is needed")
    return 0


def unpack(cache: Path, folder: Path) -> None:
    """Write the columns of a cache into a folder, which appears whole or not at all; block by block.

    CorpusError if the cache cannot be read or the folder cannot be written.
    """
    if folder.exists():
        raise CorpusError(f"{folder}: is there already; delete it, or choose another --out")
    partial = folder.with_name(f"{folder.name}.partial")
    with reading(cache), zipfile.ZipFile(cache) as archive:
        index = json.loads(archive.read("index.json"))
        if index["format"] != FORMAT_VERSION:
            raise CorpusError(f"{cache}: has format {index['format']}; write it again with `python -m train prepare`")
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for name, dtype in index["columns"].items():
                with ExitStack() as stack:
                    planes = [
                        stack.enter_context(archive.open(f"{name}.{byte}")) for byte in range(np.dtype(dtype).itemsize)
                    ]
                    _interleave(planes, stack.enter_context((partial / f"{name}.bin").open("wb")))
            (partial / COLUMNS_INDEX).write_bytes(json.dumps(index, ensure_ascii=False).encode())
            os.replace(partial, folder)
        except OSError as error:
            raise CorpusError(f"{folder}: cannot be written: {error.strerror or error}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _interleave(planes: list[IO[bytes]], out: IO[bytes]) -> None:
    """Put the byte planes of a column together again."""
    while blocks := [plane.read(_BLOCK) for plane in planes]:
        if not blocks[0]:
            return
        out.write(np.stack([np.frombuffer(block, np.uint8) for block in blocks], axis=1).tobytes())
