"""A disk that really is full, folders that really may not be written: the playing goes on, and you are told once."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL
from http.client import HTTPConnection
from pathlib import Path

import pytest
from loguru import logger

from piano.midi.file import read_tracks
from realtime.take.take import Take
from realtime.take.writer_thread import RETRY_S, TakeWriter
from tests.realtime.live.test_kill import WITHIN_S

KEYS = range(60, 90)
ROOM = 1500
"""Bytes of a file that the disk has room for: too few for the journal, enough for the MIDI file."""
NOBODY = 65534

LIMITED = f"""
import resource, runpy, sys
if sys.argv.pop(1) == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, ({ROOM}, {ROOM}))
runpy.run_module("realtime", run_name="__main__", alter_sys=True)
"""


class Daemon:
    """The whole daemon without any MIDI system, played over its panel."""

    def __init__(self, takes: str, temporary: Path, *, is_full: bool = False) -> None:
        temporary.mkdir(exist_ok=True)
        flags = ["--takes", takes, "--panel-port", "0", "--seed", "5"]
        environment = {"JACK_DEFAULT_SERVER": "none", "JACK_NO_START_SERVER": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", LIMITED, "full" if is_full else "roomy", *flags],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment, "TMPDIR": str(temporary)},
        )
        self.said = ""
        self._port = int(self.wait_for("the panel is at").rstrip("/ \n").rpartition(":")[2])

    def wait_for(self, text: str) -> str:
        """Read what the daemon says until it says this; return the line."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            if text in line:
                return line
        raise AssertionError(self.said)

    def play(self, *pitches: int) -> None:
        """Play keys, one request each; each is answered."""
        for pitch in pitches:
            connection = HTTPConnection("127.0.0.1", self._port, timeout=WITHIN_S)
            messages = [f"90{pitch:02x}40", f"80{pitch:02x}40"]
            command = {"version": 1, "id": 1, "command": "play", "midi": messages}
            connection.request("POST", "/api/commands", json.dumps(command), {"Content-Type": "application/json"})
            assert json.loads(connection.getresponse().read())["type"] == "done"
            connection.close()

    def end(self) -> None:
        """End it as its users do."""
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=WITHIN_S)
        self.said += rest
        assert self.process.returncode == 0, self.said


def keys_in(folder: Path) -> list[int]:
    """Return the player's keys in the one take that lies in a folder, or below it."""
    [path] = folder.rglob("*.mid")
    return list(read_tracks(path)[0].performance.notes["pitch"])


def test_a_disk_that_runs_full(tmp_path: Path) -> None:
    daemon = Daemon(str(tmp_path / "takes"), tmp_path / "elsewhere", is_full=True)
    daemon.play(*KEYS)
    daemon.wait_for("the take cannot be written")
    daemon.play(*KEYS)
    daemon.end()
    assert daemon.said.count("cannot be written") == 1
    assert "make room on the disk" in daemon.said
    assert keys_in(tmp_path / "takes") == [*KEYS, *KEYS]
    assert [path.suffix for path in (tmp_path / "takes").iterdir()] == [".mid"]


def test_a_folder_that_nobody_may_make(tmp_path: Path) -> None:
    daemon = Daemon("/proc/pianod takes", tmp_path / "elsewhere")  # not even root may
    daemon.play(*KEYS)
    daemon.wait_for("the take cannot be written to /proc/pianod takes")
    daemon.play(*KEYS)
    daemon.end()
    assert daemon.said.count("cannot be written") == 1
    assert keys_in(tmp_path / "elsewhere") == [*KEYS, *KEYS]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Have no more rights to files than anybody, on this thread, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    system = CDLL(None)
    system.setfsuid(NOBODY)
    try:
        yield
    finally:
        system.setfsuid(0)


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """Give a folder that may only be read."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        yield Path(name)
        Path(name).chmod(0o755)


def test_a_folder_that_may_only_be_read(closed_folder: Path) -> None:
    told: list[str] = []
    sink = logger.add(lambda line: told.append(str(line)), level="WARNING", format="{message}")
    take, now_s = Take(), [0.0]
    keeper = TakeWriter(take, closed_folder, lambda: now_s[0])
    with as_nobody():
        for pitch in (60, 62):
            take.play(0, bytes((0x90, pitch, 64)))
            keeper.keep()
            now_s[0] += RETRY_S
    assert "Permission denied" in str(keeper.fault)
    assert len(told) == 1
    logger.remove(sink)
    assert list(closed_folder.iterdir()) == []
    closed_folder.chmod(0o755)
    keeper.keep()
    assert keeper.fault is None
    keeper.finish()
    assert keys_in(closed_folder) == [60, 62]
