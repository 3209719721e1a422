"""An answer that bears the phrase in mind: the session is told what to keep, and keys lean to where the phrase lay."""

import numpy as np
import pytest
from numpy.typing import NDArray

from piano.events import NoteOff, NoteOn, Role, TimedEvent
from piano.sampling.sampler import Sampler, SamplingSettings
from piano.solve.bounds import Bounds
from piano.solve.live_stream import LiveStream
from piano.tokens.grammar import tokens_of_role
from piano.tokens.vocabulary import VOCABULARY, Kind
from tests.support.scripted_play import MS, S
from tests.support.session_models import HEAD, ChanceSession

ENDLESS = tokens_of_role(Role.OWN) & (np.arange(VOCABULARY.size) != VOCABULARY.end)
PHRASE = [55, 57, 59, 60, 62, 64] * 6


class Keeping(ChanceSession):
    """Notes what it is to keep."""

    def __init__(self) -> None:
        super().__init__(VOCABULARY.size, 8192, seed=1)
        self.kept: list[tuple[int, int]] = []

    def keep(self, start: int, end: int) -> None:
        """Note it."""
        self.kept.append((start, end))


def after_the_phrase(head: tuple[int, ...] = HEAD, role: Role = Role.OWN) -> tuple[LiveStream, Keeping, int]:
    session = Keeping()
    stream, at_ns = LiveStream(session, head), S
    for pitch in PHRASE:
        stream.hear(TimedEvent(at_ns, NoteOn(pitch, 60), role))
        stream.hear(TimedEvent(at_ns + 90 * MS, NoteOff(pitch), role))
        at_ns += 100 * MS
    return stream, session, at_ns


def struck(stream: LiveStream, at_ns: int, phrase_guard: float, count: int = 300) -> NDArray[np.int64]:
    sampler = Sampler(3, SamplingSettings(phrase_guard=phrase_guard))
    keys: list[int] = []
    while len(keys) < count:
        proposed = stream.propose(sampler, Bounds(at_ns, ENDLESS))
        assert proposed is not None
        at_ns = proposed.at_ns
        if isinstance(proposed.event, NoteOn):
            keys.append(proposed.event.pitch)
    return np.array(keys)


def test_the_session_keeps_what_was_heard() -> None:
    stream, session, _ = after_the_phrase()
    stream.keep_heard()
    assert session.kept == [(len(HEAD), session.length)]


def test_a_long_answer_stays_near_the_phrase_and_does_not_follow_itself() -> None:
    free, leaning = (struck(*after_the_phrase()[::2], phrase_guard) for phrase_guard in (0.0, 10.0))
    apart = [abs(keys - np.mean(PHRASE)).mean() for keys in (free, leaning)]
    assert apart[1] < 0.5 * apart[0]
    late = abs(leaning[-100:] - np.mean(PHRASE)).mean()
    assert late < 0.6 * apart[0], "its own keys are no part of the phrase"


def test_what_another_role_plays_is_no_phrase_of_ours() -> None:
    stream, _, at_ns = after_the_phrase(role=Role.GIVEN)
    other, _, _ = after_the_phrase(role=Role.GIVEN)
    assert struck(stream, at_ns, 10.0, 40).tolist() == struck(other, at_ns, 0.0, 40).tolist()


def test_music_to_be_played_like_is_a_phrase_too() -> None:
    low = [
        token
        for _ in range(30)
        for token in (VOCABULARY.on(Role.OWN, 30), VOCABULARY.velocity(64), VOCABULARY.off(Role.OWN, 30))
    ]
    assert {int(VOCABULARY.kinds[token]) for token in low} == {Kind.ON, Kind.OFF, Kind.VELOCITY}
    plain, like = (LiveStream(Keeping(), head) for head in (HEAD, (*HEAD, *low)))
    assert struck(like, S, 10.0, 100).mean() < struck(plain, S, 10.0, 100).mean() - 10


@pytest.mark.parametrize("times", [1, 2])
def test_a_new_stream_forgets_the_phrase(times: int) -> None:
    stream, _, _ = after_the_phrase()
    fresh = LiveStream(Keeping(), HEAD)
    for _ in range(times):
        stream.reset(HEAD, forget=True)
    assert struck(stream, S, 10.0, 40).tolist() == struck(fresh, S, 10.0, 40).tolist()
