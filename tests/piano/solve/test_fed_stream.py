"""What is heard stands in the stream as the encoder of files would write it: judged, shortened, restyled, put back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.onnx_session import Logits
from piano.events import Event, NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.sampling.memory import Memory
from piano.solve.fed_stream import LONGEST_GAP_NS
from piano.solve.live_stream import LiveStream
from piano.tokens.vocabulary import STEP_NS, VELOCITY_BINS, VOCABULARY
from tests.support.scripted_play import MS, S
from tests.support.session_models import HEAD, ChanceSession
from tests.support.streams import DENSE_MS, EVENTS, OFF, ON, ROLES, VELOCITY, a_stream, what_is_recalled


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(DENSE_MS, EVENTS, ROLES), min_size=1, max_size=25))
def test_a_key_that_is_judged_is_heard_as_if_it_had_been_struck_so(played: list[tuple[int, Event, Role]]) -> None:
    judging, judged = a_stream()
    striking, struck = a_stream()
    at_ns, seen = S, list[float]()

    def judge(logits: Logits) -> int:
        assert logits.shape == (VELOCITY_BINS,)
        seen.append(float(logits[0]))
        return 1 + int(logits.argmax()) * 3

    for gap_ms, event, role in played:
        at_ns += gap_ms * MS
        judging.hear(TimedEvent(at_ns, event, role), judge)
        if isinstance(event, NoteOn):
            place = VOCABULARY.first_velocity
            index = len(judged.tokens) - judged.tokens[::-1].index(VOCABULARY.on(role, event.pitch))
            logits = ChanceSession(VOCABULARY.size, 4096).feed(judged.tokens[:index])[place : place + VELOCITY_BINS]
            assert seen[-1] == logits[0], "the logits of all that comes before the key, and of the key"
            event = NoteOn(event.pitch, 1 + int(logits.argmax()) * 3)
        striking.hear(TimedEvent(at_ns, event, role))
        assert judged.tokens == struck.tokens
    assert len(seen) == sum(isinstance(event, NoteOn) for _, event, _ in played)
    for role in Role:
        assert judging.sounding(role) == striking.sounding(role)


def test_what_changes_nothing_is_passed_over() -> None:
    stream, session = a_stream()
    stream.hear(TimedEvent(S, NoteOff(60)))
    stream.hear(TimedEvent(S, Pedal(down=False)))
    assert stream.is_empty
    assert session.tokens == HEAD


def test_a_key_that_goes_down_twice_is_released_between() -> None:
    stream, session = a_stream()
    stream.hear(TimedEvent(S, NoteOn(60, 80)))
    stream.hear(TimedEvent(S + 500 * MS, NoteOn(60, 80)))
    assert session.tokens == (*HEAD, ON, VELOCITY, VOCABULARY.time(50), OFF, ON, VELOCITY)


def test_a_long_silence_is_told_as_a_short_one() -> None:
    stream, session = a_stream()
    stream.hear(TimedEvent(S, NoteOn(60, 80)))
    stream.hear(TimedEvent(100 * S, NoteOff(60)))
    assert session.tokens[4:] == (*VOCABULARY.wait(LONGEST_GAP_NS // STEP_NS), OFF)
    assert stream.end_ns == 100 * S


def test_a_reset_begins_another_stream() -> None:
    stream, session = a_stream()
    stream.hear(TimedEvent(S, NoteOn(60, 80)))
    stream.reset(HEAD[:1])
    assert stream.is_empty
    assert session.tokens == HEAD[:1]
    assert stream.sounding() == frozenset()


@pytest.mark.parametrize("pitch", [20, 109])
def test_what_is_no_key_of_a_piano_is_misuse(pitch: int) -> None:
    stream, _ = a_stream()
    with pytest.raises(ValueError, match="21 to 108"):
        stream.hear(TimedEvent(S, NoteOn(pitch, 60)))


def test_another_head_and_a_way_back_leave_the_memory_in_step() -> None:
    stream, session = a_stream()
    for number, pitch in enumerate((60, 62, 64, 60, 62)):
        stream.hear(TimedEvent((number + 1) * S, NoteOn(pitch, 64)))
        stream.hear(TimedEvent((number + 1) * S + 500 * MS, NoteOff(pitch)))
    mark = stream.mark()
    expected = what_is_recalled(stream)
    stream.restyle((*HEAD, VOCABULARY.style("composer:bach")))
    assert what_is_recalled(stream) == expected
    stream.hear(TimedEvent(8 * S, NoteOn(64, 64)))
    stream.return_to(mark, 2 * S)
    assert what_is_recalled(stream) == expected
    assert len(stream._memory) == len(session.tokens) - 1, "it keeps the head with which the stream began"


def test_a_stream_goes_on_from_what_was_played_before_and_a_reset_takes_back_only_its_own() -> None:
    memory = Memory()
    LiveStream(ChanceSession(VOCABULARY.size, 4096), HEAD, memory).hear(TimedEvent(S, NoteOn(60, 64)))
    before = memory.tokens.tolist()
    session = ChanceSession(VOCABULARY.size, 4096)
    stream = LiveStream(session, HEAD, memory, prompt=(ON, VELOCITY, OFF))
    assert stream.is_empty
    assert session.tokens == (*HEAD, ON, VELOCITY, OFF)
    stream.hear(TimedEvent(9 * S, NoteOn(64, 64)))
    assert memory.tokens.tolist()[: len(before)] == before
    stream.reset(HEAD)
    assert memory.tokens.tolist() == [*before, *HEAD]
    stream.reset(HEAD, forget=True)
    assert memory.tokens.tolist() == [*HEAD]
