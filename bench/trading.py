"""Bars that are traded over real JACK: this process is the pianist and the clock, the daemon a process of its own.

The pianist's clock runs the daemon, and its messages and the daemon's come in at one port, stamped by the driver's
callback: how far an entry lies from its downbeat is told in the driver's time, whenever this process gets to look.
"""

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.contestant_processes import ROOT
from bench.jack import jack_server
from bench.machine import circumstances
from piano.events import Event, NoteOff, NoteOn
from realtime.midi.message import bytes_of, event_of

if TYPE_CHECKING:
    from rtmidi import MidiIn, MidiOut

BEATS, PULSES = 4, 24
_BAR = BEATS * PULSES
_CLOCK, _START, _STOP = b"\xf8", b"\xfa", b"\xfc"
_CHANNEL = 1
"""Where pianod plays, so that its messages are told from the pianist's."""

_PRIORITY = 10
_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class TradingPlan:
    """So many rounds of so many bars each at a tempo; in pianod's turns another one, where that is wanted."""

    tempo_bpm: float
    bars: int = 4
    rounds: int = 16
    tempo_after: float | None = None

    def tempo_at(self, pulse: int) -> float:
        """Return the tempo of the time after a pulse; the first bar is empty, the turns begin with the second."""
        turn, within = divmod(pulse - _BAR, self.bars * _BAR)
        changes = self.tempo_after is not None and (turn % 4 == 2 or (turn % 4 == 1 and within >= _BAR // 2))
        changes |= self.tempo_after is not None and turn % 4 == 3 and within < _BAR // 2
        return self.tempo_after or self.tempo_bpm if changes else self.tempo_bpm


PLANS = (TradingPlan(60.0), TradingPlan(120.0), TradingPlan(208.0), TradingPlan(100.0, tempo_after=140.0))
QUICK_PLANS = (TradingPlan(208.0, 1, 3), TradingPlan(140.0, 1, 4, 200.0))


def script_of(plan: TradingPlan) -> list[tuple[float, bytes]]:
    """Return what the pianist sends, by seconds: the clock, and a key on each beat of its own turns.

    The last key of a turn is held into pianod's, and one more is struck there.
    """
    script, at_s = [(0.0, _START)], 0.0
    turn_pulses = plan.bars * _BAR
    for pulse in range(_BAR + 2 * plan.rounds * turn_pulses + _BAR // 2):
        script.append((at_s, _CLOCK))
        pulse_s = 60 / plan.tempo_at(pulse) / PULSES
        turn, within = divmod(pulse - _BAR, turn_pulses)
        if pulse >= _BAR and turn % 2 == 0 and turn < 2 * plan.rounds and within % PULSES == 0:
            pitch = 50 + within // PULSES * 5 % 24
            held = 2.0 if within == turn_pulses - PULSES else 0.7
            script.append((at_s + 0.2 * pulse_s, bytes_of(NoteOn(pitch, 70))))
            script.append((at_s + held * PULSES * pulse_s, bytes_of(NoteOff(pitch))))
        if pulse >= _BAR and turn % 2 == 1 and within == PULSES // 2:
            script.append((at_s, bytes_of(NoteOn(84, 50))))
            script.append((at_s + 0.1, bytes_of(NoteOff(84))))
        at_s += pulse_s
    script.append((at_s, _STOP))
    return sorted(script, key=lambda sent: sent[0])


@dataclass
class Trades:
    """What was heard of a plan: by turn of pianod's, in ms of the driver's time."""

    entries_ms: list[float] = field(default_factory=list)
    """From the downbeat to the first key."""
    up_ms: list[float] = field(default_factory=list)
    """From the last bar line until every key is up; below 0 where they are before it."""
    silent: int = 0
    """Turns without a key."""
    stray: int = 0
    """Keys outside of pianod's turns."""

    def figures(self) -> dict[str, Any]:
        """Return the worst and the usual ones."""
        off = [abs(entry) for entry in self.entries_ms] or [float("nan")]
        return {
            "turns": len(self.entries_ms) + self.silent,
            "silent": self.silent,
            "stray": self.stray,
            "entry_median_ms": statistics.median(off),
            "entry_worst_ms": max(off),
            "keys_up_worst_ms": max(self.up_ms, default=float("nan")),
        }


def judge(heard: Sequence[tuple[float, bytes]], plan: TradingPlan) -> Trades:
    """Return how what was heard, by seconds, keeps to the pulses that were heard beside it."""
    pulses = [at_s for at_s, data in heard if data == _CLOCK]
    own = own_of(heard)
    trades, turn_pulses, spans = Trades(), plan.bars * _BAR, []
    for number in range(plan.rounds):
        begin = _BAR + (2 * number + 1) * turn_pulses
        down_s, line_s = pulses[begin], pulses[min(begin + turn_pulses, len(pulses) - 1)]
        half_s = (pulses[begin + PULSES] - down_s) / 2
        spans.append((down_s - half_s, line_s + half_s))
        keys = [(at_s, event) for at_s, event in own if down_s - half_s <= at_s < line_s + half_s]
        strikes = [at_s for at_s, event in keys if isinstance(event, NoteOn)]
        if not strikes:
            trades.silent += 1
            continue
        trades.entries_ms.append(1000 * (strikes[0] - down_s))
        trades.up_ms.append(1000 * (_all_up_s(keys) - line_s))
    trades.stray = sum(
        isinstance(event, NoteOn) and not any(begin <= at_s < end for begin, end in spans) for at_s, event in own
    )
    return trades


def own_of(heard: Sequence[tuple[float, bytes]]) -> list[tuple[float, Event]]:
    """Return what pianod played, by seconds."""
    return [(at_s, event) for at_s, data in heard if _is_pianods(data) and (event := event_of(data)) is not None]


def _is_pianods(data: bytes) -> bool:
    return data[0] < 0xF0 and data[0] & 0x0F == _CHANNEL


def _all_up_s(keys: Sequence[tuple[float, Any]]) -> float:
    """Return when the last key came up; infinite where one did not."""
    down: set[int] = set()
    up_s = 0.0
    for at_s, event in keys:
        if isinstance(event, NoteOn):
            down.add(event.pitch)
        elif isinstance(event, NoteOff):
            down.discard(event.pitch)
            up_s = at_s
    return float("inf") if down else up_s


def trade(plan: TradingPlan) -> Trades:
    """Trade bars with a daemon on the JACK server of the environment."""
    return judge(heard_of(script_of(plan), "--follow-clock", "--answer", "bars", "--bars", str(plan.bars)), plan)


def heard_of(script: Sequence[tuple[float, bytes]], *flags: str) -> list[tuple[float, bytes]]:
    """Send messages, by seconds, to a daemon on the JACK server of the environment.

    Return them and what the daemon played, in the order in which they went by, by seconds of the driver's time.
    """
    with _daemon(flags), _pianist() as (hands, ear, join):
        join("pianod out", "ear")
        join("hands", "pianod in")
        join("hands", "ear")
        return _play(script, hands, ear)


def measure(plans: Sequence[TradingPlan]) -> dict[str, Any]:
    """Trade by each plan and return the figures."""
    about = circumstances()
    found = []
    for plan in plans:
        with jack_server():
            name = f"{plan.tempo_bpm:g} bpm" + (f", {plan.tempo_after:g} in between" if plan.tempo_after else "")
            found.append({"tempo": name, "bars": plan.bars, "rounds": plan.rounds, **trade(plan).figures()})
            print(found[-1], file=sys.stderr, flush=True)
    return {"kind": "trading", **about, "plans": found}


def _play(script: Sequence[tuple[float, bytes]], hands: "MidiOut", ear: "MidiIn") -> list[tuple[float, bytes]]:
    """Send messages at their moments and return what was heard, by seconds of the driver's."""
    heard: list[tuple[float, bytes]] = []
    at_s = 0.0

    def listen() -> None:
        nonlocal at_s
        while (got := ear.get_message()) is not None:
            data, since_s = got
            at_s += since_s
            heard.append((at_s, bytes(data)))

    with _urgently():
        start_s = time.monotonic()
        for due_s, data in script:
            while (wait_s := start_s + due_s - time.monotonic()) > 0:
                listen()
                time.sleep(min(wait_s, 0.002))
            hands.send_message(list(data))
    end_s = time.monotonic() + _AFTER_S
    while time.monotonic() < end_s:
        listen()
        time.sleep(0.005)
    return heard


@contextlib.contextmanager
def _urgently() -> Iterator[None]:
    """Keep time on a busy machine too, where the system lets us."""
    before = os.sched_getscheduler(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, before, os.sched_param(0))


@contextlib.contextmanager
def _daemon(flags: Sequence[str]) -> Iterator[None]:
    always = ["--api", "jack", "--seed", "5", "--no-panel", "--takes", "", "--output-channel", str(_CHANNEL + 1)]
    daemon = subprocess.Popen(
        [sys.executable, "-P", "-m", "realtime", *always, *flags],
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    try:
        line = daemon.stderr.readline() if daemon.stderr else ""
        if "listening on" not in line:
            raise RuntimeError(f"the daemon did not start: {line}")
        yield
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=60)


@contextlib.contextmanager
def _pianist() -> Iterator[tuple["MidiOut", "MidiIn", Any]]:
    """Open the pianist's two ports, and give what joins ports by parts of their names."""
    import rtmidi  # needs a library of the system

    hands = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="pianist-hands")
    ear = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name="pianist-ear", queue_size_limit=1 << 16)
    ear.ignore_types(timing=False)
    hands.open_virtual_port("hands")
    ear.open_virtual_port("ear")

    def join(source: str, target: str) -> None:
        server = ["-s", os.environ["JACK_DEFAULT_SERVER"]]
        listed = subprocess.run(["jack_lsp", *server], capture_output=True, text=True, check=True).stdout.splitlines()
        names = [next(name for name in listed if name.endswith(f":{wanted}")) for wanted in (source, target)]
        subprocess.run(["jack_connect", *server, *names], capture_output=True, check=True)

    try:
        yield hands, ear, join
    finally:
        hands.close_port()
        ear.close_port()
        hands.delete()
        ear.delete()
