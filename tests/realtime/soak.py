"""A long duet over JACK: a real daemon, a pianist who never tires, and what grows meanwhile.

    python -m tests.realtime.soak --minutes 60 --out soak.json

The pianist plays the demo's phrases again and again, lets itself be answered, and plays into the answer; the daemon
passes its keys on, so that each is timed from its sending to its return. Ends with a line of figures; exit code 1 if a
note was left sounding, either process grew by more than a tenth in memory after the first tenth of the time, or keys
came back much later in the last third than in the first.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from realtime.cli.demo_phrases import NAMES, read_phrase
from realtime.midi.message import MessageKind, channel_of, kind_of
from realtime.midi.performance_messages import messages_of
from realtime.midi.ports import InputPort, OutputPort
from realtime.midi.rtmidi_ports import open_system
from tests.support.jack import JackServer

LISTEN_S = 6.0
"""How long the daemon may answer before the next phrase comes."""
SAMPLE_S = 5.0
MAY_GROW = 1.1
MAY_BE_LATER = 2.0


@dataclass
class Log:
    """What was seen: memory in megabytes over time, and by phrase the median milliseconds of its keys' round trips."""

    at_s: list[float] = field(default_factory=list)
    daemon_mb: list[float] = field(default_factory=list)
    guardian_mb: list[float] = field(default_factory=list)
    trip_ms: list[float] = field(default_factory=list)
    worst_trip_ms: list[float] = field(default_factory=list)
    played: int = 0
    heard: int = 0
    answers: int = 0


class Pianist:
    """Two hands and an ear; what it played comes back at once, what else comes is an answer."""

    def __init__(self, hands: OutputPort, ear: InputPort, log: Log) -> None:
        self._hands, self._ear, self._log = hands, ear, log
        self._sent: dict[tuple[int, int], int] = {}
        self._trips_ms: list[float] = []
        self.sounding: set[tuple[int, int]] = set()
        self._pedals: dict[int, int] = {}

    def play(self, name: str) -> None:
        """Play a phrase to its end."""
        start_ns, self._trips_ms = time.monotonic_ns(), []
        for at_ns, data in messages_of(read_phrase(name)):
            self.listen_until(start_ns + at_ns)
            if kind_of(data) is MessageKind.NOTE_ON:
                self._sent[data[1], data[2]] = time.monotonic_ns()
                self._log.played += 1
            self._hands.send(data)
        self.listen_until(time.monotonic_ns() + 100_000_000)
        if self._trips_ms:
            self._log.trip_ms.append(round(float(np.median(self._trips_ms)), 3))
            self._log.worst_trip_ms.append(round(max(self._trips_ms), 3))

    def listen_until(self, deadline_ns: int) -> int:
        """Listen until a moment; return how many keys came that were not ours."""
        others = 0
        while time.monotonic_ns() < deadline_ns:
            while (data := self._ear.poll()) is not None:
                others += self._hear(data, time.monotonic_ns())
            self._ear.wait()
        return others

    def lift(self) -> None:
        """Lift hands and feet."""
        for pitch in range(128):
            self._hands.send(bytes((0x80, pitch, 64)))
        self._hands.send(bytes((0xB0, 64, 0)))

    def is_silent(self) -> bool:
        """Say whether nothing sounds."""
        return not self.sounding and not any(value >= 64 for value in self._pedals.values())

    def _hear(self, data: bytes, now_ns: int) -> bool:
        kind = kind_of(data)
        if kind is MessageKind.SUSTAIN:
            self._pedals[channel_of(data)] = data[2]
        elif kind is MessageKind.NOTE_OFF:
            self.sounding.discard((channel_of(data), data[1]))
        elif kind is MessageKind.NOTE_ON:
            self._log.heard += 1
            self.sounding.add((channel_of(data), data[1]))
            sent_ns = self._sent.pop((data[1], data[2]), None)
            if sent_ns is None:
                return True
            self._trips_ms.append((now_ns - sent_ns) / 1e6)
        return False


