"""The daemon as a process of its own, on a machine without MIDI, and what its log says of the panel's address."""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

WITHIN_S = 60


def free_port() -> int:
    """Return a port that nobody has, of those that the system gives to nobody by itself."""
    for port in range(20_000 + os.getpid() % 8_000, 30_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class Daemon:
    """`pianod` with the embedded model, played by the panel alone unless a JACK server is named.

    Takes and presets are kept in its folder.
    """

    def __init__(self, folder: Path, port: int = 0, *flags: str, jack_server: str = "there-is-none") -> None:
        self.takes = folder / "takes"
        nowhere = {"JACK_DEFAULT_SERVER": jack_server, "JACK_NO_START_SERVER": "1", "PYTHONPATH": os.getcwd()}
        nowhere |= {"PIANOD_PRESETS": str(folder / "presets.json"), "PIANOD_TAKES": str(self.takes)}
        playing = ["--panel-port", str(port), "--seed", "5", "--longest-pause-s", "0.8"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "realtime", *playing, *flags],
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, **nowhere},
        )
        self.said: list[str] = []
        """What it said until it was ready."""
        self.address = self._read_address()
        self.port = int(self.address.rstrip("/").rpartition(":")[2])

    def _read_address(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            found = re.search(r"the panel is at (\S+)", line)
            if found:
                return found[1]
        raise AssertionError("the daemon ended: " + "".join(self.said))

    def end(self) -> str:
        """End the daemon; return the rest of what it said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=WITHIN_S)
        assert self.process.returncode == 0, said
        return said
