"""The velocities that a model finds, in chunks: the same that are found key by key, some hundred times faster.

What stands in the stream of a velocity task are the readings, so that nothing that is answered is fed back: the whole
stream is known beforehand, and the answers are read off at its keys. A stream longer than the context is read in the
windows in which it would be played.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from piano.solve.context_window import ContextWindow
from piano.solve.velocity_answers import VelocityAnswers
from piano.tasks.exercise import Exercise
from piano.tokens.vocabulary import VOCABULARY, Kind
from train.evaluate.situations import Situation
from train.predictors.scoring import Predictor

Velocities = NDArray[np.uint8]


class _Window(NamedTuple):
    """Tokens that stand in a context together, after which of them a velocity is asked, and of which exercise."""

    tokens: list[int]
    rows: list[int]
    exercise: int


def velocities_in_chunks(
    predictor: Predictor, exercises: Iterable[Exercise], situation: Situation, batch: int = 8
) -> Iterator[Velocities]:
    """Yield the velocities found for each exercise, (notes,) in the order of its performance."""
    group: list[Exercise] = []
    for exercise in exercises:
        group.append(exercise)
        if len(group) == batch:
            yield from _answer(predictor, group, situation, batch)
            group = []
    yield from _answer(predictor, group, situation, batch)


def _answer(predictor: Predictor, exercises: list[Exercise], situation: Situation, batch: int) -> Iterator[Velocities]:
    told = [replace(exercise, task=situation.told or exercise.task) for exercise in exercises]
    answers = [VelocityAnswers(exercise, (), situation.preview, situation.reading_noise) for exercise in told]
    windows = [window for number, each in enumerate(answers) for window in _windows(each, predictor.context, number)]
    by_length = sorted(range(len(windows)), key=lambda number: len(windows[number].tokens))
    logits: dict[int, NDArray[np.float32]] = {}
    for first in range(0, len(windows), batch):
        these = by_length[first : first + batch]
        logits.update(zip(these, _logits(predictor, [windows[number] for number in these]), strict=True))
    for number, window in enumerate(windows):
        for of_key in logits[number]:
            answers[window.exercise].accept_logits(of_key)
    for each in answers:
        yield each.performance().notes["velocity"]


def _windows(answers: VelocityAnswers, context: int, exercise: int) -> Iterator[_Window]:
    """Yield the windows in which a stream is played, as the one who plays it chooses them."""
    context_window, stream, fed = ContextWindow(context, answers.head), answers.tokens, 0
    window = _Window([], [], exercise)
    for due in asked(stream).tolist():
        move = context_window.move(stream, fed, due, due)
        if move.keep < len(window.tokens):
            yield window
            window = _Window([], [], exercise)
        window.tokens.extend(move.tokens)
        window.rows.append(len(window.tokens) - 1)
        fed = due
    if window.rows:
        yield window


def asked(stream: "array[int]") -> NDArray[np.intp]:
    """Return how many tokens stand before each velocity that is played, not previewed."""
    kinds = VOCABULARY.kinds[np.array(stream)]
    previewed = np.cumsum(kinds == Kind.PREVIEW) > np.cumsum(kinds == Kind.PLAY)
    return np.flatnonzero((kinds == Kind.VELOCITY) & ~previewed)


def _logits(predictor: Predictor, windows: list[_Window]) -> list[NDArray[np.float32]]:
    """Return for each window what follows its keys, (keys, vocabulary)."""
    length = max(len(window.tokens) for window in windows)
    tokens = np.full((len(windows), length), VOCABULARY.pad, np.int64)
    for row, window in enumerate(windows):
        tokens[row, : len(window.tokens)] = window.tokens
    rows = [np.array(window.rows) + number * length for number, window in enumerate(windows)]
    ends = np.cumsum([len(window.rows) for window in windows])
    return np.split(predictor.logits(tokens, np.concatenate(rows)), ends[:-1])
