"""Zips that are read from often: each is opened once in a process, and its list of members read once.

A zip may be a stranger's: a member that unpacks to more than its reader takes is refused before it is unpacked.
"""

import os
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

_MOST_OPEN = 16


def archive_at(path: Path) -> zipfile.ZipFile:
    """Return the zip at a path, open for reading; OSError or BadZipFile if it cannot be read.

    It belongs to this process and stays open; one that has been written anew is opened anew.
    """
    about = path.stat()
    return _opened(path, about.st_mtime_ns, about.st_size, os.getpid())


def member_of(path: Path, name: str, most_bytes: int) -> bytes:
    """Return the bytes of a member of the zip at a path; BadZipFile says what is wrong with it, OSError with the zip.

    KeyError where there is no such member.
    """
    archive = archive_at(path)
    size = archive.getinfo(name).file_size
    if size > most_bytes:
        raise zipfile.BadZipFile(f"it unpacks to {size:,} bytes, at most {most_bytes:,} are read")
    try:
        return archive.read(name)
    except (zlib.error, EOFError, RuntimeError) as error:  # damaged, cut off; encrypted, or packed in a way not known
        raise zipfile.BadZipFile(str(error)) from error


@lru_cache(maxsize=_MOST_OPEN)
def _opened(path: Path, _written_ns: int, _size: int, _process: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)
