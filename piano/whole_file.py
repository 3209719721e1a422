"""Files that appear whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path beside a file's place, to be written to; what was written is moved to its place at last.

    OSError if that fails. Nothing is left behind then, or where the writing fails.
    """
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
