"""What a contestant can be asked, and on what: the seam between the measurement and whoever decodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BenchModel:
    """The one model that all decode: a checkpoint, what was made of it, and the threads that each may use."""

    checkpoint: Path
    """The folder of a Hugging Face checkpoint: `config.json` and `model.safetensors`."""
    scratch: Path
    """A folder for what is converted from it: the bundle, and each peer's own format."""
    threads: int
    precision: str
    """Of the weights, in the contestant's own words, such as `int8` or `fp32`."""

    @property
    def bundle(self) -> Path:
        """Return where our bundle of this precision lies."""
        return self.scratch / f"bundle-{self.precision}"


class CannotError(Exception):
    """A contestant that cannot do what it is asked for; the message says why."""


class Contestant(Protocol):
    """A model that decodes. Built from a `BenchModel`; what it takes to build it counts as its start-up."""

    def prefill(self, tokens: Sequence[int]) -> None:
        """Forget everything, and read tokens at once, up to the logits of what follows."""

    def decode(self, past: int, steps: int) -> list[float]:
        """Hold `past` tokens, then read `steps` more one at a time, each the likeliest to follow; return the
        milliseconds of each, all of them the same where only the whole can be measured.
        """

    def feed(self, past: int, count: int) -> float:
        """Hold `past` tokens, read `count` more at once, and return the milliseconds; CannotError if it has no way."""


def some_tokens(count: int, vocabulary: int) -> list[int]:
    """Return tokens that look at random and are the same for each contestant."""
    return [(7 + 31 * place * place + 11 * place) % vocabulary for place in range(count)]
