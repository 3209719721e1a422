"""Zips that are read from often: each is opened once in a process, and its list of members read once."""

import os
import zipfile
from functools import lru_cache
from pathlib import Path

_MOST_OPEN = 16


def archive_at(path: Path) -> zipfile.ZipFile:
    """Return the zip at a path, open for reading; OSError or BadZipFile if it cannot be read.

    It belongs to this process and stays open; one that has been written anew is opened anew.
    """
    about = path.stat()
    return _opened(path, about.st_mtime_ns, about.st_size, os.getpid())


@lru_cache(maxsize=_MOST_OPEN)
def _opened(path: Path, _written_ns: int, _size: int, _process: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)