def resident_mb(pid: int) -> float:
    """Return how much memory a process has."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 2)


def guardian_of(pid: int) -> int | None:
    """Return the process id of a daemon's guardian, if it has one."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else None


def start_daemon(folder: Path, flags: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start the daemon, wait until it listens, and let it write the rest to a file."""
    log = folder / "daemon.log"
    command = [sys.executable, "-m", "realtime", "--api", "jack", "--seed", "5", "--thru", "--no-panel"]
    with log.open("wb") as file:
        daemon = subprocess.Popen([*command, "--takes", str(folder), *flags], stderr=file)
    while "listening on" not in log.read_text():
        if daemon.poll() is not None:
            raise SystemExit(log.read_text())
        time.sleep(0.1)
    return daemon


def soak(minutes: float, folder: Path, flags: Sequence[str] = ()) -> tuple[Log, bool]:
    """Play for so long; return what was seen, and whether all was silent at the end."""
    log, start_s = Log(), time.monotonic()
    daemon = start_daemon(folder, flags)
    guardian = guardian_of(daemon.pid)
    system = open_system("jack", client="pianist")
    pianist = Pianist(system.open_output("pianod in"), system.open_input("pianod out"), log)
    while time.monotonic() - start_s < minutes * 60:
        pianist.play(NAMES[len(log.trip_ms) % len(NAMES)])
        log.answers += pianist.listen_until(time.monotonic_ns() + int(LISTEN_S * 1e9)) > 0
        if not log.at_s or time.monotonic() - start_s - log.at_s[-1] >= SAMPLE_S:
            log.at_s.append(round(time.monotonic() - start_s, 1))
            log.daemon_mb.append(resident_mb(daemon.pid))
            log.guardian_mb.append(0.0 if guardian is None else resident_mb(guardian))
    pianist.lift()
    daemon.send_signal(signal.SIGTERM)
    pianist.listen_until(time.monotonic_ns() + 2_000_000_000)
    is_ended = daemon.wait(60) == 0
    return log, is_ended and pianist.is_silent()


def verdict(log: Log, *, is_silent: bool) -> dict[str, object]:
    """Return the figures, and what they come to."""
    daemon_mb, guardian_mb = _growth(log.daemon_mb), _growth(log.guardian_mb)
    is_flat = all(late <= early * MAY_GROW for early, late in (daemon_mb, guardian_mb))
    third = max(len(log.trip_ms) // 3, 1)
    first_ms, last_ms = float(np.median(log.trip_ms[:third])), float(np.median(log.trip_ms[-third:]))
    return {
        "seconds": log.at_s[-1],
        "keys": log.played,
        "answers": log.answers,
        "heard": log.heard,
        "daemon_mb": daemon_mb,
        "guardian_mb": guardian_mb,
        "round_trip_ms": [first_ms, last_ms],
        "worst_round_trip_ms": max(log.worst_trip_ms),
        "is_silent": is_silent,
        "passes": is_silent and log.answers > 0 and is_flat and last_ms <= first_ms * MAY_BE_LATER,
    }


def _growth(memory_mb: Sequence[float]) -> tuple[float, float]:
    """Return the memory of the second tenth of the time, and that of the last."""
    tenth = max(len(memory_mb) // 10, 1)
    return float(np.median(memory_mb[tenth : 2 * tenth + 1])), float(np.median(memory_mb[-tenth:]))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path, required=True, help="JSON file for all that was seen")
    parser.add_argument("--no-guardian", action="store_true", help="let the daemon hold its ports itself, to compare")
    given = parser.parse_args()
    with JackServer() as server, tempfile.TemporaryDirectory() as folder:
        os.environ["JACK_DEFAULT_SERVER"] = server.name
        log, is_silent = soak(given.minutes, Path(folder), ["--no-guardian"] if given.no_guardian else [])
    told = verdict(log, is_silent=is_silent)
    given.out.write_text(json.dumps({"verdict": told, "log": asdict(log)}, indent=1) + "\n")
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    os._exit(0 if told["passes"] else 1)  # JACK's library does not take leave of a server that has gone


if __name__ == "__main__":
    main()
