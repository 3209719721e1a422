"""An attempt at an exercise: something that wants rows of a batch moved, hears the logits, and is done at some time."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from piano.notes import Performance
from piano.sampling.sampler import Sampler
from piano.session import Logits, RowUpdate
from piano.solve.context_window import ContextWindow
from piano.solve.exercise_stream import ExerciseStream
from piano.solve.velocity_answers import VelocityAnswers


class Attempt(Protocol):
    """One try at one exercise, in rows of its own, which it numbers from 0 on."""

    @property
    def rows(self) -> int:
        """Return how many rows it needs at most."""

    @property
    def is_done(self) -> bool:
        """Say whether there is nothing more to do."""

    @property
    def share(self) -> float:
        """Return how much is done, 0 to 1."""

    @property
    def score(self) -> float:
        """Return the log-probability of all that was decided, in nats."""

    @property
    def decisions(self) -> int:
        """Return how many decisions that were."""

    def performance(self) -> Performance:
        """Return what was found."""

    def copies(self) -> Sequence[tuple[int, int]]:
        """Return which row is to be copied to which other, one after another, before the next moves."""

    def moves(self) -> Mapping[int, RowUpdate]:
        """Return how its rows are to move; at least one does, unless all is done."""

    def accept_logits(self, logits: Mapping[int, Logits]) -> None:
        """Take the logits of what follows in each row that was moved, (vocabulary,) each, and decide."""


class SampledAttempt:
    """Token after token drawn from the model."""

    rows = 1

    def __init__(self, playing: ExerciseStream, reel: ContextWindow, sampler: Sampler) -> None:
        self.playing, self._reel, self._sampler = playing, reel, sampler
        playing.draw(sampler)

    @property
    def is_done(self) -> bool:
        return self.playing.is_done

    @property
    def share(self) -> float:
        return self.playing.share

    @property
    def score(self) -> float:
        return self.playing.score

    @property
    def decisions(self) -> int:
        return self.playing.decisions

    def performance(self) -> Performance:
        """Return our own notes and pedal changes."""
        return self.playing.own_part()

    def copies(self) -> Sequence[tuple[int, int]]:
        """Return nothing."""
        return ()

    def moves(self) -> Mapping[int, RowUpdate]:
        """Return how its row is to move."""
        playing = self.playing
        return {0: self._reel.move(playing.tokens, playing.fed, len(playing.tokens), playing.anchor)}

    def accept_logits(self, logits: Mapping[int, Logits]) -> None:
        """Take the logits and draw what follows."""
        self.playing.accept_logits(logits[0])
        self.playing.draw(self._sampler)


class FinishedAttempt:
    """What needed no model."""

    rows = 1
    is_done = True
    share = 1.0
    score = 0.0
    decisions = 0

    def __init__(self, found: Performance) -> None:
        self._found = found

    def performance(self) -> Performance:
        """Return what was found."""
        return self._found

    def copies(self) -> Sequence[tuple[int, int]]:
        """Return nothing."""
        return ()

    def moves(self) -> Mapping[int, RowUpdate]:
        """Return nothing."""
        return {}

    def accept_logits(self, logits: Mapping[int, Logits]) -> None:
        """Take nothing: no row was moved."""


class VelocityAttempt:
    """The velocities of an exercise, one after another."""

    rows = 1

    def __init__(self, answers: VelocityAnswers, context: int) -> None:
        self.answers = answers
        self._reel = ContextWindow(context, answers.head)

    @property
    def is_done(self) -> bool:
        return self.answers.is_done

    @property
    def share(self) -> float:
        return self.answers.share

    @property
    def score(self) -> float:
        """Return the log-probability of the answers, in nats."""
        return self.answers.score

    @property
    def decisions(self) -> int:
        """Return how many answers there are."""
        return self.answers.decisions

    def performance(self) -> Performance:
        """Return all notes in their order, with the velocities found."""
        return self.answers.performance()

    def copies(self) -> Sequence[tuple[int, int]]:
        """Return nothing."""
        return ()

    def moves(self) -> Mapping[int, RowUpdate]:
        """Return how its row is to move: up to the next key."""
        answers = self.answers
        return {0: self._reel.move(answers.tokens, answers.fed, answers.due, answers.due)}

    def accept_logits(self, logits: Mapping[int, Logits]) -> None:
        """Take the logits and answer."""
        self.answers.accept_logits(logits[0])
