"""The endless session: which window serves a length, exchanges, detours across them, and its cost a step."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.landmarks import Landmarks
from inference.onnx_session import Logits
from inference.rolling_context import CHUNK, RollingContext
from piano.events import Role
from piano.tokens.vocabulary import VOCABULARY, Kind
from tests.support.scripted_session import ScriptedSession

VOCABULARY_SIZE = 40
ENDS = 30
"""In the small vocabulary: 0 to 3 are the head's, 4 opens a preview, 5 closes it, from 30 on they end an event."""


def marks() -> Landmarks:
    ids = np.arange(VOCABULARY_SIZE)
    return Landmarks(ids < 4, (ids >= ENDS) | (ids == 5), ids == 4, ids == 5)


def rolling(window: int = 32, chunk: int = 4, **way: Any) -> RollingContext:
    first = ScriptedSession(VOCABULARY_SIZE, 48)
    return RollingContext(first, first.twin(), window=window, marks=marks(), chunk=chunk, **way)


def expected_window(stream: Sequence[int], size: int, kept: Sequence[range] = ()) -> list[int]:
    """Return what the model should have seen of a stream: the definition, without two sessions and their turns."""
    start, head, full, passage = 0, 0, size, range(0)
    while len(stream) > full:
        prepares = full - size // 4
        earliest = full - size // 2
        head = 0
        while head < size // 4 and stream[head] < 4:
            head += 1
        passage = range(0)
        for asked in kept:
            if asked.stop < prepares:
                end = min(asked.stop, earliest)
                whole = max(asked.start, head)
                first = max(whole, asked.stop - size // 4)
                passage = range(first if first == whole else first_boundary(stream, first, end), end)
        start = first_boundary(stream, earliest + len(passage), prepares)
        full = start + size - head - len(passage)
    return [*stream[:head], *(stream[place] for place in passage), *stream[start:]]


def first_boundary(stream: Sequence[int], earliest: int, latest: int) -> int:
    for place in range(earliest, latest + 1):
        before = stream[:place]
        opened = max((index for index, token in enumerate(before) if token == 4), default=-1)
        closed = max((index for index, token in enumerate(before) if token == 5), default=-1)
        if before and (before[-1] >= ENDS or before[-1] == 5) and opened <= closed:
            return place
    return earliest


def direct(stream: Sequence[int], size: int = 32, kept: Sequence[range] = ()) -> Logits:
    return ScriptedSession(VOCABULARY_SIZE, 48).feed(expected_window(stream, size, kept))


def some_stream(length: int, seed: int = 0) -> list[int]:
    rng = np.random.default_rng(seed)
    return [0, 2, 3, *rng.integers(6, VOCABULARY_SIZE, length - 3).tolist()]


def test_single_steps_through_many_exchanges_are_a_direct_prefill() -> None:
    session = rolling()
    stream = some_stream(300)
    for length in range(1, 301):
        np.testing.assert_array_equal(session.feed(stream[length - 1 : length]), direct(stream[:length]))
        assert session.length == length
    assert session.exchanges > 10


tokens = st.lists(st.one_of(st.integers(0, VOCABULARY_SIZE - 1), st.integers(ENDS, VOCABULARY_SIZE - 1)), min_size=1)
actions = st.one_of(
    st.tuples(st.just("feed"), tokens),
    st.tuples(st.just("rollback"), st.integers(0, 40)),
    st.tuples(st.just("advance"), st.integers(1, 5)),
    st.tuples(st.just("keep"), st.integers(0, 40)),
)


HELPER = ThreadPoolExecutor(1)
WAYS: tuple[dict[str, Any], ...] = ({}, {"spreads": False}, {"spreads": False, "helper": HELPER})


@given(st.lists(actions, max_size=25), st.sampled_from([16, 20, 32, 48]), st.integers(1, 9), st.sampled_from(WAYS))
def test_any_feeding_and_rolling_back_is_a_direct_prefill(
    plays: list[tuple[str, object]], size: int, chunk: int, way: dict[str, Any]
) -> None:
    session = rolling(size, chunk, **way)
    stream: list[int] = []
    kept: list[range] = []
    for verb, value in plays:
        if verb == "feed" and isinstance(value, list):
            stream += value
            np.testing.assert_array_equal(session.feed(value), direct(stream, size, kept))
        elif verb == "rollback" and isinstance(value, int):
            stream = stream[: max(0, len(stream) - value)]
            session.rollback(len(stream))
            kept = [passage for passage in kept if passage.stop <= len(stream)]
        elif verb == "keep" and isinstance(value, int):
            session.keep(max(0, len(stream) - value), len(stream))
            kept.append(range(max(0, len(stream) - value), len(stream)))
        elif isinstance(value, int):
            for _ in range(value):
                session.advance()
        assert session.length == len(stream)


def test_a_long_prefill_is_a_direct_prefill_and_skips_the_windows_between() -> None:
    first, second = ScriptedSession(VOCABULARY_SIZE, 48), ScriptedSession(VOCABULARY_SIZE, 48)
    session = RollingContext(first, second, window=32, marks=marks(), chunk=4)
    stream = some_stream(2_000)
    np.testing.assert_array_equal(session.feed(stream), direct(stream))
    assert first.fed + second.fed < 100


class Counting(ScriptedSession):
    """Notes how many tokens each feed had."""

    def __init__(self) -> None:
        super().__init__(VOCABULARY_SIZE, 128)
        self.sizes: list[int] = []
        self.fed_at: list[tuple[int, int]] = []

    def feed(self, tokens: Sequence[int]) -> Logits:
        self.sizes.append(len(tokens))
        self.fed_at.append((self.length, len(tokens)))
        return super().feed(tokens)


def test_a_step_is_never_delayed_by_more_than_two_chunks_and_never_by_one_that_was_advanced() -> None:
    first, second = Counting(), Counting()
    session = RollingContext(first, second, marks=marks())
    for token in some_stream(600):
        before = len(first.sizes) + len(second.sizes)
        session.feed([token])
        assert len(first.sizes) + len(second.sizes) - before <= 3
    assert max(first.sizes + second.sizes) <= CHUNK
    assert session.exchanges > 3

    advanced = RollingContext(Counting(), Counting(), marks=marks())
    longest = 0
    for token in some_stream(600):
        while advanced.advance():
            pass
        sizes = [session.sizes for session in (advanced._active, advanced._spare) if isinstance(session, Counting)]
        before = sum(map(len, sizes))
        advanced.feed([token])
        longest = max(longest, sum(map(len, sizes)) - before)
    assert longest == 2  # itself, and before an exchange the last tokens, which make no whole chunk


@pytest.mark.parametrize("way", WAYS)
def test_a_window_is_prepared_in_the_same_chunks_whoever_does_it(way: dict[str, Any]) -> None:
    first, second = Counting(), Counting()
    session = RollingContext(first, second, marks=marks(), **way)
    stream = some_stream(129)
    for token in stream[:110]:
        session.feed([token])
    session.rollback(102)
    for token in stream[102:]:
        session.feed([token])
    assert session.exchanges == 1
    *prepared, (last, rest), _ = second.fed_at
    assert all(start % CHUNK == 0 and size == CHUNK for start, size in prepared)
    assert last % CHUNK == 0
    assert last + rest == second.length - 1


def test_where_no_window_takes_over_none_is_prepared_unless_it_is_spread() -> None:
    first, second = Counting(), Counting()
    session = RollingContext(first, second, marks=marks(), spreads=False)
    for token in some_stream(127):
        session.feed([token])
    assert second.sizes == []
    assert not session.advance()


def test_a_rollback_across_an_exchange_feeds_nothing_again() -> None:
    first, second = ScriptedSession(VOCABULARY_SIZE, 512), ScriptedSession(VOCABULARY_SIZE, 512)
    session = RollingContext(first, second, marks=marks())
    stream = some_stream(512 + 70)
    for token in stream:
        session.feed([token])
    assert session.exchanges == 1
    fed = first.fed + second.fed
    session.rollback(448)
    session.feed(stream[448:450])
    assert session.exchanges == 0
    assert first.fed + second.fed == fed + 2


def test_misuse_is_refused_with_the_numbers_and_changes_nothing() -> None:
    session = rolling()
    session.feed(some_stream(50))
    for wrong, message in (([], "at least 1 token"), ([3, -1], "not -1"), ([40], "0 to 39, not 40")):
        with pytest.raises(ValueError, match=message):
            session.feed(wrong)
    with pytest.raises(ValueError, match="a stream of 50 tokens rolls back to 0 to 50, not 51"):
        session.rollback(51)
    assert session.length == 50
    np.testing.assert_array_equal(session.feed([7]), direct([*some_stream(50), 7]))
    with pytest.raises(ValueError, match="16 to 48 tokens, not 49"):
        rolling(window=49)
    with pytest.raises(ValueError, match="at least 1 token, not 0"):
        rolling(chunk=0)


@given(st.integers(3, 8), st.integers(40, 200), st.integers(0, 50))
def test_what_is_pinned_stays_at_the_beginning_of_every_window(pinned: int, length: int, seed: int) -> None:
    session, stream = rolling(), some_stream(length, seed)
    session.pin(pinned)
    for token in stream:
        session.feed([token])
    seen = session._active.tokens if isinstance(session._active, ScriptedSession) else []
    assert list(seen[:pinned]) == stream[:pinned]
    tail = list(seen[pinned:])
    assert tail == stream[-len(tail) :]
    session.reset()
    assert np.array_equal(session.feed(stream), direct(stream)), "a stream that begins anew has nothing pinned"


def test_a_phrase_that_is_kept_is_heard_however_long_what_follows_becomes() -> None:
    session, stream = rolling(), some_stream(400)
    session.feed(stream[:40])
    session.keep(3, 40)
    for token in stream[40:]:
        session.feed([token])
    seen = session._active.tokens if isinstance(session._active, ScriptedSession) else []
    assert list(seen[:3]) == stream[:3]
    kept = next(place for place in range(40) if list(seen[3:]) and stream[place:40] == list(seen[3 : 3 + 40 - place]))
    assert 32 <= kept <= 38, "the end of the phrase, a quarter of a window at most"
    assert list(seen[3 + 40 - kept :]) == stream[-(len(seen) - 3 - 40 + kept) :]
    session.rollback(39)
    session.feed(stream[39:])
    assert np.array_equal(session.feed([7]), direct([*stream, 7])), "what is taken back is not kept"
    with pytest.raises(ValueError, match="no passage lies from 3 to 500"):
        session.keep(3, 500)


def test_a_reset_begins_anew() -> None:
    session = rolling()
    session.feed(some_stream(100))
    session.reset()
    assert (session.length, session.exchanges) == (0, 0)
    np.testing.assert_array_equal(session.feed([0, 9]), direct([0, 9]))


def test_windows_of_the_vocabulary_begin_with_an_event_after_the_head() -> None:
    first = ScriptedSession(VOCABULARY.size, 64)
    session = RollingContext(first, first.twin())
    head = [VOCABULARY.bos, VOCABULARY.task("continue"), VOCABULARY.style("composer:bach")]
    note = [VOCABULARY.time(3), VOCABULARY.on(Role.OWN, 60), VOCABULARY.velocity(64)]
    note += [VOCABULARY.time(9), VOCABULARY.off(Role.OWN, 60)]
    session.feed(head)
    for token in note * 60:
        session.feed([token])
    assert session.exchanges > 3
    serving = session._active
    assert isinstance(serving, ScriptedSession)
    assert list(serving.tokens[:3]) == head
    assert VOCABULARY.kinds[serving.tokens[3]] == Kind.TIME
