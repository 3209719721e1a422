"""Key in to note out: the daemon in velocity mode, a process of its own, on real JACK ports; each key waits for the
model's velocity. This process is the pianist: it strikes one key at a time, so that the n-th that goes in is the n-th
that comes out, and every moment on the way belongs to a key.
"""

import json
import os
import random
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from bench.contestant_processes import ROOT
from bench.jack import jack_server
from bench.machine import circumstances
from bench.summary import spread_of
from piano.errors import PortError
from piano.events import NoteOff, NoteOn
from realtime.midi.message import MessageKind, bytes_of, kind_of
from realtime.midi.ports import InputPort, MidiSystem, OutputPort
from realtime.midi.rtmidi_ports import open_system

KEYS, QUICK_KEYS = 10_000, 300
GAP_S = (0.002, 0.02)
"""Between a key's return and the next key."""

LOST_S = 1.0
STAGES = ("wire in", "to the model", "model", "to the port", "wire out")


@dataclass(frozen=True, slots=True)
class Key:
    """One key's way, in nanoseconds: struck, stamped by the daemon, at the model, judged, sent, heard."""

    struck: int
    came: int
    fed: int
    judged: int
    left: int
    heard: int

    def stages_ms(self) -> dict[str, float]:
        """Return how long each stage took."""
        moments = (self.struck, self.came, self.fed, self.judged, self.left, self.heard)
        return {name: (moments[i + 1] - moments[i]) / 1e6 for i, name in enumerate(STAGES)}

    @property
    def whole_ms(self) -> float:
        """Return how long the whole took."""
        return (self.heard - self.struck) / 1e6


def measure(count: int, *, wait_ms: float = 50.0, guarded: bool = True) -> dict[str, Any]:
    """Strike keys and return the figures; `wait_ms` is long: it is the model that is measured."""
    about = circumstances()
    with jack_server():
        daemon = _start_daemon(wait_ms, guarded=guarded)
        try:
            with _pianist() as (hands, ear):
                struck, heard = _strike(count, hands, ear)
                moments = _end(daemon)
        finally:
            daemon.kill()
            daemon.wait()
    keys = ways(struck, heard, moments)
    return {"kind": "keys", **about, "guarded": guarded, "unanswered": moments["unanswered"], **figures(keys, count)}


def figures(keys: Sequence[Key], count: int) -> dict[str, Any]:
    """Return percentiles of the whole and of each stage, and each stage's share of the mean."""
    whole = [key.whole_ms for key in keys]
    by_stage = {stage: [key.stages_ms()[stage] for key in keys] for stage in STAGES}
    total = sum(whole) or 1.0
    return {
        "keys": count,
        "lost": count - len(keys),
        "key_to_note": spread_of(whole),
        "stages": {stage: spread_of(times) for stage, times in by_stage.items()},
        "shares": {stage: sum(times) / total for stage, times in by_stage.items()},
    }


def ways(struck: Sequence[int], heard: Sequence[int | None], moments: dict[str, Any]) -> list[Key]:
    """Put the moments of each key together: the n-th of each list, and the feeds that ended before it left."""
    begins = [began for began, _ in moments["fed"]]
    keys = []
    for index, (struck_ns, heard_ns) in enumerate(zip(struck, heard, strict=True)):
        if heard_ns is None or index >= min(len(moments["came"]), len(moments["left"])):
            continue
        came_ns, left_ns = moments["came"][index], moments["left"][index]
        place = bisect_left(begins, came_ns)
        feeds = [feed for feed in moments["fed"][place : place + 8] if feed[1] <= left_ns]
        fed_ns, judged_ns = (feeds[0][0], feeds[-1][1]) if feeds else (came_ns, came_ns)
        keys.append(Key(struck_ns, came_ns, fed_ns, judged_ns, left_ns, heard_ns))
    return keys


def _strike(count: int, hands: OutputPort, ear: InputPort) -> tuple[list[int], list[int | None]]:
    """Strike keys one at a time; return when each was struck, and heard if it was."""
    chance = random.Random(1)
    struck: list[int] = []
    heard: list[int | None] = []
    for number in tqdm(range(count), desc="keys", unit="key"):
        pitch = 36 + (number * 7 + chance.randrange(5)) % 48
        struck.append(time.monotonic_ns())
        hands.send(bytes_of(NoteOn(pitch, chance.randrange(30, 110))))
        heard.append(_hear(ear, pitch))
        hands.send(bytes_of(NoteOff(pitch)))
        _listen(ear, chance.uniform(*GAP_S))
    return struck, heard


def _hear(ear: InputPort, pitch: int) -> int | None:
    """Wait for a key to come back, and return when it did; None if it is lost."""
    end_ns = time.monotonic_ns() + int(LOST_S * 1e9)
    while time.monotonic_ns() < end_ns:
        while (data := ear.poll()) is not None:
            if kind_of(data) is MessageKind.NOTE_ON and data[1] == pitch:
                return time.monotonic_ns()
        time.sleep(0.00005)
    return None


def _listen(ear: InputPort, seconds: float) -> None:
    end_ns = time.monotonic_ns() + int(seconds * 1e9)
    while time.monotonic_ns() < end_ns:
        while ear.poll() is not None:
            pass
        time.sleep(0.0005)


def _start_daemon(wait_ms: float, *, guarded: bool) -> "subprocess.Popen[str]":
    daemon = subprocess.Popen(
        [sys.executable, "-P", "-m", "bench.stamped_daemon", "1" if guarded else "0", str(wait_ms)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**_environment(), "PYTHONPATH": str(ROOT)},
        text=True,
    )
    line = daemon.stdout.readline() if daemon.stdout else ""
    if line != "ready\n":
        daemon.kill()
        raise RuntimeError("the daemon did not start; what it said stands above")
    return daemon


def _environment() -> dict[str, str]:
    return {**os.environ, "PIANOD_TAKES": ""}


def _end(daemon: "subprocess.Popen[str]") -> dict[str, Any]:
    """End the daemon and return its moments."""
    out, _ = daemon.communicate(timeout=30)
    return dict(json.loads(out.splitlines()[-1]))


@contextmanager
def _pianist() -> Iterator[tuple[OutputPort, InputPort]]:
    """Open the pianist's two ports on the daemon's."""
    system: MidiSystem = open_system("jack", client="pianist")
    try:
        listing = system.list_ports()
        hands = next(name for name in listing.outputs if "pianod" in name)
        ear = next(name for name in listing.inputs if "pianod" in name)
        yield system.open_output(hands), system.open_input(ear)
    finally:
        with suppress(PortError):
            system.close()
