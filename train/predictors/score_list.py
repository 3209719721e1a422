"""The list of what has been scored, so that a measurement that broke off goes on where it was, from any machine.

A line a performance is added to a file as it comes: its key, made of the model, the way it is scored and the events,
and its tally. A line that broke off is passed over.
"""

import hashlib
import json
from dataclasses import astuple
from pathlib import Path

from piano.errors import ConfigError
from piano.tokens.encoding import TokenArray
from train.predictors.scoring import Tally


class ScoreList:
    """The list in a file; without one, nothing is kept."""

    def __init__(self, path: Path | None = None) -> None:
        """Read what is there; ConfigError if the file cannot be read."""
        self._path = path
        self._tallies: dict[str, Tally] = {}
        if path is None or not path.exists():
            return
        try:
            for line in path.read_text(encoding="utf-8").splitlines():
                self._take(line)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read as a list of what was scored ({error})") from error

    def _take(self, line: str) -> None:
        try:
            key, (pieces, notes, tokens, nats, parts) = json.loads(line)
            self._tallies[str(key)] = Tally(pieces, notes, tokens, nats, tuple(parts))
        except (ValueError, TypeError):
            return

    def get(self, key: str) -> Tally | None:
        """Return what a performance came to, if it has been scored."""
        return self._tallies.get(key)

    def add(self, key: str, tally: Tally) -> None:
        """Note what a performance came to; ConfigError if that cannot be written."""
        self._tallies[key] = tally
        if self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n" + json.dumps([key, astuple(tally)]))
        except OSError as error:
            raise ConfigError(f"{self._path}: cannot be written ({error.strerror}); choose another --resume") from error


def key_of(model: str, way: str, events: TokenArray) -> str:
    """Return what stands for a performance that a model, by its checksum, scores in a way."""
    told = f"{model} {way} {events.dtype} ".encode()
    return hashlib.sha256(told + events.tobytes()).hexdigest()
