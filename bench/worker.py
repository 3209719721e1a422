"""The process that one contestant lives in: reads a question a line, answers a line, both JSON.

Started by `bench.contestant_processes`, with the contestant's own interpreter. What libraries print goes to the error
stream.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from bench.contestant import BenchModel, CannotError, some_tokens


def serve(contestant: Any, vocabulary: int, questions: TextIO, answer: Callable[[object], None]) -> None:
    """Answer questions until there are no more."""
    for line in questions:
        question = json.loads(line)
        try:
            answer(_ask(contestant, vocabulary, question))
        except CannotError as error:
            answer({"cannot": str(error)})


def _ask(contestant: Any, vocabulary: int, question: dict[str, Any]) -> object:
    match question["what"]:
        case "decode":
            return contestant.decode(question["past"], question["steps"])
        case "feed":
            return contestant.feed(question["past"], question["count"])
        case "prefill":
            tokens = some_tokens(question["count"], vocabulary)
            began_ns = time.perf_counter_ns()
            contestant.prefill(tokens)
            return (time.perf_counter_ns() - began_ns) / 1e6
        case "read":
            return contestant.read(question["bytes"])
        case "memory":
            return most_memory_mb()
        case other:
            raise ValueError(f"nobody can be asked {other!r}")


def most_memory_mb() -> float:
    """Return the most memory that this process ever held, in megabytes."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = (line.split() for line in status.read_text().splitlines())
        return next(float(words[1]) for words in lines if words[0] == "VmHWM:") / 1e3
    import resource  # not on every system

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> int:
    """Build the contestant named on the command line, say how long that took, and serve it."""
    module, name, checkpoint, scratch, threads, precision = sys.argv[1:]
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(value: object) -> None:
        out.write(json.dumps(value) + "\n")
        out.flush()

    matter = BenchModel(Path(checkpoint), Path(scratch), int(threads), precision)
    try:
        contestant = getattr(importlib.import_module(module), name)(matter)
        vocabulary = int(json.loads((matter.checkpoint / "config.json").read_text())["vocab_size"])
        contestant.prefill(some_tokens(1, vocabulary))
    except Exception as error:  # the top of the process: what keeps a peer from playing is shown in the report
        answer({"cannot": f"{type(error).__name__}: {error}"[:300]})
        return 1
    answer("ready")
    serve(contestant, vocabulary, sys.stdin, answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
