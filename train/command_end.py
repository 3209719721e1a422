"""How a command of training or of export ends: a fault that a user can mend, and Ctrl-C, are told without a trace."""

import sys
from collections.abc import Callable

from piano.errors import PianodError
from piano.interrupted import interrupted


def ended(name: str, run: Callable[[], int]) -> int:
    """Run a command and return its exit status: 2 after a fault of the world, 130 after Ctrl-C, one line said of each.

    What it was writing is not there then: files appear whole or not at all.
    """
    try:
        return run()
    except KeyboardInterrupt:
        return interrupted(name)
    except PianodError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
