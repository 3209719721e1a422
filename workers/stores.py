"""Where files lie: on this machine, or in a store that is named by a URL, such as `s3://bucket/archive` (fsspec).

What is in a store is a path like any other (`universal_pathlib`), so that whoever lists, reads or names files needs
not know of it. Only writing differs: a file of a disk appears whole by being moved to its place, one of a store by
being sent at once.
"""

from pathlib import Path
from typing import cast

from piano.errors import ConfigError
from piano.whole_file import write_whole

_MARK = "://"


def is_url(word: object) -> bool:
    """Say whether a word names a place in a store."""
    return isinstance(word, str) and _MARK in word


def path_of(word: str) -> Path:
    """Return the path that a word means, `~` for the home; a URL is a path in its store.

    ConfigError if what speaks to that store is not installed, or if it does not answer.
    """
    if not is_url(word):
        return Path(word).expanduser()
    try:
        from upath import UPath

        path = UPath(word)
        path.exists()
    except ImportError as error:
        raise ConfigError(
            f"{word}: what speaks to this store is not installed ({error}); pip install 'pianod[cluster]', and for "
            "s3:// s3fs, for gs:// gcsfs, for abfs:// adlfs"
        ) from error
    except Exception as error:  # each store has its own faults: rights, names, the network
        raise ConfigError(f"{word}: this store cannot be read ({error}); check the address and your rights") from error
    return Path(path.path) if path.protocol in ("file", "local") else cast(Path, path)


def is_stored(path: Path) -> bool:
    """Say whether a path is in a store."""
    return not isinstance(path, Path)


def write_anywhere(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; OSError if it cannot be."""
    if is_stored(path):
        path.write_bytes(data)  # a store takes a file as one request, and shows it when it is there
    else:
        write_whole(path, data)
