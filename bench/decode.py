"""The bench's first measurement: one token, a prompt and a few tokens at once, by us and by our peers, in turns.

All take part in rounds, forwards and backwards, so that what else the machine does meets everyone alike; each figure
is the median over all rounds. A round before the first warms up.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench.bench_model import cache_bytes, make_bundle, weight_bytes
from bench.contestant import BenchModel, CannotError
from bench.contestant_processes import Contestants, Worker, contestants_of
from bench.contestants import CONTESTANTS, FLOOR, OURS, READER, Entry, is_peer
from bench.floor import larger_than_caches
from bench.machine import circumstances
from bench.sampling import sample_us
from inference.manifest import ModelShape

FED = (1, 2, 4, 8)
DRAWS = 2000
PRECISIONS = ("int8", "fp32")
MEMORY = ("most memory", 0)
"""What is kept in megabytes, where everything else is milliseconds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured; each round takes `steps` tokens at every past length from everyone."""

    rounds: int = 12
    steps: int = 32
    pasts: tuple[int, ...] = (64, 512)
    """And the full context, less the steps."""
    prefills: tuple[int, ...] = (64, 256, 512)
    fed_after: int = 512
    threads: int = 1
    seconds: float = 600.0
    """After so long no new round begins; one is taken whatever it takes."""


QUICK = Plan(rounds=3, steps=12, prefills=(256,), seconds=40.0)


@dataclass(slots=True)
class Times:
    """Milliseconds, or megabytes, by what was asked and by who answered."""

    by_question: dict[tuple[str, int], dict[str, list[float]]] = field(default_factory=dict)

    def add(self, question: tuple[str, int], name: str, times_ms: Sequence[float]) -> None:
        """Keep some."""
        self.by_question.setdefault(question, {}).setdefault(name, []).extend(times_ms)

    def forget(self, name: str) -> None:
        """Drop whatever one has answered."""
        for answers in self.by_question.values():
            answers.pop(name, None)

    def medians(self, question: tuple[str, int]) -> dict[str, float]:
        """Return the median of each who answered."""
        return {name: statistics.median(times) for name, times in self.by_question.get(question, {}).items()}


def measure(
    checkpoint: Path,
    plan: Plan,
    entries: Sequence[Entry] = CONTESTANTS,
    *,
    so_far: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Return all figures of one run, ready for JSON; `so_far` is given those of each round that is over.

    A contestant that falls is named among those that are missing, with the reason. CannotError where it is we.
    """
    about = circumstances()
    with tempfile.TemporaryDirectory(prefix="pianod-bench-") as folder:
        scratch = Path(folder)
        matter = BenchModel(checkpoint.resolve(), scratch, plan.threads, "int8")
        for precision in PRECISIONS:
            shape = make_bundle(replace(matter, precision=precision))
        pasts = [past for past in plan.pasts if past + plan.steps < shape.context]
        pasts.append(shape.context - plan.steps - 1)
        weights = weight_bytes(matter.bundle)
        sizes = {past: weights + cache_bytes(shape, past + plan.steps // 2) for past in pasts}
        large = larger_than_caches()
        about |= {"threads": plan.threads, "rounds": plan.rounds, "shape": _shape(shape), "weight_bytes": weights}
        about["sampling_us"] = sample_us(DRAWS, shape.vocabulary)
        with contestants_of([READER, *entries], matter) as crew:
            if OURS in crew.missing:
                raise CannotError(f"{OURS} does not start: {crew.missing[OURS]}")
            for name, reason in crew.missing.items():
                tqdm.write(f"without {name}: {reason}")
            match = Match(plan, sizes, large, crew)
            for number in rounds_of(plan, time.monotonic):
                match.take_round(number)
                figures = {"kind": "decode", **about, **match.figures()}
                if number:
                    tqdm.write(f"round {number}: {_in_one_line(figures)}")
                    so_far(figures)
    return figures


def _shape(shape: ModelShape) -> dict[str, int]:
    return {"layers": shape.layers, "width": shape.width, "heads": shape.heads, "context": shape.context}


def _in_one_line(figures: dict[str, Any]) -> str:
    line = figures["decode"][0]
    return f"ms a token at a past of {line['past']}: " + ", ".join(
        f"{name} {ms:.3f}" for name, ms in line["all_ms"].items()
    )


@dataclass(slots=True)
class Match:
    """All who take part, asked the same questions in rounds."""

    plan: Plan
    sizes: dict[int, int]
    """By past length, the bytes that a token needs."""
    large: int
    """The bytes of an array larger than any cache."""
    crew: Contestants
    times: Times = field(default_factory=Times)

    def take_round(self, number: int) -> None:
        """Ask everyone, in an order that turns around; round 0 warms up. Who falls takes no further part."""
        kept = self.times if number else Times()
        for member in self.crew.members[:: 1 if number % 2 else -1]:
            try:
                if member.name == FLOOR:
                    _read_all(member, self.sizes, self.large, kept)
                else:
                    _ask_all(member, self.plan, self.sizes, kept)
            except CannotError as error:
                if member.name == OURS:
                    raise
                tqdm.write(f"without {member.name}: {error}")
                self.crew.drop(member, str(error))
                self.times.forget(member.name)

    def figures(self) -> dict[str, Any]:
        """Return what the rounds so far have shown."""
        times, plan = self.times, self.plan
        memory_rate = gb_per_s(self.large, times.medians(("memory", self.large)).get(FLOOR, 0.0))
        playing = [member for member in self.crew.members if member.name != FLOOR]
        return {
            "memory_gb_per_s": memory_rate,
            "decode": [
                decode_line(past, size, times.medians(("decode", past)), memory_rate)
                for past, size in self.sizes.items()
            ],
            "prefill": [_line({"tokens": n}, times.medians(("prefill", n))) for n in _prefills(plan, max(self.sizes))],
            "feed": [_line({"tokens": n, "past": plan.fed_after}, times.medians(("feed", n))) for n in FED],
            "start_up_s": {member.name: member.start_up_s for member in playing},
            "memory_mb": times.medians(MEMORY),
            "missing": self.crew.missing | _silent(self.crew, times),
        }


def rounds_of(plan: Plan, now_s: Callable[[], float]) -> Iterator[int]:
    """Count the rounds from 0, the one that warms up, until there are enough or time is up."""
    began_s = now_s()
    for number in tqdm(range(plan.rounds + 1), desc="rounds", unit="round"):
        if number > 1 and now_s() - began_s > plan.seconds:
            return
        yield number


def gb_per_s(size: int, ms: float) -> float:
    """Return the rate of a read; 0 where there was none."""
    return size / ms / 1e6 if ms else 0.0


def decode_line(past: int, size: int, medians: dict[str, float], memory_rate: float) -> dict[str, Any]:
    """Return the figures of one past length.

    `floor_ms` is the time of reading the bytes once from where the last read left them, `memory_floor_ms` from the
    memory at its rate, in GB/s.
    """
    floor_ms = medians.get(FLOOR, 0.0)
    memory_ms = size / memory_rate / 1e6 if memory_rate else 0.0
    ours = medians.get(OURS, 0.0)
    return {
        "past": past,
        "ms": ours,
        "floor_ms": floor_ms,
        "floor_gb_per_s": gb_per_s(size, floor_ms),
        "memory_floor_ms": memory_ms,
        "bytes": size,
        "over_floor": ours / floor_ms if floor_ms else 0.0,
        "over_memory_floor": ours / memory_ms if memory_ms else 0.0,
        "peers_over_ours": {name: ms / ours for name, ms in medians.items() if is_peer(name)} if ours else {},
        "all_ms": {name: ms for name, ms in medians.items() if name != FLOOR},
    }


def _line(about: dict[str, int], medians: dict[str, float]) -> dict[str, Any]:
    ours = medians.get(OURS, 0.0)
    peers = {name: ms / ours for name, ms in medians.items() if is_peer(name)} if ours else {}
    return {**about, "ms": ours, "peers_over_ours": peers, "all_ms": medians}


def _prefills(plan: Plan, longest: int) -> list[int]:
    return [count for count in plan.prefills if count < longest] + [longest]


def _ask_all(member: Worker, plan: Plan, sizes: dict[int, int], times: Times) -> None:
    """Ask one member everything of a round; what it cannot do it is not asked for twice in the round."""
    for past in sizes:
        times.add(("decode", past), member.name, member.ask("decode", past=past, steps=plan.steps))
    for count in _prefills(plan, max(sizes)):
        times.add(("prefill", count), member.name, [member.ask("prefill", count=count)])
    times.add(MEMORY, member.name, [member.ask("memory")])
    try:
        for count in FED:
            times.add(
                ("feed", count), member.name, [member.ask("feed", past=plan.fed_after, count=count) for _ in range(5)]
            )
    except CannotError:
        return


def _read_all(member: Worker, sizes: dict[int, int], large: int, times: Times) -> None:
    """Have what a token needs read, and what is too large for any cache."""
    times.add(("memory", large), member.name, [member.ask("read", bytes=large)])
    for past, size in sizes.items():
        times.add(("decode", past), member.name, [member.ask("read", bytes=size)])


def _silent(crew: Contestants, times: Times) -> dict[str, str]:
    """Name who could decode, but not be fed several tokens after a past."""
    fed = times.by_question.get(("feed", FED[0]), {})
    names = [member.name for member in crew.members if member.name not in fed and member.name != FLOOR]
    return {f"{name} (feed)": "its interface keeps no cache to feed several tokens to" for name in names}
