"""Four hundred slow clients and few descriptors: the guardian is replaced meanwhile, and the take is kept."""

import os
import resource
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from piano.events import NoteOff, NoteOn
from piano.midi.file import read_tracks
from realtime.midi.message import bytes_of
from tests.realtime.live.test_end_to_end import account_of, start_pianist
from tests.realtime.panel.daemon import Daemon
from tests.support.jack import JackServer
from tests.support.programs import path_of

DESCRIPTORS = 256
CLIENTS = 400
REQUEST_LINES = b"GET /api/status HTTP/1.1\r\nHost: "
PATIENCE = 2000


@contextmanager
def few_descriptors() -> Iterator[None]:
    """Let programs that are started meanwhile have few descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class SlowClients:
    """So many connections that begin a request and stop; who is sent away comes again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._end = threading.Event()
        self.begun = 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "SlowClients":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Go away."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        clients: list[socket.socket] = []
        while not self._end.is_set():
            while len(clients) < CLIENTS and not self._end.is_set():
                client = socket.socket()
                client.settimeout(0.2)
                with suppress(OSError):
                    client.connect(("127.0.0.1", self._port))
                    client.sendall(REQUEST_LINES)
                    self.begun += 1
                clients.append(client)
            self._end.wait(0.05)
            clients = [client for client in clients if not _is_closed(client)]
        for client in clients:
            client.close()


def _is_closed(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        is_closed = not client.recv(1)
    except BlockingIOError:
        is_closed = False
    except OSError:
        is_closed = True
    if is_closed:
        client.close()
    return is_closed


def test_a_guardian_is_replaced_and_a_take_kept_while_slow_clients_come(
    jack_server: JackServer, tmp_path: Path
) -> None:
    path_of("jackd")
    with few_descriptors():
        daemon = Daemon(tmp_path, 0, "--api", "jack", "--mode", "velocity", jack_server=jack_server.name)
    said: list[str] = []
    try:
        with SlowClients(daemon.port) as clients:
            for _ in range(PATIENCE):
                if clients.begun >= CLIENTS:
                    break
                threading.Event().wait(0.05)
            children = [path_of("pgrep"), "-P", str(daemon.process.pid)]
            guardian = subprocess.run(children, capture_output=True, text=True, check=True).stdout
            os.kill(int(guardian), signal.SIGKILL)
            assert daemon.process.stderr is not None
            for line in daemon.process.stderr:
                said.append(line)
                if "the MIDI output 'pianod out' is back" in line:
                    break
            keys = [[0.0, NoteOn(60, 70)], [0.2, NoteOff(60)]]
            script = [[at_s, bytes_of(event).hex()] for at_s, event in keys]  # type: ignore[arg-type]
            takes = [{"after": "now", "notes": script}]
            heard = account_of(start_pianist(jack_server, tmp_path, {"takes": takes, "listen_s": 1.0})).heard
    finally:
        said.append(daemon.end())
    assert clients.begun >= CLIENTS
    assert any(data[0] == 0x90 and data[1] == 60 for _, data in heard)
    [take] = daemon.takes.glob("*.mid")
    assert read_tracks(take)[0].performance.notes["pitch"].tolist() == [60]
    told = "".join(said)
    assert told.count("the panel") <= 2, told
