"""Minimum-Bayes-risk decoding: several continuations are drawn, and the one goes on that agrees most with the others.

A model of music is unsure of almost every note, so that one draw says little and the likeliest stream repeats itself.
The draw that has most notes in common with the others (their medoid) is music as the model plays it, and keeps to
what the model is surest of (Kumar and Byrne 2004). It is chosen stretch after stretch: all begin where the one before
was left, so that choices add up in a long piece too.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from piano.notes import Performance
from piano.sampling.sampler import Sampler
from piano.session import Logits
from piano.solve.attempts import DrawnAttempt
from piano.solve.context_window import ContextWindow
from piano.solve.exercise_stream import ExerciseStream
from piano.tokens.vocabulary import STEP_S

TOLERANCE_STEPS = round(0.05 / STEP_S)
"""How far apart two notes may begin that are the same."""

STRETCH_S = 4.0
"""How much is drawn until one is chosen."""

STRETCH_NOTES = 24
"""The same, where notes have an order and no time."""

Strike = tuple[int, int]
"""At which step a note begins, and its pitch."""


def note_f1(one: Sequence[Strike], other: Sequence[Strike]) -> float:
    """Return twice the pairs of notes that are the same over all notes; two empty sequences agree wholly."""
    if not one or not other:
        return float(len(one) == len(other))
    steps: dict[int, list[int]] = {}
    for step, pitch in sorted(other):
        steps.setdefault(pitch, []).append(step)
    pairs = 0
    for step, pitch in sorted(one):
        left = steps.get(pitch, [])
        first = bisect_left(left, step - TOLERANCE_STEPS)
        if first < len(left) and left[first] <= step + TOLERANCE_STEPS:
            pairs += 1
            del left[: first + 1]
    return 2 * pairs / (len(one) + len(other))


def medoid(draws: Sequence[Sequence[Strike]]) -> int:
    """Return the number of the draw with the highest mean F1 against the others, the first of several."""
    totals = [0.0] * len(draws)
    for index, one in enumerate(draws):
        for later in range(index + 1, len(draws)):
            agreement = note_f1(one, draws[later])
            totals[index] += agreement
            totals[later] += agreement
    return totals.index(max(totals))


class AgreeingAttempt(DrawnAttempt):
    """So many draws of each stretch, one behind the other in one row. See `piano.solve.attempts.Attempt`."""

    def __init__(self, playing: ExerciseStream, window: ContextWindow, samplers: Sequence[Sampler]) -> None:
        super().__init__(playing)
        self._base, self._base_window, self._samplers = playing, window, samplers
        self._length = STRETCH_NOTES if playing.follows_order else round(STRETCH_S / STEP_S)
        self._end = self._length
        self._drawn: list[tuple[ExerciseStream, ContextWindow]] = []
        self._next_draw()
        self._decide()

    def performance(self) -> Performance:
        return self._base.own_part()

    def accept_logits(self, logits: Mapping[int, Logits]) -> None:
        """Take the logits and draw what follows."""
        self._playing.accept_logits(logits[0])
        if self._playing is self._base:
            self._begin_draw()
        self._decide()

    def _next_draw(self) -> None:
        """Draw once more from where the stretch begins; a row whose context was cut no longer holds that."""
        if self._drawn and self._drawn[-1][1].start != self._base_window.start:
            self._base.unfeed(0)
        self._begin_draw()

    def _begin_draw(self) -> None:
        """Draw from what the row holds, once it holds all that a draw begins with."""
        self._playing, self._window = self._base, self._base_window
        if not self._base.is_due:
            self._playing, self._window = self._base.copy(), self._base_window.copy()

    def _decide(self) -> None:
        while not self.is_done and self._playing is not self._base:
            playing = self._playing
            if playing.is_done or playing.moment >= self._end:
                self._drawn.append((playing, self._window))
                if len(self._drawn) == len(self._samplers):
                    self._choose()
                self._next_draw()
                continue
            if not playing.draw_one(self._samplers[len(self._drawn)]) and playing.is_due:
                return

    def _choose(self) -> None:
        """Go on from the draw that agrees most with the others."""
        before, begun = len(self._base.presses), len(self._base.tokens)
        place = medoid([playing.presses[before:] for playing, _ in self._drawn])
        (chosen, window), (last, last_window) = self._drawn[place], self._drawn[-1]
        if chosen is not last:  # which the row holds: of the chosen one, what both began with
            starts = {window.start, last_window.start, self._base_window.start}
            chosen.unfeed(self._base.fed if len(starts) == 1 else 0)
        grown = max(len(playing.tokens) for playing, _ in self._drawn) - begun
        if window.make_room(chosen.tokens, len(chosen.tokens), chosen.anchor, grown):
            chosen.unfeed(0)
        self._decided = self._base = chosen
        self._base_window, self._drawn = window, []
        while self._end <= chosen.moment:
            self._end += self._length
