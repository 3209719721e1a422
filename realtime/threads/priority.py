"""Real-time priority for the calling thread, where the system grants it."""

import os
import sys
from contextlib import suppress

from loguru import logger

_reported = False


def raise_priority(level: int) -> bool:
    """Give the calling thread first-in-first-out scheduling at `level`, 1 to 99; say whether the system granted it.

    A refusal is normal and is told once, as a hint: nothing depends on it but the last fraction of punctuality.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(level))  # 0 is this thread, not the process
            return True
    _report_once(level)
    return False


def _report_once(level: int) -> None:
    global _reported
    if not _reported:
        _reported = True
        logger.debug(
            "no real-time priority: the system does not grant SCHED_FIFO {} (an rtprio limit in "
            "/etc/security/limits.d would); notes may go out a few milliseconds late under load",
            level,
        )
