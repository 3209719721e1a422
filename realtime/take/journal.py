"""The journal of a take on disk: one line a message, only ever appended, each line with a checksum of its own.

    pianod-journal 1 8f0c7a12
    played 81234567890123 903c40 5b1c0d3e
    own 81234998877665 904048 c2a94f10

The words are the source, the moment in nanoseconds, the message in hexadecimal, and the CRC-32 of all that is before
it. A line that is torn or damaged costs itself and nothing else. As long as a journal is open its file is locked, so
that another pianod tells a journal in use from one that was left behind; the system lets go of the lock whatever ends
the process. `writer_thread.py` writes, `recovery.py` reads.
"""

import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from realtime.take.take import TakeRecord, TakeSource, is_kept

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SUFFIX = ".journal"
FORMAT_VERSION = 1

_LONGEST_LINE = 64
_LINE = re.compile(rb"(played|own|passed) (0|[1-9][0-9]{0,17}) ((?:[0-9a-f]{2}){2,3})")
_MOST_NAMES = 1000


def encode_record(record: TakeRecord) -> bytes:
    """Return a record as a line; the inverse of `decode`."""
    return _sealed(f"{record.source} {record.at_ns} {record.data.hex()}")


def decode_record(line: bytes) -> TakeRecord | None:
    """Return what a line says, without its end; None if it is damaged."""
    text, _, checksum = line.rpartition(b" ")
    found = _LINE.fullmatch(text)
    if found is None or checksum != b"%08x" % crc32(text):
        return None
    source, at_ns, data = found.groups()
    record = TakeRecord(int(at_ns), TakeSource(source.decode()), bytes.fromhex(data.decode()))
    return record if is_kept(record.data) else None


def _sealed(text: str) -> bytes:
    return f"{text} {crc32(text.encode()):08x}\n".encode()


_HEADER_LINE = _sealed(f"pianod-journal {FORMAT_VERSION}")


class JournalReader:
    """Reads the records of a journal, and counts the lines that are no whole ones."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.damaged = 0
        """Lines that were left out so far, the torn one at the end among them."""
        self.is_ours = False
        """Whether anything so far was written by us: what is not ours is not touched."""

    def __iter__(self) -> Iterator[TakeRecord]:
        """Yield every whole record, in order; takes no more memory than a line."""
        while line := self._file.readline(_LONGEST_LINE):
            record = decode_record(line[:-1]) if line.endswith(b"\n") else None
            if record is not None or _HEADER_LINE.startswith(line):
                self.is_ours = True
            else:
                self.damaged += 1
            if record is not None:
                yield record


class Journal:
    """A journal that is open and locked. One owner, on a thread that may wait for the disk; its calls raise OSError."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._size = 0

    @classmethod
    def begin(cls, folder: Path, name: str) -> "Journal":
        """Begin a journal of that name, or of the next one of which there is neither a journal nor a MIDI file."""
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, _MOST_NAMES):
            path = folder / f"{name if number == 1 else f'{name} ({number})'}{SUFFIX}"
            if os.path.lexists(path.with_suffix(".mid")):
                continue
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
            except FileExistsError:
                continue
            if lock(path, descriptor):
                journal = cls(path, descriptor)
                journal.append([_HEADER_LINE])
                journal.sync()
                sync_folder(folder)
                return journal
            os.close(descriptor)  # another pianod took it for one that was left behind
        raise FileExistsError(errno.EEXIST, f"there are too many takes of {name}")

    def append(self, lines: Iterable[bytes]) -> None:
        """Append lines, all or none of them: what was written before a fault is taken back."""
        data, written = b"".join(lines), 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(data)

    def sync(self) -> None:
        """Wait until what was appended is on the disk, and would outlast a power cut."""
        to_disk(self._descriptor)

    def is_there(self) -> bool:
        """Say whether the file still lies in its folder."""
        return _lies_at(self.path, self._descriptor)

    def read(self) -> BinaryIO:
        """Return the file from its beginning, wherever it lies by now."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.fdopen(os.dup(self._descriptor), "rb")

    def close(self) -> None:
        """Let go of the file, which stays."""
        os.close(self._descriptor)


def lock(path: Path, descriptor: int) -> bool:
    """Lock an open journal; return whether it is ours, and still the file of that name."""
    try:
        if sys.platform == "win32":  # a byte far behind the end: there a lock keeps others from reading what it covers
            place = os.lseek(descriptor, 0, os.SEEK_CUR)
            os.lseek(descriptor, 1 << 30, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, place, os.SEEK_SET)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return _lies_at(path, descriptor)


def _lies_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def to_disk(descriptor: int) -> None:
    """Wait until a file is on the disk; macOS would only hand it to the disk's own memory."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; Windows has no way to ask for that."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
