"""The files that a command writes: their names, and whether they can be written, asked before the work begins."""

from pathlib import Path

from piano.errors import ConfigError


def variant_path(path: Path, index: int, variants: int) -> Path:
    """Return the path of one of several variants: -1, -2 … before the ending; a single one keeps the path."""
    return path if variants == 1 else path.with_name(f"{path.stem}-{index + 1}{path.suffix}")


def check_file(path: Path, flag: str) -> None:
    """Make the folder of a file that is to be written, and try it out; ConfigError if it cannot be written."""
    if path.is_dir():
        raise ConfigError(f"{flag} {path} is a folder: give the name of a file in it")
    trial = path.with_name(path.name + ".trial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
        if path.exists():
            path.open("ab").close()
    except OSError as error:
        raise ConfigError(
            f"{flag} {path} cannot be written: {error.strerror or error}; choose another place"
        ) from error


def check_folder(folder: Path, flag: str) -> None:
    """Make a folder that is to be written into, and try it out; ConfigError if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = folder / ".trial"
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise ConfigError(
            f"{flag} {folder} cannot be written into: {error.strerror or error}; choose another folder"
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file; ConfigError if it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}; choose another place") from error
