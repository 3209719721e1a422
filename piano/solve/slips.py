"""Wrong keys made right by Bayes' rule: the model's distribution over the keys, times how a key may be missed.

    p(meant | heard, read)  ∝  p_model(meant | heard) · p(read | meant)

Most keys are right, so that what the model hears is nearly what was played: all else stands as it was read. Of several
streams side by side those go on of which all that was read is likeliest: the notes behind a key have a say in it. A key
is changed where the best of them says so and it is likely that it was missed (`piano.solve.slip_decision`).
"""

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from piano.events import HIGHEST_PITCH, LOWEST_PITCH, Role
from piano.notes import NoteArray, Performance
from piano.session import Logits, RowUpdate
from piano.solve.context_window import ContextWindow
from piano.solve.slip_decision import HEARD_AFTER, decided
from piano.tasks.previews import steps_of
from piano.tokens.vocabulary import KEYS, STEP_S, VOCABULARY

SLIPS = 0.05
"""The share of wrong keys at a strength of one half."""

STREAMS = 4

_MISSED_BY = {1: 0.3, 2: 0.2}
"""How likely a key that is missed is missed by so many semitones, to either side."""


@dataclass(slots=True)
class _Line:
    """One of the streams: what was decided, and what sounds in it by the note that holds it down."""

    tokens: "array[int]"
    window: ContextWindow
    pitches: "array[int]"
    sounding: dict[int, int]
    score: float = 0.0
    fed: int = 0
    logits: Logits | None = None

    def copy(self) -> "_Line":
        return replace(
            self,
            tokens=self.tokens[:],
            window=self.window.copy(),
            pitches=self.pitches[:],
            sounding=dict(self.sounding),
        )


