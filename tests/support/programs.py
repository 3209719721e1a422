"""Programs of the system that tests need: a test without its program is skipped, and told at the end as not run."""

import importlib
import shutil
from functools import cache
from pathlib import Path

import pytest

from realtime.midi.rtmidi_library import missing_library

TABLE = Path(__file__).resolve().parents[2] / "bin" / "system_packages.txt"

NOT_INSTALLED = "is not installed (Debian, Ubuntu: apt install"
"""What the reason of each such skip says; `tests/conftest.py` finds them by it."""


@cache
def package_of(sign: str) -> str:
    """Return the package that brings a program or a file, by the table that bin/test installs from."""
    for line in TABLE.read_text().splitlines():
        words = line.split(None, 3)
        if line[:1] != "#" and sign in words[2].split(","):
            return words[1]
    raise ValueError(f"{sign} stands in no line of {TABLE}")


def path_of(*programs: str) -> str:
    """Return where the first of some programs is that is there; skip the running test where none is."""
    for program in programs:
        if found := shutil.which(program):
            return found
    pytest.skip(f"{programs[0]} {NOT_INSTALLED} {package_of(programs[0])})")


def need_link() -> None:
    """Skip the running test where a library is missing that Ableton Link needs."""
    try:
        importlib.import_module("link")
    except ImportError as error:
        library = str(error).partition(":")[0]
        pytest.skip(f"{library} {NOT_INSTALLED} {package_of(f'library:{library}')})")


def need_midi_library() -> None:
    """Skip the running test where the library is missing by which the MIDI of the system is reached."""
    if missing_library:
        pytest.skip(f"{missing_library} {NOT_INSTALLED} {package_of(f'library:{missing_library}')})")
