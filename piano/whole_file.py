"""Files that appear whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path beside a file's place, to be written to; what was written is moved to its place at last.

    OSError if that fails. Nothing is left behind then, or where the writing fails. What is no file and no folder (a
    pipe, a terminal) has nothing to be moved to, and is written to itself.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all; OSError if that fails, and nothing is left behind."""
    with whole_file(path) as partial:
        partial.write_bytes(data)


def write_report(path: Path, text: str) -> None:
    """Write a report where a user wants it, as UTF-8, whole or not at all; OSError if that fails.

    A link is followed: `/dev/stdout` stays what it is, wherever it leads.
    """
    is_link = path.is_symlink() and path.is_file()
    try:
        write_whole(path.resolve() if is_link else path, text.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error  # who asked knows no other name
