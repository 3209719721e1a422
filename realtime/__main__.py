"""Run the command line: `python -m realtime`."""

import sys

from realtime.cli.command_line import main

if __name__ == "__main__":
    sys.exit(main())
