"""Record what is played, written and learned as fingerprints, and compare two records.

    python -m tests.unchanged.record FILE              write a record
    python -m tests.unchanged.record FILE --against OLD    write one, and name what differs from an older one

A record is a JSON file: SHA-256 by name. The first lines tell the vocabulary and the embedded bundle, so that a
change of the model is told from a change of the code: with another bundle nothing that it plays is comparable.

What differs by processor: all that the embedded bundle computes (`file/`, `session/`, `logits/`), since ONNX Runtime
chooses its code by the processor and sums in another order. Compare these on one machine. `chance/` (a model of chance
whose logits come from a table) and `window/` (training windows) are the same wherever numpy is the same.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.find_bundle import open_bundle
from realtime.settings import Settings
from tests.unchanged.files import file_records
from tests.unchanged.learning import logit_records, window_records
from tests.unchanged.sessions import chance_records, session_records


def model_records() -> Iterator[tuple[str, str]]:
    """Yield what tells one model from another."""
    yield "model/vocabulary", f"{VOCABULARY.fingerprint} of {VOCABULARY.size}"
    for graph in open_bundle(Settings(panel=False)).manifest.graphs:
        yield f"model/{graph.name}", graph.sha256


def all_records() -> dict[str, str]:
    """Return everything, by name."""
    with tempfile.TemporaryDirectory() as folder:
        return dict(
            (
                *model_records(),
                *logit_records(),
                *window_records(),
                *chance_records(),
                *session_records(),
                *file_records(Path(folder)),
            )
        )


def differences(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Return a line for each name whose fingerprint is another, or that only one record has."""
    return [
        f"{name}: {'was not there' if name not in old else 'is gone' if name not in new else 'differs'}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a record; with an older one, return 1 where something differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.unchanged.record", description=__doc__)
    parser.add_argument("file", type=Path, help="JSON file to write")
    parser.add_argument("--against", type=Path, help="an older record")
    args = parser.parse_args(arguments)
    new = all_records()
    args.file.write_text(json.dumps(new, indent=1) + "\n")
    lines = [] if args.against is None else differences(json.loads(args.against.read_text()), new)
    print("\n".join(lines) or f"{len(new)} fingerprints in {args.file}", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
