"""Where log lines go and how much they tell: one line for what a player should know, more with -v, all with -v -v.

Lines are written by a thread of loguru's own, so that a slow terminal never holds up the thread that logs.
"""

import re
import sys
from functools import partial
from typing import TYPE_CHECKING, TextIO

from loguru import logger

if TYPE_CHECKING:
    from loguru import Record

LEVELS = ("INFO", "DEBUG", "TRACE")
"""The least level that is shown, by verbosity."""

WITH_TIME = "{time:HH:mm:ss.SSS} {level: <7} {thread.name: <10} {message}\n"
WITH_PLACE = "{time:HH:mm:ss.SSS} {level: <7} {thread.name: <10} {message} ({name}:{line})\n{exception}"


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return a text with what steers a terminal written out: it may stand in the name of a stranger's file."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def _line_format(verbosity: int, record: "Record") -> str:
    """Return the format of one line; loguru adds the stack trace only where a format names it."""
    record["message"] = printable(record["message"])
    if verbosity == 2:
        return WITH_PLACE
    if verbosity == 1:
        return WITH_TIME
    return "<level>{level}</level>: {message}\n" if record["level"].no >= logger.level("WARNING").no else "{message}\n"


def configure_logs(verbosity: int, stream: TextIO | None = None) -> None:
    """Send log lines to a stream, standard error by default, in place of wherever they went before.

    Verbosity 0 to 2 as in the setting; stack traces appear at 2 only.
    """
    if not 0 <= verbosity < len(LEVELS):
        raise ValueError(f"the verbosity of logs is 0 to {len(LEVELS) - 1}, not {verbosity}")
    logger.remove()
    logger.add(
        stream or sys.stderr,
        level=LEVELS[verbosity],
        format=partial(_line_format, verbosity),
        backtrace=False,
        diagnose=False,
        enqueue=True,
    )
