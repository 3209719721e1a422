"""Beam search over the streams of one exercise: the likeliest few are followed side by side, in rows of one batch.

A stream is worth the log-probability of its decisions, divided by how many they are. The streams wait for each other
wherever something known comes (an event, a preview, the next key of a score), so that those that compete are about as
far in the music: one that has let it come competes with those that still have something to play before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from piano.notes import Performance
from piano.session import Logits, RowUpdate
from piano.solve.context_window import ContextWindow
from piano.solve.exercise_stream import ExerciseStream
from piano.solve.limits import Options


@dataclass(slots=True)
class _Line:
    """One of the streams, and the row in which it is."""

    playing: ExerciseStream
    window: ContextWindow
    row: int

    @property
    def worth(self) -> float:
        return self.playing.score / max(1, self.playing.decisions)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A stream as it is (no token), or with one more decision."""

    worth: float
    line: _Line
    token: int | None = None
    log_probability: float = 0.0


class BeamAttempt:
    """So many streams at most, of which the likeliest is the answer. See `piano.solve.attempts.Attempt`."""

    def __init__(self, playing: ExerciseStream, window: ContextWindow, beams: int) -> None:
        self.rows = beams
        self._lines = [_Line(playing, window, 0)]
        self._copies: list[tuple[int, int]] = []
        self._decide()

    @property
    def is_done(self) -> bool:
        return all(line.playing.is_done for line in self._lines)

    @property
    def share(self) -> float:
        return min(line.playing.share for line in self._lines)

    @property
    def score(self) -> float:
        return self._best.playing.score

    @property
    def decisions(self) -> int:
        return self._best.playing.decisions

    def performance(self) -> Performance:
        return self._best.playing.own_part()

    def copies(self) -> Sequence[tuple[int, int]]:
        return self._copies

    def moves(self) -> Mapping[int, RowUpdate]:
        """Return how its rows are to move: those that are behind the others."""
        moves = {}
        for line in self._active():
            if line.playing.is_due:
                moves[line.row] = line.window.move_to_end(line.playing)
        return moves

    def accept_logits(self, logits: Mapping[int, Logits]) -> None:
        """Take the logits of what follows in each row that was moved, and choose among all that can follow."""
        for line in self._lines:
            if line.row in logits:
                line.playing.accept_logits(logits[line.row])
        self._decide()

    @property
    def _best(self) -> _Line:
        return max(self._lines, key=lambda line: line.worth)

    def _active(self) -> list[_Line]:
        """Return the streams that are not done and behind which no other is."""
        lines = [line for line in self._lines if not line.playing.is_done]
        passed = min((line.playing.passed for line in lines), default=0)
        return [line for line in lines if line.playing.passed == passed]

    def _decide(self) -> None:
        """Go on until a stream that is behind must be fed, or all are done."""
        self._copies = []
        while active := self._active():
            offered = [(line, line.playing.options()) for line in active]
            if any(options is not None for _, options in offered):
                self._choose(offered)
                return
            if any(line.playing.is_due for line in self._active()):
                return

    def _choose(self, offered: Sequence[tuple[_Line, Options | None]]) -> None:
        """Keep the streams that are worth most, of those that wait and all that can follow the others."""
        deciding = [(line, options) for line, options in offered if options is not None]
        chosen = {id(line) for line, _ in deciding}
        candidates = [_Candidate(line.worth, line) for line in self._lines if id(line) not in chosen]
        for line, options in deciding:
            candidates += self._following(line, options)
        candidates.sort(key=lambda candidate: -candidate.worth)
        self._keep(candidates[: self.rows])

    def _following(self, line: _Line, options: Options) -> list[_Candidate]:
        """Return the likeliest decisions of a stream; what comes to the same is one. A wrong guess is none."""
        playing = line.playing
        values = np.where(options.allowed, playing.logits.astype(np.float64), -np.inf)
        values -= np.logaddexp.reduce(values)
        values[options.wrong] = -np.inf
        for same in (options.lets_come, options.presses):
            if same.any():
                whole, first = np.logaddexp.reduce(values[same]), int(np.flatnonzero(same)[0])
                values[same] = -np.inf
                values[first] = whole
        tokens = np.argsort(-values, kind="stable")[: self.rows]
        found = [
            _Candidate((playing.score + value) / (playing.decisions + 1), line, token, value)
            for token, value in zip(tokens.tolist(), values[tokens].tolist(), strict=True)
            if np.isfinite(value)
        ]
        if not found:
            playing.pass_over()
            found.append(_Candidate(line.worth, line))
        return found

    def _keep(self, candidates: Sequence[_Candidate]) -> None:
        """Go on with some candidates. One of those that share a stream stays in its row; the others get a copy."""
        staying = {candidate.line.row for candidate in candidates}
        free = [row for row in range(self.rows) if row not in staying]
        lines, taken = [], set()
        for candidate in candidates:
            line = candidate.line
            if line.row in taken:
                row = free.pop(0)
                self._copies.append((line.row, row))
                line = _Line(line.playing.copy(), line.window.copy(), row)
            lines.append(line)
            taken.add(candidate.line.row)
        # a stream is copied as it was: decisions are taken when all copies are made
        for line, candidate in zip(lines, candidates, strict=True):
            if candidate.token is not None:
                line.playing.take(candidate.token, candidate.log_probability)
        self._lines = lines
