"""The whole daemon killed while it is played: the next start recovers the take, to the last note."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

from piano.midi.file import read_tracks
from realtime.take.journal import JournalReader

WITHIN_S = 60.0


def start(takes: Path) -> tuple["subprocess.Popen[str]", int, str]:
    """Start a daemon without any MIDI system; return it with the port of its panel and what it has said by then."""
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime", "--takes", str(takes), "--panel-port", "0", "--seed", "5"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "JACK_DEFAULT_SERVER": "none", "JACK_NO_START_SERVER": "1"},
    )
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "the panel is at" in line:
            return process, int(line.rstrip("/ \n").rpartition(":")[2]), said
    raise AssertionError(f"it did not start: {said}")


def play(port: int, *messages: str) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    command = {"version": 1, "id": 1, "command": "play", "midi": messages}
    connection.request("POST", "/api/commands", json.dumps(command), {"Content-Type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()


def played(journal: Path) -> list[str]:
    """Return what a journal holds of the player's now."""
    with journal.open("rb") as file:
        return [record.data.hex() for record in JournalReader(file) if record.source == "played"]


def test_a_take_outlives_its_process(tmp_path: Path) -> None:
    first, port, _ = start(tmp_path)
    messages = [text for pitch in range(60, 72) for text in (f"90{pitch:02x}40", f"80{pitch:02x}40")]
    for message in messages:
        play(port, message)
    deadline_s = time.monotonic() + WITHIN_S
    while not (journals := list(tmp_path.glob("*.journal"))) or len(played(journals[0])) < len(messages):
        assert time.monotonic() < deadline_s, "the journal is written as it is played"
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"it ended by itself with {first.wait(0.05)}")
    second, _, _ = start(tmp_path)
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=WITHIN_S)
    assert journals[0].exists(), "a daemon leaves the journal of another alone"

    first.kill()
    first.communicate(timeout=WITHIN_S)
    third, _, began = start(tmp_path)
    third.send_signal(signal.SIGTERM)
    _, said = third.communicate(timeout=WITHIN_S)
    assert (began + said).count("recovered a take that was cut off") == 1
    [take] = tmp_path.iterdir()
    assert take.suffix == ".mid"
    assert read_tracks(take)[0].performance.notes["pitch"].tolist() == list(range(60, 72))
