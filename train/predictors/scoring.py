"""Scoring of whole performances: what each event token costs, gathered into bits per note.

A performance is longer than a model's context. It is scored in windows of the full context, each of which begins
with the head of a stream and shares half of its events with the window before: the first window scores all its
events, each later one only the new half. So every event token is scored exactly once, and from the second window
on with at least half a context behind it. The end of a performance is no event and is not scored.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from piano.tokens.encoding import TokenArray
from piano.tokens.vocabulary import VOCABULARY, Kind

HEAD: TokenArray = np.array([VOCABULARY.bos, VOCABULARY.task("continue")], np.int32)
"""What each window begins with: plain music, without a style."""

Nats = NDArray[np.float64]


class Scorer(Protocol):
    """Whatever gives each token of a performance a probability, by those before it."""

    def nats(self, events: TokenArray) -> Nats:
        """Return the negative natural logarithm of the probability of each event token."""


class Predictor(Protocol):
    """A model that predicts every token of a batch of windows."""

    @property
    def context(self) -> int:
        """Return the number of tokens in the longest window."""

    def logits(self, tokens: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of what follows some of the tokens (batch, n), which stand at positions 0 to n - 1.

        `rows` are indices into the flattened tokens; the result is (rows, vocabulary).
        """


@dataclass(frozen=True, slots=True)
class Window:
    """A window holds the events from `start` on and scores those from `first` up to, not including, `end`."""

    start: int
    first: int
    end: int


def cut_windows(events: int, context: int) -> list[Window]:
    """Return the windows that score so many events with a context of so many tokens, as said at the top."""
    room = context - HEAD.size + 1  # the last event is only predicted, not read
    if room < 2:
        raise ValueError(f"a context of {context} tokens is too short for a head of {HEAD.size} and two events")
    windows = [Window(0, 0, min(room, events))]
    while windows[-1].end < events:
        end = min(windows[-1].end + room // 2, events)
        windows.append(Window(end - room, windows[-1].end, end))
    return windows


class WindowScorer:
    """Scores performances with a model, some windows of a performance at a time."""

    def __init__(self, predictor: Predictor, batch: int = 8) -> None:
        self.predictor, self.batch = predictor, batch

    def nats(self, events: TokenArray) -> Nats:
        """Return the negative natural logarithm of the probability of each event token."""
        windows = cut_windows(events.size, self.predictor.context) if events.size else []
        nats = np.zeros(events.size)
        for number in range(0, len(windows), self.batch):
            self._score(events, windows[number : number + self.batch], nats)
        return nats

    def _score(self, events: TokenArray, windows: list[Window], nats: Nats) -> None:
        read = min(self.predictor.context - HEAD.size, events.size - 1)  # all windows of a performance are as long
        tokens = np.stack([np.concatenate([HEAD, events[each.start : each.start + read]]) for each in windows])
        length = tokens.shape[1]
        rows = [
            number * length + HEAD.size - 1 + np.arange(each.first, each.end) - each.start
            for number, each in enumerate(windows)
        ]
        scored = slice(windows[0].first, windows[-1].end)
        logits = self.predictor.logits(tokens.astype(np.int64), np.concatenate(rows))
        nats[scored] = cross_entropy(logits, events[scored])


def cross_entropy(logits: NDArray[np.float32], targets: TokenArray) -> Nats:
    """Return the cost in nats of each target (k,) under its logits (k, vocabulary)."""
    highest = logits.max(axis=1)
    total = np.exp(logits - highest[:, None]).sum(axis=1, dtype=np.float64)
    chosen = logits[np.arange(targets.size), targets]
    nats: Nats = np.log(total) + (highest - chosen)
    return nats


@dataclass(frozen=True, slots=True)
class Tally:
    """What so many performances came to."""

    pieces: int = 0
    notes: int = 0
    tokens: int = 0
    nats: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        """Return both together."""
        return Tally(
            self.pieces + other.pieces, self.notes + other.notes, self.tokens + other.tokens, self.nats + other.nats
        )

    @property
    def bits_per_note(self) -> float:
        """Return the cost of all tokens in bits, shared among the notes."""
        return self.nats / math.log(2) / max(self.notes, 1)

    @property
    def tokens_per_note(self) -> float:
        """Return how many tokens of all kinds come on a note."""
        return self.tokens / max(self.notes, 1)

    @property
    def nats_per_token(self) -> float:
        """Return the mean cost of a token in nats."""
        return self.nats / max(self.tokens, 1)

    def to_json(self) -> dict[str, float]:
        """Return the figures by name."""
        names = ("bits_per_note", "notes", "tokens_per_note", "nats_per_token", "tokens", "pieces")
        return {name: getattr(self, name) for name in names}


def tally(scorer: Scorer, performances: Iterable[tuple[str, TokenArray]]) -> dict[str, Tally]:
    """Score the event tokens of performances; return what they came to by the name that stands before each."""
    totals: dict[str, Tally] = {}
    for name, events in performances:
        notes = int((VOCABULARY.kinds[events] == Kind.ON).sum())
        scored = Tally(1, notes, events.size, float(scorer.nats(events).sum()))
        totals[name] = totals.get(name, Tally()) + scored
    return totals
