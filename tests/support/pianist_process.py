"""A pianist as a program of its own: plays phrases into the daemon's ports and writes down what comes back.

    python -m tests.support.pianist_process SCRIPT.json

The script is a list of takes, each {"after": "now" | "answer", "wait_s": S, "notes": [[at_s, hex], …]}: a take begins
at once, or `wait_s` after the first note of an answer was heard. After the last take it listens for `listen_s` more.
What was played and heard goes to standard output as JSON: {"played": [[ns, hex], …], "heard": [[ns, hex], …]}.
"""

import faulthandler
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from realtime.midi.message import MessageKind, kind_of
from realtime.midi.ports import InputPort, OutputPort
from realtime.midi.rtmidi_ports import open_system

ANSWER_WITHIN_S = 20.0


class Pianist:
    """Two hands and an ear on real ports."""

    def __init__(self, hands: OutputPort, ear: InputPort) -> None:
        self._hands, self._ear = hands, ear
        self.played: list[tuple[int, str]] = []
        self.heard: list[tuple[int, str]] = []

    def play(self, notes: list[list[Any]]) -> None:
        """Send messages at their moments, listening all the while."""
        start_ns = time.monotonic_ns()
        for at_s, message in notes:
            self.listen_until(start_ns + int(at_s * 1e9))
            self._hands.send(bytes.fromhex(message))
            self.played.append((time.monotonic_ns(), message))

    def listen_until(self, deadline_ns: int) -> None:
        """Listen until a moment."""
        while time.monotonic_ns() < deadline_ns:
            self._take()
            time.sleep(0.0002)

    def wait_for_answer(self) -> None:
        """Listen until the first note of an answer to what was played last."""
        since_ns = self.played[-1][0] if self.played else 0
        deadline_ns = time.monotonic_ns() + int(ANSWER_WITHIN_S * 1e9)
        while time.monotonic_ns() < deadline_ns:
            self._take()
            if any(at_ns > since_ns and _is_note_on(message) for at_ns, message in self.heard):
                return
            time.sleep(0.0002)

    def _take(self) -> None:
        while (data := self._ear.poll()) is not None:
            self.heard.append((time.monotonic_ns(), data.hex()))


def _is_note_on(message: str) -> bool:
    return kind_of(bytes.fromhex(message)) is MessageKind.NOTE_ON


def main() -> None:
    """Play the script."""
    faulthandler.enable()
    script = json.loads(Path(sys.argv[1]).read_text())
    system = open_system("jack", client="pianist")
    pianist = Pianist(system.open_output(script["hands"]), system.open_input(script["ear"]))
    print("ready", file=sys.stderr, flush=True)
    for take in script["takes"]:
        if take["after"] == "answer":
            pianist.wait_for_answer()
            pianist.listen_until(time.monotonic_ns() + int(take["wait_s"] * 1e9))
        pianist.play(take["notes"])
    pianist.listen_until(time.monotonic_ns() + int(script["listen_s"] * 1e9))
    if script.get("ending") == "wait":
        print("played", file=sys.stderr, flush=True)
        sys.stdin.read()
        pianist.listen_until(time.monotonic_ns() + 500_000_000)
    print(json.dumps({"played": pianist.played, "heard": pianist.heard}), flush=True)
    os._exit(0)  # all is said: how JACK takes leave of a client whose partner has just gone is not under test


if __name__ == "__main__":
    main()
