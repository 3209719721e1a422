"""Run the command line: `python -m realtime`."""

import os
import sys
import threading

from realtime.cli import main

if __name__ == "__main__":
    code = main()
    if any(thread.name == "model" for thread in threading.enumerate()):
        # A model is being loaded: its library does not let go of the thread, and breaks if it is taken down with it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
