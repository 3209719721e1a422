"""The command line: `main` runs the command that the arguments name."""

import gc
import sys
from collections.abc import Sequence

from piano.interrupted import held_back, interrupted


def main(argv: Sequence[str] | None = None) -> int:
    """Run pianod with these arguments, the process's own by default; return the exit code.

    Until a command begins nothing is collected: all that is imported stays.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    gc.disable()
    try:
        if arguments == ["--version"]:
            with held_back():
                from realtime.cli.version import main as show_version

            return show_version()
        with held_back():
            from realtime.cli.command_line import main as run

        return run(arguments)
    except KeyboardInterrupt:
        return interrupted("pianod")
    finally:
        gc.enable()
