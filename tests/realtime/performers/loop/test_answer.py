"""The answer to a loop: laid out as in training, within its limits, and never a long piece of work."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.events import NoteOn, Pedal, Role, TimedEvent
from piano.notes import Performance
from piano.solve.live_stream import LiveStream
from piano.tasks.exercise import Exercise, Preview
from piano.tasks.task_stream import PreviewSize, task_stream
from piano.tokens.encoding import decode
from piano.tokens.vocabulary import VOCABULARY, Kind
from realtime.midi.message import event_of
from realtime.performers.loop.answer import LAST_STRIKE_NS, PIECE, AnswerSpec, LoopAnswer
from realtime.performers.loop.layers import Layer, LoopNote, Recorder, loop_notes
from realtime.performers.play_settings import PlayLimits
from tests.support.scripted_play import MS, S, phrase, wire
from tests.support.scripted_session import ScriptedSession
from tests.support.session_models import ChanceSession

HEAD = (VOCABULARY.bos, VOCABULARY.task("left_hand"))
OWN_ON, OWN_OFF = VOCABULARY.on(Role.OWN, 40), VOCABULARY.off(Role.OWN, 40)


def a_layer(length_ns: int) -> Layer:
    """Return a phrase with pedal, two rests of some seconds, and keys at the beginning and the end of windows."""
    recorder = Recorder(S, 1)
    played = [*phrase(1.0), *wire([(2.75, Pedal(down=True)), (6.1, Pedal(down=False))]), *phrase(4.987), *phrase(9.501)]
    for at_ns, data in sorted(played):
        event = event_of(data)
        assert event is not None
        recorder.hear(TimedEvent(at_ns, event))
    return recorder.layer(length_ns)


def found(session: ScriptedSession, layer: Layer, length_ns: int, limits: PlayLimits | None = None) -> LoopAnswer:
    answer = LoopAnswer(LiveStream(session, HEAD), AnswerSpec(HEAD, (layer,), length_ns, limits or PlayLimits(), 0))
    while not answer.is_complete:
        answer.work()
    return answer


def plays_now_and_then(tokens: tuple[int, ...]) -> int:
    """Strike a key 230 ms after whatever was last, and lift it after 150 ms more."""
    if tokens[-1] == OWN_ON:
        return VOCABULARY.velocity(50)
    is_down = tokens.count(OWN_ON) > tokens.count(OWN_OFF)
    if VOCABULARY.kinds[tokens[-1]] == Kind.TIME:
        return OWN_OFF if is_down else OWN_ON
    return VOCABULARY.time(15 if is_down else 23)


@pytest.mark.parametrize("length_ns", [10 * S + 1_234_567, 12 * S, 7 * S + 990 * MS])
def test_it_is_laid_out_as_in_training(length_ns: int) -> None:
    layer = a_layer(length_ns)
    session = ScriptedSession(VOCABULARY.size, 8192, script=plays_now_and_then)
    answer = found(session, layer, length_ns)
    assert sum(isinstance(event, NoteOn) for _, event in answer.events) > 8
    tokens = np.array(session.tokens, np.int32)
    decoded = decode(tokens)
    notes = loop_notes([layer])
    again = notes.copy()
    again["onset_s"] += length_ns / 1e9
    exercise = Exercise(
        "left_hand",
        decoded.performance,
        decoded.roles,
        decoded.pedal_roles,
        preview=Preview(np.concatenate([notes, again])),
    )
    expected = task_stream(exercise, size=PreviewSize()).tokens
    assert tokens.tolist() == expected[: tokens.size].tolist()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(S, 6 * S), st.integers(1, 8))
def test_it_is_in_order_in_range_and_in_measure(seed: int, length_ns: int, most: int) -> None:
    limits = PlayLimits(lowest_pitch=50, highest_pitch=58, most_a_second=most, most_keys=3, seed=seed)
    answer = found(ChanceSession(VOCABULARY.size, 8192, seed=seed), a_layer(length_ns), length_ns, limits)
    moments = [offset_ns for offset_ns, _ in answer.events]
    assert moments == sorted(moments)
    strikes = [(offset_ns, event.pitch) for offset_ns, event in answer.events if isinstance(event, NoteOn)]
    assert all(offset_ns < length_ns - LAST_STRIKE_NS and 50 <= pitch <= 58 for offset_ns, pitch in strikes)
    for first_ns, _ in strikes:
        assert sum(first_ns <= offset_ns < first_ns + S for offset_ns, _ in strikes) <= most


def test_what_comes_too_late_is_left_out_and_the_loop_is_still_heard() -> None:
    length_ns = 6 * S
    session = ScriptedSession(VOCABULARY.size, 8192, script=plays_now_and_then)
    layer = a_layer(length_ns)
    answer = LoopAnswer(LiveStream(session, HEAD), AnswerSpec(HEAD, (layer,), length_ns, PlayLimits(), 0))
    while not answer.is_complete:
        answer.work(5 * S)
    assert answer.events
    assert min(offset_ns for offset_ns, _ in answer.events) >= 5 * S
    assert sum(session.tokens.count(VOCABULARY.on(Role.GIVEN, note.pitch)) > 0 for note in layer.notes) == len(
        layer.notes
    )


def test_no_piece_of_work_is_long() -> None:
    fed: list[int] = []

    class Watched(ScriptedSession):
        def feed(self, tokens):  # type: ignore[no-untyped-def]
            fed.append(len(tokens))
            return super().feed(tokens)

    notes = tuple(LoopNote(index * 20 * MS, index * 20 * MS + 10 * MS, 30 + index % 60, 70) for index in range(190))
    found(Watched(VOCABULARY.size, 8192, script=plays_now_and_then), Layer(1, 0, notes, ()), 4 * S)
    assert max(fed) <= PIECE + 4, "a piece of a preview, and the wait before it"


def test_it_decodes_to_what_was_given_and_what_was_found() -> None:
    length_ns = 8 * S
    layer = a_layer(length_ns)
    session = ScriptedSession(VOCABULARY.size, 8192, script=plays_now_and_then)
    answer = found(session, layer, length_ns)
    decoded = decode(np.array(session.tokens, np.int32))
    own = Performance(decoded.performance.notes[decoded.roles == Role.OWN]).notes
    struck = [offset_ns / 1e9 for offset_ns, event in answer.events if isinstance(event, NoteOn)]
    np.testing.assert_allclose(own["onset_s"], struck, atol=1e-6)
    given_notes = decoded.performance.notes[decoded.roles == Role.GIVEN]
    assert given_notes["pitch"].tolist() == [note.pitch for note in layer.notes]
