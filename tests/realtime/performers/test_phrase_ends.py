"""The end of a phrase with the model's word: dense playing, a pause under the pedal, a true end, a take-over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.bundle import Bundle
from inference.onnx_session import OnnxSession, Session
from inference.rolling_context import RollingContext
from piano.events import NoteOn, Pedal
from piano.solve.expectation import TENTHS, survival
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.find_bundle import EMBEDDED_FOLDER
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.performers.phrase_detector import with_expectation
from realtime.performers.play_settings import AnswerSettings, Length, PauseSettings, PlaySettings
from tests.support.scripted_play import MS, Messages, S, note, own_onsets, wire
from tests.support.session_models import HEAD

PAUSES = PauseSettings(700 * MS, 1500 * MS)
SURE = st.floats(0.0, 1.0)


@pytest.fixture(scope="module")
def session() -> Session:
    session = OnnxSession(Bundle.load(EMBEDDED_FOLDER))
    return RollingContext(session, session.twin())


def a_run(session: Session, *, expects: bool, joins: bool = False) -> OfflineRun:
    answers = AnswerSettings(PAUSES, Length.PHRASE, seed=2, expects=expects, joins=joins)
    return OfflineRun(session, PartnerSettings(PlaySettings(answers, HEAD)))


def first_answer_ns(run: OfflineRun, messages: Messages, until_ns: int) -> int | None:
    run.play(messages)
    run.run_until(until_ns)
    own = own_onsets(run)
    return own[0].at_ns if own else None


def dense(hesitates_s: float) -> Messages:
    """Return broken chords, nine keys a second, that stop for a moment in the middle of one."""
    keys = (60, 64, 67, 72, 67, 64, 62, 65)
    moments = [1 + index * 0.11 + (hesitates_s if index >= 37 else 0.0) for index in range(60)]
    return wire(event for index, at_s in enumerate(moments) for event in note(at_s, keys[index % 8], 0.09))


def test_in_dense_playing_the_model_waits_where_the_pause_would_answer(session: Session) -> None:
    stops_ns = S + 36 * 110 * MS + 90 * MS
    goes_on_ns = stops_ns + 920 * MS
    by_pause = first_answer_ns(a_run(session, expects=False), dense(0.9), goes_on_ns)
    by_model = first_answer_ns(a_run(session, expects=True), dense(0.9), goes_on_ns)
    assert by_pause is not None
    assert by_pause > stops_ns
    assert by_model is None, "there is more to come"


@pytest.mark.parametrize("expects", [False, True])
def test_a_pause_under_the_pedal_is_answered_by_the_longest_pause(session: Session, expects: bool) -> None:
    chords = [event for beat, low in enumerate((48, 53, 55, 48)) for key in (0, 4, 7) for event in note(
        1 + beat * 0.6, low + key, 0.4)]  # fmt: skip
    last_ns = round((1 + 3 * 0.6 + 0.4) * S)
    played = wire([(0.9, Pedal(down=True)), *sorted(chords, key=lambda timed: timed[0])])
    answer_ns = first_answer_ns(a_run(session, expects=expects), played, last_ns + 3 * S)
    assert answer_ns is not None
    assert PAUSES.shortest_ns <= answer_ns - last_ns <= PAUSES.longest_ns + 60 * MS


def test_a_true_end_is_answered_and_two_keys_in_its_way_take_the_answer_over(session: Session) -> None:
    melody = [(60, 0.5), (62, 0.5), (64, 0.5), (65, 0.5), (67, 1.0), (65, 0.5), (64, 0.5), (62, 0.5), (60, 2.0)]
    events, at_s = [], 1.0
    for key, length_s in melody:
        events += note(at_s, key, 0.9 * length_s) + note(at_s, key - 12, 0.9 * length_s)
        at_s += length_s
    last_ns = round((at_s - 0.2) * S)
    run = a_run(session, expects=True, joins=True)
    answer_ns = first_answer_ns(run, wire(sorted(events, key=lambda timed: timed[0])), last_ns + 2 * S)
    assert answer_ns is not None
    assert answer_ns - last_ns <= PAUSES.longest_ns + 60 * MS
    assert run.is_playing
    struck = own_onsets(run)[-1].event
    assert isinstance(struck, NoteOn)
    at_s, pitch = run.clock.now_ns() / S + 0.01, min(struck.pitch + 1, 107)
    run.play(wire([*note(at_s, pitch, 0.1), *note(at_s + 0.2, pitch + 1, 0.1)]))
    run.run_until(run.clock.now_ns() + 230 * MS)
    assert not run.is_playing, "within one event"


@given(SURE, SURE)
def test_the_surer_the_model_is_of_a_rest_the_shorter_is_the_pause_and_never_beyond_its_bounds(
    one: float, other: float
) -> None:
    likely, unlikely = (
        with_expectation(1_000_000_000, (1.0,) * (TENTHS - 1) + (sure,), PAUSES)
        for sure in (max(one, other), min(one, other))
    )
    assert PAUSES.shortest_ns <= likely <= unlikely <= PAUSES.longest_ns


def test_waits_are_told_by_tenths_of_a_second() -> None:
    logits = np.full(VOCABULARY.size, -np.inf, np.float32)
    for steps, odds in ((5, 0.5), (35, 0.25), (100, 0.125)):
        logits[VOCABULARY.time(steps)] = np.log(odds)
    logits[VOCABULARY.end] = np.log(0.125)
    told = survival(logits)
    assert told == pytest.approx([0.5, 0.5, 0.5, *[0.25] * 7])
