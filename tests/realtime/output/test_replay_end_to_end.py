"""A take replayed through real JACK ports: every note that it strikes is released, however it ends."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from websockets.sync.client import connect

from piano.midi.file import read_performance
from realtime.midi.performance_messages import messages_of
from tests.realtime.panel.pieces import write_piece
from tests.support.jack import JackServer
from tests.support.listener import Listener

WITHIN_S = 120
SHORT, LONG = 6, 1200
"""Notes of a take that ends while it is listened to, and of one that does not."""


class Room:
    """`pianod` on virtual JACK ports with two takes, an ear at its output, and a hand on its control API."""

    def __init__(self, server: JackServer, folder: Path) -> None:
        write_piece(folder / "takes" / "short.mid", SHORT)
        write_piece(folder / "takes" / "long.mid", LONG)
        flags = ["--api", "jack", "--seed", "5", "--panel-port", "0", "--takes", str(folder / "takes")]
        self.daemon = self._run("realtime", *flags, server=server, folder=folder)
        assert self.daemon.stderr is not None
        said = ""
        while (found := re.search(r"the panel is at (\S+)/\s", said)) is None:
            line = self.daemon.stderr.readline()
            assert line, said
            said += line
        self.address = found[1]
        self.ear = self._run("tests.support.ear_process", "pianod out", server=server)
        assert self.hear() == "ready"

    def _run(self, *what: str, server: JackServer, folder: Path | None = None) -> "subprocess.Popen[str]":
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        environment = {**server.environment(), "PYTHONPATH": str(Path.cwd())}
        return subprocess.Popen([sys.executable, "-m", *what], text=True, cwd=folder, env=environment, **pipes)

    def hear(self) -> str:
        """Return what the ear says next."""
        assert self.ear.stdout is not None
        line = self.ear.stdout.readline()
        assert line, self.ear.communicate()[1]
        return line.strip()

    def ask(self, path: str, body: object = None) -> Any:
        """Post, and return the answer; without a body where there is none."""
        data = json.dumps(body).encode() if body is not None else b""
        request = Request(self.address + path, data, {"Content-Type": "application/json"}, method="POST")
        with urlopen(request, timeout=WITHIN_S) as answer:
            return json.load(answer)

    def command(self, command: str, **fields: object) -> None:
        assert self.ask("/api/commands", {"version": 1, "id": 1, "command": command, **fields})["type"] == "done"

    def status(self) -> dict[str, Any]:
        with urlopen(f"{self.address}/api/status", timeout=WITHIN_S) as answer:
            status: dict[str, Any] = json.load(answer)
        return status

    def until(self, condition: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the status fulfils a condition; each wait has a socket of its own, on which nothing old waits."""
        place = self.address.removeprefix("http://")
        with connect(f"ws://{place}/api/live", proxy=None, open_timeout=WITHIN_S) as socket:
            while True:
                message = json.loads(socket.recv(timeout=WITHIN_S))
                if message["type"] == "status" and condition(message):
                    return

    def heard(self) -> Listener:
        """Return what has gone out since the last time: a clock that begins and then ends comes after all of it."""
        self.command("change", settings={"send_clock": True})
        assert self.hear() == "started"
        self.command("change", settings={"send_clock": False})
        listener = Listener()
        for data in json.loads(self.hear()):
            listener.hear(bytes.fromhex(data))
        return listener

    def close(self) -> None:
        for process in (self.ear, self.daemon):
            process.terminate()
            process.communicate(timeout=WITHIN_S)


@pytest.fixture(scope="module")
def room(jack_server: JackServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    room = Room(jack_server, tmp_path_factory.mktemp("replay"))
    room.heard()
    yield room
    room.close()


def begin(room: Room, name: str) -> None:
    """Replay a take, and wait until some of it has sounded."""
    sent = room.status()["sent"]
    room.ask(f"/api/takes/{name}/replay")
    room.until(lambda status: status["sent"] > sent + 5)


def test_a_take_is_replayed_to_its_end_note_for_note(room: Room, tmp_path: Path) -> None:
    room.ask("/api/takes/short/replay")
    room.until(lambda status: status["replaying"] is None)
    listener = room.heard()
    notes = read_performance(write_piece(tmp_path / "short.mid", SHORT))
    struck = [(0, data[1], data[2]) for _, data in messages_of(notes) if data[0] == 0x90]
    assert listener.struck == struck
    assert listener.is_silent()


@pytest.mark.parametrize("how", ["stop", "panic", "replay/stop", "another", "mode"])
def test_however_it_is_interrupted_every_note_is_released(room: Room, how: str) -> None:
    begin(room, "long")
    if how == "replay/stop":
        room.ask("/api/replay/stop")
    elif how == "another":
        room.ask("/api/takes/short/replay")
        room.until(lambda status: status["replaying"] is None)
    elif how == "mode":
        room.command("change", settings={"mode": "duet"})
        room.until(lambda status: status["mode"] == "duet")
        room.command("change", settings={"mode": "velocity"})
        room.until(lambda status: status["mode"] == "velocity")
        room.command("change", settings={"mode": "answer"})
        room.command("stop")
    else:
        room.command(how)
    room.until(lambda status: status["replaying"] is None)
    listener = room.heard()
    assert listener.struck
    assert listener.is_silent()
    assert len(listener.struck) < LONG
    assert room.heard().struck == [], "and nothing of it comes later"
