"""Run the bench: `bin/bench --help`. Ctrl-C ends it with one line; what was measured so far is in its --json file."""

import sys

from bench.cli import main
from piano.interrupted import interrupted

if __name__ == "__main__":
    try:
        code = main()
    except KeyboardInterrupt:
        code = interrupted("bench")
    sys.exit(code)
