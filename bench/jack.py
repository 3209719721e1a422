"""A JACK server of the bench's own: no sound card, a period of 64 frames, ended with the `with` block."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

_numbers = itertools.count(1)


class NoJackError(Exception):
    """There is no jackd here, or it does not start."""


@contextmanager
def jack_server() -> Iterator[str]:
    """Run a server, synchronous, with real-time priority where it is granted, and yield its name.

    This process and those it starts find it by the environment.
    """
    if shutil.which("jackd") is None:
        raise NoJackError("jackd is not installed (Debian, Ubuntu: apt install jackd2)")
    name = f"pianod-bench-{os.getpid()}-{next(_numbers)}"
    process = _start(name)
    before = os.environ.get("JACK_DEFAULT_SERVER")
    os.environ["JACK_DEFAULT_SERVER"] = name
    try:
        yield name
    finally:
        if before is None:
            del os.environ["JACK_DEFAULT_SERVER"]
        else:
            os.environ["JACK_DEFAULT_SERVER"] = before
        process.terminate()
        process.wait(10)


def _start(name: str) -> "subprocess.Popen[bytes]":
    for priority in ("-R", "-r"):
        command = ["jackd", "-n", name, priority, "-S", "-d", "dummy", "-r", "48000", "-p", "64"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        waiting = ["jack_wait", "-s", name, "-w", "-t", "10"]
        if subprocess.run(waiting, capture_output=True, check=False).returncode == 0:
            return process
        process.kill()
        process.wait()
    raise NoJackError("jackd does not start")
