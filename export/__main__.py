"""The command line of export: `python -m export CHECKPOINT -o BUNDLE`.

What it does is in `export.command`, which is imported within the command: that takes a moment, and Ctrl-C ends it too.
"""

import argparse
import sys
from collections.abc import Sequence

from piano.interrupted import held_back
from train.command_end import ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Export a checkpoint, print what was verified, and return the exit status, see `ended`."""

    def run() -> int:
        with held_back():
            from export import command

        parser = argparse.ArgumentParser(
            prog="python -m export", description="Turn a checkpoint into a bundle to play."
        )
        command.add_arguments(parser)
        return command.run(parser.parse_args(arguments))

    return ended("python -m export", run)


if __name__ == "__main__":
    sys.exit(main())
