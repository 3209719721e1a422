"""How late scheduled notes go out while the model runs without rest: dense playing on the real output thread.

Worse than any playing: a performer rests when it is a second ahead, and here the model never does. The model goes
through context exchanges all the while; notes that were due within one, or just after, are also counted apart.
"""

import gc
import random
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench.jack import NoJackError, jack_server
from bench.machine import circumstances
from bench.summary import spread_of
from inference.bundle import Bundle
from inference.onnx_session import OnnxSession
from inference.rolling_context import RollingContext
from piano.errors import PortError
from piano.events import Event, NoteOff, NoteOn
from realtime.engine.find_bundle import EMBEDDED_FOLDER
from realtime.midi.memory_ports import MemoryOutputPort
from realtime.midi.ports import OutputPort
from realtime.midi.rtmidi_ports import open_system
from realtime.output.listener import OutputListener
from realtime.output.scheduler import Scheduler
from realtime.threads.clock import MonotonicClock
from realtime.threads.priority import raise_priority

SECONDS, QUICK_SECONDS = 600.0, 10.0
EVENTS_A_SECOND = 84
"""The densest that people play, for long: 42 notes a second, each with its release."""

AHEAD_NS = 1_000_000_000
AROUND_NS = 5_000_000
"""What was due so shortly after an exchange counts as at one."""

Stretch = tuple[int, int]


@dataclass(slots=True)
class Steadily:
    """A thread that feeds a model without rest, and notes when its context was exchanged. One use."""

    session: RollingContext
    exchanges: list[Stretch]
    fed: int = 0
    _stopping: bool = False

    def run(self) -> None:
        """Feed until told to stop."""
        chance, seen = random.Random(5), self.session.exchanges
        while not self._stopping:
            began_ns = time.monotonic_ns()
            self.session.feed([chance.randrange(20, 500)])
            self.fed += 1
            if self.session.exchanges != seen:
                seen = self.session.exchanges
                self.exchanges.append((began_ns, time.monotonic_ns()))
            if self.session.length > 200_000:
                self.session.reset()
                seen = 0

    def stop(self) -> None:
        """Let the thread end."""
        self._stopping = True


def measure(seconds: float, folder: Path = EMBEDDED_FOLDER) -> dict[str, Any]:
    """Play for so many seconds and return the figures."""
    about = circumstances()
    session = OnnxSession(Bundle.load(folder), threads=1)
    model = Steadily(RollingContext(session, session.twin()), [])
    with _output() as (port, wire):
        due, late = _play(seconds, port, model)
    is_near = within_spans(due, model.exchanges)
    return {
        "kind": "lateness",
        **about,
        "wire": wire,
        "seconds": seconds,
        "tokens_per_s": model.fed / seconds,
        "exchanges": len(model.exchanges),
        "priority": _is_granted(),
        "all": spread_of(late),
        "at_exchanges": spread_of([ms for ms, at in zip(late, is_near, strict=True) if at]),
        "elsewhere": spread_of([ms for ms, at in zip(late, is_near, strict=True) if not at]),
    }


def within_spans(due_ns: Sequence[int], spans: Sequence[Stretch]) -> list[bool]:
    """Say of each moment whether it lies within a span, or just after one; the spans are in order."""
    begins = [began for began, _ in spans]
    found = [bisect_right(begins, moment) - 1 for moment in due_ns]
    return [place >= 0 and moment <= spans[place][1] + AROUND_NS for place, moment in zip(found, due_ns, strict=True)]


def dense_events(seconds: float, seed: int = 3) -> list[tuple[int, Event]]:
    """Return notes without rest, in nanoseconds from now: no key is struck while it is down, no two share a moment."""
    chance = random.Random(seed)
    step_ns = int(1e9 / EVENTS_A_SECOND)
    events: list[tuple[int, Event]] = []
    held: list[int] = []
    for number in range(int(seconds * EVENTS_A_SECOND)):
        at_ns = number * step_ns + chance.randrange(step_ns * 9 // 10)
        if len(held) < 10:
            pitch = chance.choice([pitch for pitch in range(30, 90) if pitch not in held])
            held.append(pitch)
            events.append((at_ns, NoteOn(pitch, chance.randrange(30, 100))))
        else:
            events.append((at_ns, NoteOff(held.pop(0))))
    return events


class _Moments(OutputListener):
    """Writes down when each event of our own went out."""

    def __init__(self, sent: list[int]) -> None:
        self._sent = sent

    def sent(self, at_ns: int, data: bytes, *, own: bool) -> None:  # noqa: ARG002 - the listener's
        if own:
            self._sent.append(at_ns)


def _play(seconds: float, port: OutputPort, model: Steadily) -> tuple[list[int], list[float]]:
    """Schedule a second ahead, while the model runs; return when each event was due, and how late it went out."""
    clock, sent = MonotonicClock(), list[int]()
    scheduler = Scheduler(clock, port, listener=_Moments(sent))
    thread = threading.Thread(target=model.run, name="engine")
    events = dense_events(seconds)
    gc.collect()
    gc.freeze()  # as the daemon does
    try:
        with scheduler:
            thread.start()
            start_ns = clock.now_ns() + AHEAD_NS // 2
            _schedule(scheduler.schedule, events, start_ns, clock)
            time.sleep(max(0.0, (start_ns + events[-1][0] - clock.now_ns()) / 1e9) + 0.5)
            ended = len(sent)
    finally:
        model.stop()
        thread.join()
        gc.unfreeze()
    due = [start_ns + at_ns for at_ns, _ in events]
    if ended != len(due):
        raise RuntimeError(f"{ended} of {len(due)} events went out: the measurement is void")
    return due, [(at_ns - due_ns) / 1e6 for due_ns, at_ns in zip(due, sent, strict=False)]


def _schedule(
    schedule: Callable[[int, Event], None], events: list[tuple[int, Event]], start_ns: int, clock: MonotonicClock
) -> None:
    """Hand events over about a second before they are due."""
    for at_ns, event in tqdm(events, desc="events", unit="event"):
        ahead_ns = start_ns + at_ns - clock.now_ns()
        if ahead_ns > AHEAD_NS:
            time.sleep((ahead_ns - AHEAD_NS) / 1e9)
        schedule(start_ns + at_ns, event)


@contextmanager
def _output() -> Iterator[tuple[OutputPort, str]]:
    """Open a real JACK port where there is jackd, else one in memory."""
    try:
        with jack_server():
            system = open_system("jack", client="pianod")
            try:
                yield system.open_virtual_output("bench"), "JACK"
            finally:
                with suppress(PortError):
                    system.close()
    except NoJackError as error:
        tqdm.write(f"without JACK: {error}")
        yield MemoryOutputPort(MonotonicClock()), "memory"


def _is_granted() -> bool:
    """Say whether the system grants real-time priority."""
    granted: list[bool] = []
    thread = threading.Thread(target=lambda: granted.append(raise_priority(50)))
    thread.start()
    thread.join()
    return granted[0]