class SlipAttempt:
    """The pitches of notes, one after another, in rows of their own. See `piano.solve.attempts.Attempt`."""

    rows = STREAMS

    def __init__(self, head: Sequence[int], notes: NoteArray, slips: float, window: ContextWindow) -> None:
        self._notes = notes
        steps = steps_of(notes)
        pitch = notes["pitch"]
        heard = np.flatnonzero((steps >= 0) & (pitch >= LOWEST_PITCH) & (pitch <= HIGHEST_PITCH))
        self._order = heard[np.lexsort((pitch[heard], steps[heard]))]
        ends = np.rint((notes["onset_s"] + notes["duration_s"]) / STEP_S).astype(np.int64)
        self._ends = np.maximum(ends, steps + 1)
        self._steps = steps
        self._reads = _likelihoods(slips)
        self._right = np.ones(notes.size)  # how likely each was read right
        self._next, self._step = 0, 0
        self._down: list[tuple[int, int]] = []  # when each note that sounds comes up, and its number
        self._copies: list[tuple[int, int]] = []
        self._lines: list[_Line | None] = [_Line(array("i", head), window, array("i"), {})] + [None] * (STREAMS - 1)
        self._go_on()

    @property
    def is_done(self) -> bool:
        return self._next == self._order.size

    @property
    def share(self) -> float:
        return self._next / max(1, self._order.size)

    @property
    def score(self) -> float:
        """Return the log-probability of what was read and decided, in nats."""
        return self._best.score

    @property
    def decisions(self) -> int:
        """Return how many keys were decided."""
        return self._next

    def performance(self) -> Performance:
        """Return the notes as they were, in the order in which they came, with the pitches that were found."""
        found = self._notes.copy()
        found["pitch"][self._order[: self._next]] = np.array(self._best.pitches, np.uint8)
        found["pitch"] = decided(self._notes, found["pitch"], self._right)
        return Performance(found)

    def copies(self) -> Sequence[tuple[int, int]]:
        return self._copies

    def moves(self) -> Mapping[int, RowUpdate]:
        """Return how its rows are to move: up to the next key."""
        return {
            row: line.window.move(line.tokens, line.fed, len(line.tokens), len(line.tokens))
            for row, line in enumerate(self._lines)
            if line is not None
        }

    def accept_logits(self, logits: Mapping[int, Logits]) -> None:
        """Take the logits before the next key in each row, and decide."""
        for row, line in enumerate(self._lines):
            if line is not None:
                line.logits, line.fed = logits[row], len(line.tokens)
        self._choose()
        self._go_on()

    @property
    def _best(self) -> _Line:
        return max((line for line in self._lines if line is not None), key=lambda line: line.score)

    def _choose(self) -> None:
        """Keep the likeliest streams of all that the next key may make of those there are."""
        note = int(self._order[self._next])
        read = int(self._notes["pitch"][note])
        candidates = []
        for row, line in enumerate(self._lines):
            if line is None or line.logits is None:
                continue
            keys = line.logits[VOCABULARY.first_on : VOCABULARY.first_on + KEYS].astype(np.float64)
            keys -= np.logaddexp.reduce(keys)
            for off, likelihood in self._reads.items():
                pitch = read + off
                if LOWEST_PITCH <= pitch <= HIGHEST_PITCH and pitch not in line.sounding:
                    candidates.append((line.score + likelihood + float(keys[pitch - LOWEST_PITCH]), row, pitch))
            if read in line.sounding:  # struck again while it is held: as it was read
                candidates.append((line.score + float(keys[read - LOWEST_PITCH]), row, read))
        candidates.sort(key=lambda candidate: (-candidate[0], candidate[1:]))
        self._keep(candidates[:STREAMS], note)
        self._down.append((int(self._ends[note]), note))
        self._next += 1
        last = self._next if self.is_done else max(self._next - HEARD_AFTER, 0)
        self._weigh(slice(max(self._next - 1 - HEARD_AFTER, 0), last))

    def _weigh(self, places: slice) -> None:
        """Find how likely some of the keys were read right, by the streams that there are."""
        lines = [line for line in self._lines if line is not None]
        odds = np.exp([line.score for line in lines])
        notes = self._order[places]
        as_read = np.array([line.pitches[places] for line in lines]) == self._notes["pitch"][notes]
        self._right[notes] = odds @ as_read / odds.sum()

    def _keep(self, candidates: Sequence[tuple[float, int, int]], note: int) -> None:
        """Go on with some: the first that shares a row stays in it, the others get a copy in a row that is free."""
        free = [row for row in range(STREAMS) if row not in {row for _, row, _ in candidates}]
        best = candidates[0][0]
        before, self._lines = self._lines, [None] * STREAMS
        self._copies = []
        for score, row, pitch in candidates:
            line = before[row]
            if line is None:
                continue
            target = row
            if self._lines[row] is not None:
                target = free.pop(0)
                self._copies.append((row, target))
            line = line.copy()
            if pitch in line.sounding:
                line.tokens.append(VOCABULARY.off(Role.OWN, pitch))
            line.score = score - best
            line.pitches.append(pitch)
            line.sounding[pitch] = note
            velocity = int(self._notes["velocity"][note])
            line.tokens.extend((VOCABULARY.on(Role.OWN, pitch), VOCABULARY.velocity(velocity)))
            self._lines[target] = line

    def _go_on(self) -> None:
        """Let time pass and keys come up until the next key goes down."""
        if self.is_done:
            return
        until = int(self._steps[self._order[self._next]])
        self._down.sort()
        while self._down and self._down[0][0] <= until:
            step = self._down[0][0]
            due = [note for end, note in self._down if end == step]
            del self._down[: len(due)]
            self._wait(step)
            for line in self._lines:
                if line is not None:
                    pitches = sorted(pitch for pitch, note in line.sounding.items() if note in due)
                    for pitch in pitches:
                        del line.sounding[pitch]
                        line.tokens.append(VOCABULARY.off(Role.OWN, pitch))
        self._wait(until)

    def _wait(self, step: int) -> None:
        for line in self._lines:
            if line is not None:
                line.tokens.extend(VOCABULARY.wait(step - self._step))
        self._step = step


def _likelihoods(slips: float) -> dict[int, float]:
    """Return the log-likelihood of what was read for a key so many semitones from it."""
    missed = {sign * off: slips * share for off, share in _MISSED_BY.items() for sign in (-1, 1)}
    return {off: math.log(max(share, 1e-12)) for off, share in ({0: 1 - slips} | missed).items()}
