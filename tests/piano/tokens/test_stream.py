"""Live events to tokens and back, held against the vectorised encoder."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.tokens.encoding import encode
from piano.tokens.stream import StreamDecoder, StreamEncoder
from piano.tokens.vocabulary import STEP_NS, VOCABULARY, Kind, steps_of_ns, velocity_of_bin
from tests.support.strategies import TwoRoles, duets, streams, tokens

MS_NS = 1_000_000
ORIGIN_NS = 7 * STEP_NS

EVENTS = st.one_of(
    st.builds(NoteOn, st.integers(60, 61), st.integers(1, 127)),
    st.builds(NoteOff, st.integers(60, 61)),
    st.builds(Pedal, st.booleans()),
)
FLOOD = st.lists(st.builds(TimedEvent, st.integers(0, 60 * MS_NS), EVENTS, st.sampled_from(Role)), max_size=30)
"""Events of any sense, in any order of time."""


def feed(encoder: StreamEncoder, events: list[TimedEvent]) -> list[int]:
    """Return the stream that the edits for the events build."""
    stream: list[int] = []
    for event in events:
        edit = encoder.push(event)
        assert 0 <= edit.rewind <= len(stream)
        del stream[len(stream) - edit.rewind :]
        stream.extend(edit.tokens)
    return stream


@given(duets(), st.integers(-(10**12), 10**12))
def test_the_stream_is_the_one_of_the_whole_performance(duet: TwoRoles, origin_ns: int) -> None:
    moved = [TimedEvent(timed.at_ns + origin_ns, timed.event, timed.role) for timed in duet.events()]
    whole = encode(duet.performance, roles=duet.roles, pedal_roles=duet.pedal_roles)
    assert feed(StreamEncoder(origin_ns), moved) == whole.tolist()


@given(duets())
def test_time_that_passes_between_events_changes_only_how_it_is_written(duet: TwoRoles) -> None:
    encoder, stream = StreamEncoder(0), list[int]()
    for event in duet.events():
        stream += encoder.pass_time(max(encoder.step, encoder.step_of(event.at_ns) - 1))
        edit = encoder.push(event)
        del stream[len(stream) - edit.rewind :]
        stream.extend(edit.tokens)
    whole = encode(duet.performance, roles=duet.roles, pedal_roles=duet.pedal_roles).tolist()
    assert _without_time(stream) == _without_time(whole)
    assert _steps(stream) == _steps(whole)


def _without_time(stream: list[int]) -> list[int]:
    return [token for token in stream if VOCABULARY.kinds[token] != Kind.TIME]


def _steps(stream: list[int]) -> list[int]:
    kinds = VOCABULARY.kinds[stream] if stream else np.zeros(0, np.uint8)
    steps = np.cumsum(np.where(kinds == Kind.TIME, VOCABULARY.values[stream] if stream else 0, 0))
    return list(steps[kinds != Kind.TIME].tolist())


@given(FLOOD)
def test_a_rewind_never_reaches_beyond_the_current_step(events: list[TimedEvent]) -> None:
    encoder, stream = StreamEncoder(0), list[int]()
    for event in events:
        before = encoder.step
        edit = encoder.push(event)
        kept = stream[: len(stream) - edit.rewind]
        assert all(VOCABULARY.kinds[token] != Kind.TIME for token in stream[len(kept) :])
        assert edit.rewind == 0 or encoder.step == before
        assert encoder.step >= before
        stream = kept + list(edit.tokens)
    assert sum(VOCABULARY.kinds[token] == Kind.ON for token in stream) == sum(
        isinstance(timed.event, NoteOn) for timed in events
    )


@given(FLOOD)
def test_a_decoder_gives_back_every_event_at_its_step(events: list[TimedEvent]) -> None:
    encoder, latest_ns = StreamEncoder(ORIGIN_NS), 0
    expected = []
    for timed in events:
        latest_ns = max(latest_ns, steps_of_ns(timed.at_ns - ORIGIN_NS) * STEP_NS)
        expected.append((ORIGIN_NS + latest_ns, _heard(timed.event), timed.role))
    stream = feed(encoder, events)
    decoder = StreamDecoder(ORIGIN_NS)
    heard = [event for token in stream if (event := decoder.push(token))]
    assert [timed.at_ns for timed in heard] == sorted(timed.at_ns for timed in heard)
    assert sorted(map(repr, expected)) == sorted(repr((timed.at_ns, timed.event, timed.role)) for timed in heard)
    assert decoder.step == encoder.step
    for role in Role:  # what one key does, and what one pedal does, stays in order
        for pitch in (60, 61, None):
            mine = [entry[1] for entry in expected if entry[2] == role and getattr(entry[1], "pitch", None) == pitch]
            theirs = [t.event for t in heard if t.role == role and getattr(t.event, "pitch", None) == pitch]
            if pitch is not None and _alternate(mine):
                assert theirs == mine


def _alternate(events: list[NoteOn | NoteOff | Pedal]) -> bool:
    presses = [isinstance(event, NoteOn) for event in events]
    return all(press != follower for press, follower in pairwise(presses))


def _heard(event: NoteOn | NoteOff | Pedal) -> NoteOn | NoteOff | Pedal:
    if isinstance(event, NoteOn):
        return NoteOn(event.pitch, velocity_of_bin(event.velocity // 4))
    return event


@given(duets())
def test_what_is_decoded_and_encoded_again_is_the_same_stream(duet: TwoRoles) -> None:
    whole = encode(duet.performance, roles=duet.roles, pedal_roles=duet.pedal_roles).tolist()
    decoder = StreamDecoder(ORIGIN_NS)
    heard = [timed for token in whole if (timed := decoder.push(token))]
    assert feed(StreamEncoder(ORIGIN_NS), heard) == whole


@given(duets())
def test_every_press_gets_its_release(duet: TwoRoles) -> None:
    decoder = StreamDecoder(0)
    down: set[tuple[int, Role]] = set()
    for token in encode(duet.performance, roles=duet.roles, pedal_roles=duet.pedal_roles).tolist():
        timed = decoder.push(token)
        if timed is None or isinstance(timed.event, Pedal):
            continue
        key = timed.event.pitch, timed.role
        assert (key in down) == isinstance(timed.event, NoteOff)
        down ^= {key}
    assert not down


def test_a_release_that_comes_late_in_a_step_goes_before_the_presses() -> None:
    encoder = StreamEncoder(0)
    encoder.push(TimedEvent(0, NoteOn(48, 64)))
    edit = encoder.push(TimedEvent(20 * MS_NS, NoteOn(60, 64)))
    assert (edit.rewind, edit.tokens[0]) == (0, VOCABULARY.time(2))
    edit = encoder.push(TimedEvent(23 * MS_NS, NoteOff(48)))
    press = (VOCABULARY.on(Role.OWN, 60), VOCABULARY.velocity(64))
    assert (edit.rewind, edit.tokens) == (2, (VOCABULARY.off(Role.OWN, 48), *press))


def test_an_event_older_than_the_last_counts_as_simultaneous() -> None:
    encoder = StreamEncoder(0)
    encoder.push(TimedEvent(500 * MS_NS, NoteOn(60, 64)))
    edit = encoder.push(TimedEvent(100 * MS_NS, NoteOn(64, 64)))
    assert (edit.rewind, edit.tokens) == (0, (VOCABULARY.on(Role.OWN, 64), VOCABULARY.velocity(64)))
    assert encoder.step == 50


@pytest.mark.parametrize("event", [NoteOn(20, 64), NoteOn(60, 0), NoteOn(60, 128), NoteOff(109)])
def test_an_impossible_event_is_refused_and_changes_nothing(event: NoteOn | NoteOff) -> None:
    encoder = StreamEncoder(0)
    with pytest.raises(ValueError, match="not"):
        encoder.push(TimedEvent(500 * MS_NS, event))
    assert encoder.step == 0
    assert encoder.push(TimedEvent(0, NoteOff(60))).tokens == (VOCABULARY.off(Role.OWN, 60),)


def test_a_step_stands_at_its_moment() -> None:
    encoder = StreamEncoder(ORIGIN_NS)
    assert encoder.time_of(3) == ORIGIN_NS + 3 * STEP_NS
    assert encoder.step_of(encoder.time_of(3)) == 3
    assert encoder.step_of(ORIGIN_NS - 10**9) == 0


def test_passing_to_the_present_or_the_past_says_nothing() -> None:
    encoder = StreamEncoder(0)
    assert encoder.pass_time(0) == ()
    assert encoder.pass_time(250) == VOCABULARY.wait(250)
    assert encoder.pass_time(100) == ()
    assert encoder.step == 250


def test_a_decoder_can_begin_anywhere() -> None:
    decoder = StreamDecoder(ORIGIN_NS, step=5)
    assert decoder.push(VOCABULARY.off(Role.GIVEN, 60)) == TimedEvent(ORIGIN_NS + 5 * STEP_NS, NoteOff(60), Role.GIVEN)


@given(streams(), tokens)
def test_time_never_runs_backwards_whatever_comes(stream: list[int], last: int) -> None:
    decoder, latest_ns = StreamDecoder(0), 0
    for token in [*stream, last]:
        timed = decoder.push(token)
        if timed:
            assert timed.at_ns >= latest_ns
            latest_ns = timed.at_ns


def test_a_velocity_belongs_to_the_press_right_before_it() -> None:
    decoder = StreamDecoder(0)
    on, velocity = VOCABULARY.on(Role.OWN, 60), VOCABULARY.velocity(64)
    assert [decoder.push(token) for token in (velocity, on, VOCABULARY.time(1), velocity)] == [None] * 4
    assert decoder.push(on) is None
    assert decoder.push(velocity) == TimedEvent(STEP_NS, NoteOn(60, 66))


def test_a_preview_is_not_played() -> None:
    decoder = StreamDecoder(0)
    press = (VOCABULARY.on(Role.OWN, 60), VOCABULARY.velocity(64))
    preview = (VOCABULARY.preview, *press, VOCABULARY.time(50), VOCABULARY.off(Role.OWN, 60), VOCABULARY.play)
    assert [decoder.push(token) for token in preview] == [None] * len(preview)
    assert decoder.step == 0
    assert decoder.push(VOCABULARY.off(Role.OWN, 60)) == TimedEvent(0, NoteOff(60))
