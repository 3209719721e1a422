"""Ctrl-C as the end of a command: one line and 130, never a trace."""

import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130
"""The exit status of a command that was ended by Ctrl-C."""


def interrupted(name: str) -> int:
    """Say that a command was interrupted, and return its exit status. To be called while the interrupt is handled.

    What was on its way is closed first: a bar would be drawn once more below the line.
    """
    traceback.clear_frames(sys.exc_info()[2])
    line = f"{name}: interrupted\n"
    sys.stderr.write(f"\n{line}" if sys.stderr.isatty() else line)  # below a bar that stands half-way, or below ^C
    # Python ends by the signal in place of our status where Ctrl-C fell into code made of text, such as a dataclass's,
    # whoever caught it; the next code that is made of text forgets that.
    exec("")
    return INTERRUPTED


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back Ctrl-C until the end of the block, and in the processes that begin in it until they ask.

    Libraries that are interrupted while they are imported break in ways of their own. The signal may reach any thread
    of the process, and Python obeys it in the main one: so it is noted there besides being held back in this one.
    Outside the main thread it is held back alone, on Windows it is noted alone.
    """
    noted: list[int] = []
    is_main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda number, _: noted.append(number)) if is_main else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if sys.platform != "win32" else None
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if is_main:
            signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)
        if noted:
            signal.raise_signal(signal.SIGINT)
