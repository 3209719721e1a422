"""Rows that are played by threads side by side: each as if it were alone, and a fault is everybody's."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from inference.row_sessions import Rounds, RowSession
from piano.session import Logits, RowUpdate
from tests.support.scripted_session import ScriptedSession

VOCABULARY, CONTEXT = 8, 32


class ManySessions:
    """Sessions by a script each, which write down how many rows each round had."""

    context = CONTEXT

    def __init__(self, rows: int) -> None:
        self.sessions = [ScriptedSession(VOCABULARY, CONTEXT, seed=row) for row in range(rows)]
        self.rounds: list[int] = []

    @property
    def rows(self) -> int:
        return len(self.sessions)

    def feed(self, moves: Mapping[int, RowUpdate]) -> dict[int, Logits]:
        self.rounds.append(len(moves))
        for row, move in moves.items():
            self.sessions[row].rollback(move.keep)
        return {row: self.sessions[row].feed(move.tokens) for row, move in moves.items()}

    def copy(self, source: int, target: int) -> None:
        raise NotImplementedError


def play(session: RowSession | ScriptedSession, count: int) -> list[int]:
    """Feed what is likeliest, with a detour now and then that is taken back."""
    found = [1]
    for number in range(count):
        likeliest = int(session.feed([found[-1]]).argmax())
        if number % 3 == 2:
            length = session.length
            session.feed([2, 3])
            session.rollback(length)
        found.append(likeliest)
    return found


def test_each_row_plays_as_if_it_were_alone_however_long_the_others_play() -> None:
    counts = [3, 9, 6]
    many = ManySessions(len(counts))
    rounds = Rounds(many, len(counts))

    def played(row: int) -> list[int]:
        try:
            return play(RowSession(rounds, row), counts[row])
        finally:
            rounds.leave()

    with ThreadPoolExecutor(len(counts)) as threads:
        found = list(threads.map(played, range(len(counts))))
    alone = ManySessions(len(counts)).sessions
    assert found == [play(session, count) for session, count in zip(alone, counts, strict=True)]
    assert many.rounds[0] == 3
    assert many.rounds[-1] == 1


def test_what_is_wrong_with_one_row_ends_all_of_them() -> None:
    rounds = Rounds(ManySessions(2), 2)
    row_sessions = [RowSession(rounds, row) for row in range(2)]

    def played(row: int) -> None:
        try:
            row_sessions[row].feed([1] * (CONTEXT + 1) if row else [1])
        finally:
            rounds.leave()

    with ThreadPoolExecutor(2) as threads:
        for found in [threads.submit(played, row) for row in range(2)]:
            with pytest.raises(ValueError, match=str(CONTEXT)):
                found.result()


def test_a_row_is_taken_back_no_further_than_it_goes() -> None:
    session = RowSession(Rounds(ManySessions(1), 1), 0)
    session.feed([1, 2])
    with pytest.raises(ValueError, match="a row of 2 tokens rolls back to 0 to 2, not 3"):
        session.rollback(3)
    session.reset()
    assert (session.length, session.context) == (0, CONTEXT)
