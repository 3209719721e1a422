"""Ctrl-C as the end of a command: one line and 130, never a trace."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130
"""The exit status of a command that was ended by Ctrl-C."""


def interrupted(name: str) -> int:
    """Say that a command was interrupted, and return its exit status."""
    line = f"{name}: interrupted\n"
    sys.stderr.write(f"\n{line}" if sys.stderr.isatty() else line)  # below a bar that stands half-way, or below ^C
    # Python ends by the signal in place of our status where Ctrl-C fell into code made of text, such as a dataclass's,
    # whoever caught it; the next code that is made of text forgets that.
    exec("")
    return INTERRUPTED


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back Ctrl-C in this thread until the end of the block, and in the processes that begin in it until they ask.

    Libraries that are interrupted while they are imported break in ways of their own. On Windows nothing is held back.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
