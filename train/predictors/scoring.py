"""Scoring of whole performances: what each event token costs, gathered into bits per note.

A performance is longer than a model's context. It is scored in windows of the full context, each of which begins
with the head of a stream and shares half of its events with the window before: the first window scores all its
events, each later one only the new half. So every event token is scored exactly once, and from the second window
on with at least half a context behind it. The end of a performance is no event and is not scored.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from piano.sampling.memory import Memory
from piano.tokens.encoding import TokenArray
from piano.tokens.vocabulary import VOCABULARY, Kind
from train.predictors.told_cost import steps_to_cue, told_cost

HEAD: TokenArray = np.array([VOCABULARY.bos, VOCABULARY.task("continue")], np.int32)
"""What each window begins with: plain music, without a style."""

Nats = NDArray[np.float64]

PARTS = ("time", "that a key", "which key", "velocity", "release", "pedal")
"""What bits are paid for: when, that a key goes down and which one, how hard, which key comes up, the pedal."""

_KIND_OF_PART = {0: Kind.TIME, 3: Kind.VELOCITY, 4: Kind.OFF, 5: Kind.PEDAL}
_FIRST_ON, _END_OF_ON = np.flatnonzero(VOCABULARY.kinds == Kind.ON)[[0, -1]] + (0, 1)


@dataclass(frozen=True, slots=True)
class Costs:
    """What each event token costs, (n,) in nats; and how much of it, where a key goes down, tells that one does.

    `presses` is 0 where none goes down; None where the model does not tell.
    """

    nats: Nats
    presses: Nats | None = None


class Scorer(Protocol):
    """Whatever gives each token of a performance a probability, by those before it."""

    def costs(self, events: TokenArray) -> Costs:
        """Return the negative natural logarithm of the probability of each event token, and its part for presses.

        Where there are cues among the events, that is the probability given them: see `train.predictors.told_cost`.
        """


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

    def __init__(self, predictor: Predictor, batch: int = 8, recall: float = 0.0, pulse: float = 0.0) -> None:
        """Take a model; `recall` mixes it with a memory of the whole performance, see `piano.sampling.memory`.

        `pulse` leans on the rhythm that is going on, see `piano.sampling.rhythm`.
        """
        self.predictor, self.batch, self.recall, self.pulse = predictor, batch, recall, pulse

    def nats(self, events: TokenArray) -> Nats:
        """Return the negative natural logarithm of the probability of each event token."""
        return self.costs(events).nats

    def costs(self, events: TokenArray) -> Costs:
        windows = cut_windows(events.size, self.predictor.context) if events.size else []
        nats, presses, to_cue = np.zeros(events.size), np.zeros(events.size), steps_to_cue(events)
        memory = Memory() if self.recall or self.pulse else None
        for number in range(0, len(windows), self.batch):
            self._score(events, to_cue, windows[number : number + self.batch], nats, presses, memory)
        return Costs(nats, presses)

    def _score(
        self,
        events: TokenArray,
        to_cue: NDArray[np.int64],
        windows: list[Window],
        nats: Nats,
        presses: Nats,
        memory: Memory | None,
    ) -> None:
        read = min(self.predictor.context - HEAD.size, events.size - 1)  # all windows of a performance are as long
        tokens = np.stack([np.concatenate([HEAD, events[each.start : each.start + read]]) for each in windows])
        length = tokens.shape[1]
        rows = [
            number * length + HEAD.size - 1 + np.arange(each.first, each.end) - each.start
            for number, each in enumerate(windows)
        ]
        scored = slice(windows[0].first, windows[-1].end)
        logits = self.predictor.logits(tokens.astype(np.int64), np.concatenate(rows))
        if memory is not None:
            recalled(logits, events[scored], memory, self.recall, self.pulse)
        is_told = bool((VOCABULARY.kinds[events] == Kind.CUE).any())
        price = told_cost(logits, events[scored], to_cue[scored]) if is_told else cross_entropy(logits, events[scored])
        nats[scored] = price
        is_press = VOCABULARY.kinds[events[scored]] == Kind.ON
        presses[scored][is_press] = press_cost(logits[is_press])


def recalled(
    logits: NDArray[np.float32], events: TokenArray, memory: Memory, recall: float, pulse: float = 0.0
) -> None:
    """Mix the logits of each event, (k, vocabulary), in place with what came before it; remember the events."""
    for row, token in zip(logits, events.tolist(), strict=True):
        row[:] = memory.adjust(row, recall, pulse=pulse)
        memory.push(token)


def cross_entropy(logits: NDArray[np.float32], targets: TokenArray) -> Nats:
    """Return the cost in nats of each target (k,) under its logits (k, vocabulary)."""
    highest = logits.max(axis=1)
    total = np.exp(logits - highest[:, None]).sum(axis=1, dtype=np.float64)
    chosen = logits[np.arange(targets.size), targets]
    nats: Nats = np.log(total) + (highest - chosen)
    return nats


def press_cost(logits: NDArray[np.float32]) -> Nats:
    """Return the cost in nats, by logits (k, vocabulary), of that some key goes down, whichever it is."""
    weights = np.exp(logits - logits.max(axis=1)[:, None], dtype=np.float64)
    nats: Nats = np.log(weights.sum(axis=1)) - np.log(weights[:, _FIRST_ON:_END_OF_ON].sum(axis=1))
    return nats


def parts_of(events: TokenArray, costs: Costs) -> tuple[float, ...]:
    """Return what all tokens together cost in nats, by `PARTS`; not a number for parts that the model does not tell."""
    kinds = VOCABULARY.kinds[events]
    parts = np.full(len(PARTS), np.nan)
    for part, kind in _KIND_OF_PART.items():
        parts[part] = costs.nats[kinds == kind].sum()
    if costs.presses is not None:
        that = costs.presses.sum()
        parts[1:3] = that, costs.nats[kinds == Kind.ON].sum() - that
    return tuple(parts.tolist())


@dataclass(frozen=True, slots=True)
class Tally:
    """What so many performances came to; `parts` are the nats by `PARTS`."""

    pieces: int = 0
    notes: int = 0
    tokens: int = 0
    nats: float = 0.0
    parts: tuple[float, ...] = (0.0,) * len(PARTS)

    def __add__(self, other: "Tally") -> "Tally":
        """Return both together."""
        return Tally(
            self.pieces + other.pieces,
            self.notes + other.notes,
            self.tokens + other.tokens,
            self.nats + other.nats,
            tuple(one + another for one, another in zip(self.parts, other.parts, strict=True)),
        )

    @property
    def bits_by_part(self) -> dict[str, float | None]:
        """Return the bits per note of each of `PARTS`; None where the model does not tell."""
        bits = (nats / math.log(2) / max(self.notes, 1) for nats in self.parts)
        return {name: None if math.isnan(value) else value for name, value in zip(PARTS, bits, strict=True)}

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

    def to_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        names = ("bits_per_note", "bits_by_part", "notes", "tokens_per_note", "nats_per_token", "tokens", "pieces")
        return {name: getattr(self, name) for name in names}


def tally(scorer: Scorer, performances: Iterable[tuple[str, TokenArray]]) -> dict[str, Tally]:
    """Score the event tokens of performances; return what they came to by the name that stands before each."""
    totals: dict[str, Tally] = {}
    for name, events in performances:
        totals[name] = totals.get(name, Tally()) + tally_of(scorer, events)
    return totals


def tally_of(scorer: Scorer, events: TokenArray) -> Tally:
    """Score the event tokens of one performance."""
    notes = int((VOCABULARY.kinds[events] == Kind.ON).sum())
    costs = scorer.costs(events)
    return Tally(1, notes, events.size, float(costs.nats.sum()), parts_of(events, costs))
