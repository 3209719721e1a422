"""What stands between the hand-over and the first note: three steps of one token, and no prompt."""

from collections.abc import Sequence
from typing import Any

import pytest

from inference.onnx_session import Logits, Session
from inference.session_wrapper import SessionWrapper
from tests.support.scripted_play import MS, a_run, phrase
from tests.support.session_models import model_of_chance


class Watched(SessionWrapper):
    """A session that keeps how many tokens each feed had."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.portions: list[int] = []

    def feed(self, tokens: Sequence[int]) -> Logits:
        self.portions.append(len(tokens))
        return super().feed(tokens)


@pytest.mark.parametrize("seed", range(5))
def test_the_first_note_of_an_answer_takes_three_steps(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Watched(model_of_chance(seed))
    run = a_run(session)
    messages = phrase()
    end_ns = messages[-1][0] + 10 * MS
    run.play(messages)
    run.run_until(end_ns)
    heard = len(session.portions)
    by_then: list[list[int]] = []
    schedule = run.partner.scheduler.schedule

    def note_portions(*event: Any) -> None:
        by_then.append(session.portions[heard:])
        schedule(*event)

    monkeypatch.setattr(run.partner.scheduler, "schedule", note_portions)
    run.hand_over()
    run.run_until(end_ns + 2 * MS)
    run.finish()
    assert by_then[0] == [1, 1, 1], "a time, a key, a velocity"
