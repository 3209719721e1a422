"""What goes from one way of playing to the next: the end of the music as a prompt, and a memory of it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from piano.events import Event, NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.sampling.memory import Memory
from piano.solve.live_stream import LiveStream
from piano.tokens.encoding import decode
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.performer_factory import performer_of
from realtime.output.scheduler import Scheduler
from realtime.performers.heard_before import PROMPT_TOKENS, MemoryWriter, prompt_of
from realtime.performers.play_settings import AnswerSettings, Mode, PlaySettings
from realtime.threads.clock import ManualClock
from tests.support.scripted_play import MS, S
from tests.support.session_models import HEAD, ChanceSession

EVENTS = st.one_of(
    st.builds(NoteOn, st.integers(58, 62), st.integers(1, 127)),
    st.builds(NoteOff, st.integers(58, 62)),
    st.builds(Pedal, st.booleans()),
)


def a_memory(notes: int, *, pedal: bool = False) -> Memory:
    memory = Memory()
    stream = LiveStream(ChanceSession(VOCABULARY.size, 1 << 20), HEAD, memory)
    stream.hear(TimedEvent(S, Pedal(down=pedal)))
    for number in range(notes):
        role = Role(number % 2)
        stream.hear(TimedEvent((number + 1) * S, NoteOn(60 + number % 12, 64), role))
    return memory


def test_nothing_is_heard_before_the_first_note() -> None:
    assert prompt_of(Memory(), one_voice=True) == ()
    assert prompt_of(a_memory(0), one_voice=True) == ()


def test_a_prompt_ends_with_all_keys_and_the_pedal_up() -> None:
    for one_voice in (True, False):
        prompt = prompt_of(a_memory(5, pedal=True), one_voice=one_voice)
        told = decode(np.array(prompt, np.int32))
        assert told.performance.notes["pitch"].tolist() == [60, 61, 62, 63, 64]
        assert set(told.roles.tolist()) == ({int(Role.OWN)} if one_voice else {int(Role.OWN), int(Role.GIVEN)})
        assert told.performance.pedals["down"].tolist() == [True, False]
        assert VOCABULARY.off(Role.OWN, 64) in prompt, "the key that was still down came up"


def test_a_prompt_is_no_longer_than_a_part_of_the_context() -> None:
    assert len(prompt_of(a_memory(1000), one_voice=True)) <= 2 * PROMPT_TOKENS


@given(st.lists(st.tuples(st.integers(0, 7000), EVENTS), max_size=20))
def test_what_a_writer_hears_is_remembered_as_a_stream_would(played: list[tuple[int, Event]]) -> None:
    streamed, written = Memory(), Memory()
    stream = LiveStream(ChanceSession(VOCABULARY.size, 1 << 20), HEAD, streamed)
    writer = MemoryWriter(written)
    at_ns = S
    for gap_ms, event in played:
        at_ns += gap_ms * MS
        stream.hear(TimedEvent(at_ns, event, Role.GIVEN))
        writer.hear(TimedEvent(at_ns, event))
    assert written.tokens.tolist()[1:] == streamed.tokens.tolist()[len(HEAD) :]


def test_the_next_performer_has_heard_what_was_played_and_remembers_it() -> None:
    for mode, hears in ((Mode.ANSWER, True), (Mode.DUET, True), (Mode.LOOP, False), (Mode.VELOCITY, False)):
        memory, session = a_memory(5), ChanceSession(VOCABULARY.size, 4096)
        before = memory.tokens.tolist()
        playing = PlaySettings(AnswerSettings(), HEAD, mode)
        performer = performer_of(playing, session, Scheduler(ManualClock(), None), memory)
        assert memory.tokens.tolist()[: len(before)] == before
        assert (VOCABULARY.on(Role.OWN, 60) in session.tokens) is hears
        performer.start_afresh()
        assert tuple(session.tokens) == HEAD
