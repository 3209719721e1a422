"""The contestants' processes as the measurement sees them: started, asked in turns, ended."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.contestant import BenchModel, CannotError
from bench.contestants import Entry

ROOT = Path(__file__).resolve().parent.parent


@dataclass(slots=True)
class Worker:
    """A contestant that lives: ask it. `start_up_s` is from the start of its process to its first logits."""

    name: str
    process: "subprocess.Popen[str]"
    start_up_s: float = 0.0

    def ask(self, what: str, **details: object) -> Any:
        """Ask, and wait for the answer; CannotError if it has none."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("a member is asked over pipes")
        try:
            self.process.stdin.write(json.dumps({"what": what, **details}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise CannotError(f"it has ended: {ending_of(self.process.wait())}") from error
        return self._answer()

    def _answer(self) -> Any:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise CannotError(f"it has ended: {ending_of(self.process.wait())}")
        answer = json.loads(line)
        if isinstance(answer, dict) and "cannot" in answer:
            raise CannotError(answer["cannot"])
        return answer

    def wait_until_ready(self, began_s: float) -> None:
        """Wait for the first answer, and note how long it took."""
        self._answer()
        self.start_up_s = time.perf_counter() - began_s


@dataclass(slots=True)
class Contestants:
    """All that take part, and why the others do not."""

    members: list[Worker] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def drop(self, member: Worker, reason: str) -> None:
        """Go on without one that can no longer take part."""
        self.members.remove(member)
        self.missing[member.name] = reason
        end(member)


def ending_of(code: int) -> str:
    """Say in words what the exit code of a process tells."""
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    more = ", an illegal instruction: it was built for another processor" if name == "SIGILL" else ""
    return f"{name}{more}"


def start(entry: Entry, matter: BenchModel) -> Worker:
    """Start one contestant; CannotError if it cannot take part, with the reason."""
    python = entry.python(ROOT)
    if not python.is_file():
        raise CannotError(f"{entry.environment} is not there: its packages could not be installed")
    arguments = [matter.checkpoint, matter.scratch, matter.threads, entry.precision]
    threads = {name: str(matter.threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    began_s = time.perf_counter()
    with (matter.scratch / f"{entry.name.replace(' ', '-')}.log").open("w") as log:
        process = subprocess.Popen(
            [str(python), "-P", "-m", "bench.worker", entry.module, entry.kind, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=matter.scratch,
            env={**os.environ, **threads, "PYTHONPATH": str(ROOT), "TOKENIZERS_PARALLELISM": "false"},
            text=True,
        )
    member = Worker(entry.name, process)
    try:
        member.wait_until_ready(began_s)
    except CannotError:
        end(member)
        raise
    return member


def end(member: Worker) -> None:
    """End a contestant's process."""
    for pipe in (member.process.stdin, member.process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    member.process.kill()
    member.process.wait()


@contextlib.contextmanager
def contestants_of(entries: Sequence[Entry], matter: BenchModel) -> Iterator[Contestants]:
    """Start all that can take part, one after the other, and end them in the end."""
    crew = Contestants()
    try:
        for entry in entries:
            try:
                if entry.converts:
                    end(start(entry, matter))
                crew.members.append(start(entry, matter))
            except CannotError as error:
                crew.missing[entry.name] = str(error)
        yield crew
    finally:
        for member in crew.members:
            end(member)
