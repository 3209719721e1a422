"""The port library, python-rtmidi, and what surrounds it: what is missing, its faults, and its silence."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger

try:
    import rtmidi
except ImportError as error:  # without libasound2, as in a container, there is no MIDI system, and no reason to stop
    rtmidi, missing_library = None, str(error).partition(":")[0]
else:
    missing_library = ""

__all__ = ["AUTO", "log_fault", "missing_library", "no_system", "quiet_libraries", "rtmidi"]

AUTO = "auto"
"""Whichever MIDI system works first."""


def no_system(api: str, missing_library: str) -> str:
    """Say that a MIDI system is missing and how to come by one."""
    what = "no MIDI system was found" if api == AUTO else f"the MIDI system {api!r} does not answer"
    if missing_library:
        remedy = f"{missing_library} is missing (Debian, Ubuntu: apt install alsa-utils, which brings it)"
    elif sys.platform.startswith("linux"):
        remedy = (
            "load the ALSA sequencer (`sudo modprobe snd-seq`), which PipeWire uses too, or start JACK "
            "(`jackd -d alsa`) and use `--api jack`"
        )
    elif sys.platform == "win32":
        remedy = "plug in an instrument, or install loopMIDI for ports between programs"
    else:
        remedy = "plug in an instrument, or switch on the IAC driver in Audio MIDI Setup"
    return f"{what}: {remedy}. `pianod demo` needs none"


def log_fault(_kind: int, message: str, _data: object) -> None:
    """Take a warning of rtmidi, on the thread that caused it."""
    logger.debug("rtmidi: {}", message)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the libraries below from writing to standard error while they look for a server."""
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
