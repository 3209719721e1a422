"""An attempt at an exercise: something that wants rows of a batch moved, hears the logits, and is done at some time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


class Decided(Protocol):
    """What an attempt has come to: a stream that is being drawn, or answers that are being found."""

    @property
    def is_done(self) -> bool: ...

    @property
    def share(self) -> float: ...

    @property
    def score(self) -> float: ...

    @property
    def decisions(self) -> int: ...


class OneRowAttempt:
    """What attempts in a single row have in common. See `Attempt`."""

    rows = 1

    def __init__(self, decided: Decided) -> None:
        self._decided = decided

    @property
    def is_done(self) -> bool:
        return self._decided.is_done

    @property
    def share(self) -> float:
        return 1.0 if self.is_done else self._decided.share

    @property
    def score(self) -> float:
        return self._decided.score

    @property
    def decisions(self) -> int:
        return self._decided.decisions

    def copies(self) -> Sequence[tuple[int, int]]:
        """Return nothing: there is no other row."""
        return ()


class DrawnAttempt(OneRowAttempt):
    """What attempts have in common in which a stream is drawn from the model."""

    _playing: ExerciseStream
    _window: ContextWindow

    def moves(self) -> Mapping[int, RowUpdate]:
        """Return how its row is to move."""
        return {0: self._window.move_to_end(self._playing)}


class SampledAttempt(DrawnAttempt):
    """Token after token drawn from the model."""

    def __init__(self, playing: ExerciseStream, window: ContextWindow, sampler: Sampler) -> None:
        super().__init__(playing)
        self._playing, self._window, self._sampler = playing, window, sampler
        playing.draw(sampler)

    def performance(self) -> Performance:
        return self._playing.own_part()

    def accept_logits(self, logits: Mapping[int, Logits]) -> None:
        """Take the logits and draw what follows."""
        self._playing.accept_logits(logits[0])
        self._playing.draw(self._sampler)


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing was to be decided."""

    is_done: bool = True
    share: float = 1.0
    score: float = 0.0
    decisions: int = 0


class FinishedAttempt(OneRowAttempt):
    """What needed no model."""

    def __init__(self, found: Performance) -> None:
        super().__init__(Nothing())
        self._found = found

    def performance(self) -> Performance:
        return self._found

    def moves(self) -> Mapping[int, RowUpdate]:
        """Return nothing."""
        return {}

    def accept_logits(self, logits: Mapping[int, Logits]) -> None:
        """Take nothing: no row was moved."""


class VelocityAttempt(OneRowAttempt):
    """The velocities of an exercise, one after another."""

    def __init__(self, answers: VelocityAnswers, context: int) -> None:
        super().__init__(answers)
        self._answers = answers
        self._window = ContextWindow(context, answers.head)

    def performance(self) -> Performance:
        """Return all notes in their order, with the velocities found."""
        return self._answers.performance()

    def moves(self) -> Mapping[int, RowUpdate]:
        """Return how its row is to move: up to the next key."""
        answers = self._answers
        return {0: self._window.move(answers.tokens, answers.fed, answers.due, answers.due)}

    def accept_logits(self, logits: Mapping[int, Logits]) -> None:
        """Take the logits and answer."""
        self._answers.accept_logits(logits[0])
