"""A JACK server of our own for tests: no sound card, a name that no other run uses, ended cleanly."""

import itertools
import os
import subprocess
from types import TracebackType

from tests.support.programs import path_of

_numbers = itertools.count(1)


class JackServer:
    """A `jackd` with the dummy driver; in synchronous mode, with real-time priority where the system grants it."""

    def __init__(self) -> None:
        self.name = f"pianod-test-{os.getpid()}-{next(_numbers)}"
        self._process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """Return the environment for processes that are to use this server."""
        return {**os.environ, "JACK_DEFAULT_SERVER": self.name}

    def start(self) -> None:
        """Start the server and wait until it is ready; skip the running test where there is none."""
        jackd = path_of("jackd")
        for priority in (["-R"], ["-r"]):
            command = [jackd, "-n", self.name, *priority, "-S", "-d", "dummy", "-r", "48000", "-p", "64"]
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            waiting = ["jack_wait", "-s", self.name, "-w", "-t", "10"]
            if subprocess.run(waiting, capture_output=True, check=False).returncode == 0:
                return
            self.stop()
        raise RuntimeError("jackd does not start")

    def stop(self) -> None:
        """End the server as its users do, and wait until it is gone."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """End the server as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> "JackServer":
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server."""
        self.stop()
