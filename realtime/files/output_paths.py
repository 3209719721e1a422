"""The files that a command writes: their names, and whether they can be written, asked before the work begins."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from piano.errors import ConfigError
from piano.whole_file import write_report


def variant_path(path: Path, index: int, variants: int) -> Path:
    """Return the path of one of several variants: -1, -2 … before the ending; a single one keeps the path."""
    return path if variants == 1 else path.with_name(f"{path.stem}-{index + 1}{path.suffix}")


def check_file(path: Path, flag: str) -> None:
    """Make the folder of a file that is to be written, and try it out; ConfigError if it cannot be written."""
    if path.is_dir():
        raise ConfigError(f"{flag} {path} is a folder: give the name of a file in it")
    with _faults_told(f"{flag} {path} cannot be written", "choose another place"):
        path.parent.mkdir(parents=True, exist_ok=True)
        _try_out(path.with_name(path.name + ".trial"))
        if path.exists():
            path.open("ab").close()


def check_folder(folder: Path, flag: str) -> None:
    """Make a folder that is to be written into, and try it out; ConfigError if it cannot be."""
    with _faults_told(f"{flag} {folder} cannot be written into", "choose another folder"):
        folder.mkdir(parents=True, exist_ok=True)
        _try_out(folder / ".trial")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all; ConfigError if it cannot be written."""
    with _faults_told(f"{path} cannot be written", "choose another place"):
        write_report(path, text)


def _try_out(trial: Path) -> None:
    trial.touch()
    trial.unlink()


@contextmanager
def _faults_told(what: str, way_out: str) -> Iterator[None]:
    """Tell a fault of the system as a ConfigError: what cannot be, why, and what to do."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{what}: {error.strerror or error}; {way_out}") from error
