"""Loaded by the workers that are begun here, before they work: Ctrl-C is the caller's, who ends them.

A terminal sends it to them as well; each would tell where it was interrupted.
"""

import signal
from typing import Any


def dask_setup(_worker: Any) -> None:
    """Pass over what a terminal sends to all its processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
