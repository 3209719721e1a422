"""Whatever was fed and taken back, a session that took over goes on as one that was there from the beginning."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.onnx_session import Logits, Session
from inference.rolling_context import RollingContext
from inference.swappable_session import SwappableSession
from piano.session import keep_passage
from piano.tokens.vocabulary import VOCABULARY
from realtime.files.deferred_session import DeferredSession
from tests.support.session_models import ChanceSession, model_of_chance

TOKENS = st.lists(st.integers(0, VOCABULARY.size - 1), min_size=1, max_size=40)
Deed = list[int] | float | None
DEEDS = st.lists(st.one_of(TOKENS, st.floats(0, 1), st.none()), max_size=12)
"""What is fed, or the share of the stream that is not taken back; None: the last tokens are to be borne in mind."""


def do(session: Session, deeds: Sequence[Deed]) -> None:
    for deed in deeds:
        if isinstance(deed, list):
            session.feed(deed)
        elif deed is None:
            keep_passage(session, max(0, session.length - 20), session.length)
        else:
            session.rollback(int(session.length * deed))


def windowed(seed: int) -> RollingContext:
    return model_of_chance(seed, window=64)


@given(DEEDS, DEEDS, DEEDS)
def test_it_goes_on_as_if_it_had_always_been_there(
    before: list[Deed], meanwhile: list[Deed], after: list[Deed]
) -> None:
    changing = SwappableSession(windowed(1))
    do(changing, before)
    successor = changing.prepare(windowed(2))
    do(changing, meanwhile)
    length = changing.length
    changing.exchange(successor)
    assert changing.length == length
    do(changing, after)
    always = windowed(2)
    do(always, [*before, *meanwhile, *after])
    assert changing.length == always.length
    assert np.array_equal(changing.feed([5]), always.feed([5]))


def test_where_the_exchange_fails_the_old_session_goes_on() -> None:
    class Broken(ChanceSession):
        def _logits(self) -> Logits:
            raise ValueError("broken")

    changing = SwappableSession(windowed(1))
    changing.feed([1, 2, 3])
    with pytest.raises(ValueError, match="broken"):
        changing.prepare(Broken(VOCABULARY.size, 64, seed=3))
    successor = changing.prepare(windowed(2))
    broken = type(successor)(Broken(VOCABULARY.size, 64, seed=3), successor.heard[:0])
    with pytest.raises(ValueError, match="broken"):
        changing.exchange(broken)
    same = windowed(1)
    same.feed([1, 2, 3])
    assert np.array_equal(changing.feed([4]), same.feed([4]))


def test_a_new_stream_is_a_new_stream() -> None:
    changing = SwappableSession(windowed(1))
    changing.feed([1, 2, 3])
    changing.reset()
    changing.feed([4])
    changing.exchange(changing.prepare(windowed(2)))
    fresh = windowed(2)
    fresh.feed([4])
    assert np.array_equal(changing.feed([5]), fresh.feed([5]))
    assert 0 < changing.fill < 1


@given(DEEDS, DEEDS)
def test_what_is_only_heard_goes_to_the_model_as_if_token_by_token(before: list[Deed], after: list[Deed]) -> None:
    deferred, always = DeferredSession(windowed(1)), windowed(1)
    do(deferred, before)
    deferred.catch_up()
    do(always, before)
    for session in (deferred, always):
        session.feed([3])
        do(session, after)
    assert deferred.length == always.length
    assert np.array_equal(deferred.feed([5]), always.feed([5]))
