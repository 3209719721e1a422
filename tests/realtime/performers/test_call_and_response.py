"""Call and response on the manual clock: when it answers, how it yields, and that its notes are the player's doing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piano.events import Event, NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.sampling.sampler import SamplingSettings
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.commands import NewPiece
from realtime.engine.offline_run import OfflineRun
from realtime.midi.input_thread import MidiInput
from realtime.midi.memory_ports import MemoryInputPort, ScriptedPlayer
from realtime.midi.message import bytes_of
from realtime.performers import call_and_response, turn_player
from realtime.performers.phrase_detector import PhraseDetector
from realtime.performers.play_settings import AnswerSettings, Length, PauseSettings
from realtime.threads.clock import ManualClock
from tests.support.random_players import RUNS, Act, acts, perform
from tests.support.scripted_play import MS, Messages, S, a_run, note, own_onsets, phrase, sounding_at, wire
from tests.support.scripted_session import ScriptedSession
from tests.support.session_models import SlowSession, model_of_chance, scripted

FEWER_RUNS = settings(RUNS, max_examples=20)
GREEDY = SamplingSettings(temperature=0.0)
RECALLS = SamplingSettings(recall=1.0)
PITCH = 72
ON, OFF, VELOCITY = VOCABULARY.on(Role.OWN, PITCH), VOCABULARY.off(Role.OWN, PITCH), VOCABULARY.velocity(80)


def live_run(messages: Messages, seed: int, until_ns: int) -> OfflineRun:
    """Play over a port and the input's own code, as live, and let the pause ask."""
    run = a_run(model_of_chance(seed), AnswerSettings(seed=seed, sampling=RECALLS))
    port = MemoryInputPort()
    midi_input = MidiInput(port, run.clock, run.partner.inbox.put)

    def arrive(data: bytes) -> None:
        port.feed(data)
        midi_input.take_all()

    run.clock.attach(ScriptedPlayer(messages, arrive))
    run.run_until(until_ns)
    run.finish()
    return run


@FEWER_RUNS
@given(st.integers(2, 9), st.floats(0.05, 0.6), st.integers(0, 999))
def test_offline_and_live_give_the_same_notes(notes: int, gap_s: float, seed: int) -> None:
    messages = phrase(0.5, notes, gap_s)
    end_ns = messages[-1][0]
    live = live_run(messages, seed, end_ns + 5 * S)
    listener = PhraseDetector(PauseSettings())
    for timed in live.partner.take.heard:
        listener.hear(timed)
    over_ns = listener.ends_ns()
    assert over_ns is not None
    offline = a_run(model_of_chance(seed), AnswerSettings(pause=None, seed=seed, sampling=RECALLS))
    offline.play(messages)
    offline.run_until(over_ns)
    offline.hand_over()
    offline.run_until(end_ns + 5 * S)
    offline.finish()
    assert offline.answered() == live.answered()
    assert own_onsets(live)


@FEWER_RUNS
@given(acts(), st.integers(0, 999), st.sampled_from((0, 40, 300, 3000)), st.sampled_from((0, 20, 600)))
def test_the_notes_do_not_depend_on_how_far_the_machine_runs_ahead(
    done: list[Act], seed: int, ahead_ms: int, early_ms: int
) -> None:
    def play() -> list[TimedEvent]:
        run = a_run(model_of_chance(seed), AnswerSettings(seed=seed, sampling=RECALLS))
        perform(run, done)
        return run.answered()

    expected = play()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turn_player, "AHEAD_NS", ahead_ms * MS)
        patch.setattr(call_and_response, "EARLY_NS", early_ms * MS)
        assert play() == expected


def test_a_slower_machine_plays_the_same_notes() -> None:
    def play(ns_per_feed: int) -> list[Event]:
        clock = ManualClock()
        run = a_run(SlowSession(model_of_chance(), clock, ns_per_feed), clock=clock)
        run.play([*phrase(1.0), *wire([(5.0051, Pedal(down=True)), (5.5051, Pedal(down=False))]), *phrase(8.0051)])
        run.run_until(14 * S)
        run.finish()
        return [timed.event for timed in run.answered()]

    assert play(0) == play(MS // 5) == play(2 * MS)


def test_a_breath_after_the_answer_was_begun_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [*phrase(1.0), *phrase(3.1, 3)]  # goes on just before the pause has passed

    def play() -> OfflineRun:
        run = a_run()
        run.play(messages)
        run.run_until(8 * S)
        return run

    begun = play()
    monkeypatch.setattr(call_and_response, "EARLY_NS", 0)
    assert begun.answered() == play().answered()
    status = begun.partner.engine.status().performer
    assert (status.answers, status.interruptions) == (1, 0)


def test_an_interruption_is_counted_and_the_next_answer_hears_it() -> None:
    run = a_run()
    run.play([*phrase(1.0), *phrase(6.0)])
    run.run_until(6 * S - 1)
    assert own_onsets(run)
    run.run_until(6 * S + MS)
    assert not run.is_playing
    assert sounding_at(run.partner.take.sent, 6 * S).is_silent()
    run.run_until(12 * S)
    status = run.partner.engine.status().performer
    assert (status.answers, status.interruptions) == (2, 1)


def test_a_key_that_the_player_holds_is_left_alone() -> None:
    wants = [OFF, ON, VELOCITY] * 40
    run = a_run(scripted(wants), AnswerSettings(sampling=GREEDY))
    run.play(wire([(1.0, NoteOn(PITCH, 60)), (5.0, NoteOff(PITCH))]))
    run.run_until(6 * S)
    ours = [timed for timed in run.answered() if isinstance(timed.event, NoteOn) and timed.event.pitch == PITCH]
    assert all(timed.at_ns >= 5 * S - 5 * MS for timed in ours)
    run.finish()


def test_a_pedal_of_ours_under_the_players_foot_comes_up_with_it() -> None:
    pedal = VOCABULARY.pedal(Role.OWN, down=True)
    session = ScriptedSession(
        VOCABULARY.size, script=lambda tokens: pedal if len(tokens) > 6 and tokens[-1] == VELOCITY else VELOCITY
    )
    run = a_run(session, AnswerSettings(sampling=GREEDY))
    run.play(wire([*note(1.0, 60), (3.5, Pedal(down=True)), (4.0, Pedal(down=False))]))
    run.run_until(4 * S - 1)
    before = [timed for timed in run.answered() if isinstance(timed.event, Pedal)]
    assert [timed.event for timed in before] == [Pedal(down=True)]
    run.run_until(4 * S + MS)
    assert (4 * S, bytes_of(Pedal(down=False))) in run.partner.take.sent


def test_an_answer_of_a_phrases_length_ends_at_a_rest() -> None:
    run = a_run(answers=AnswerSettings(length=Length.PHRASE))
    messages = phrase(1.0, 16)
    run.play(messages)
    run.run_until(30 * S)
    assert not run.is_playing
    onsets = own_onsets(run)
    assert onsets[-1].at_ns - onsets[0].at_ns <= 1.6 * (messages[-1][0] - S) + 40 * MS
    assert sounding_at(run.partner.take.sent, 30 * S).is_silent()
    assert run.partner.engine.status().performer.answers == 1


def test_a_piece_can_begin_from_nothing_and_again_otherwise() -> None:
    run = a_run(answers=AnswerSettings(pause=None))
    run.run_until(S)
    run.hand_over()
    run.run_until(4 * S)
    first = own_onsets(run)
    assert 0 <= first[0].at_ns - S <= 40 * MS
    run.tell(NewPiece())
    run.hand_over()
    run.run_until(7 * S)
    second = own_onsets(run)[len(first) :]
    assert [timed.event for timed in first[:5]] != [timed.event for timed in second[:5]]


def test_a_piece_that_was_proposed_and_not_heard_leaves_no_silence_behind() -> None:
    session = scripted([VOCABULARY.time(3), ON, VELOCITY])
    run = a_run(session, AnswerSettings(pause=None, sampling=GREEDY))
    run.run_until(S)
    run.hand_over()
    run.play([(S + 20 * MS, bytes_of(NoteOn(60, 60)))])
    run.run_until(S + 20 * MS)
    assert session.length == 4  # the head and the key, with no time before it


def test_a_player_with_all_keys_down_is_not_answered_and_nothing_breaks() -> None:
    run = a_run(answers=AnswerSettings(most_keys=4))
    run.play(wire([(1.0 + pitch / 1000, NoteOn(pitch, 50)) for pitch in range(21, 109)] + [(1.2, Pedal(down=True))]))
    run.run_until(10 * S)
    assert own_onsets(run) == []
    assert run.partner.engine.status().fault is None


def test_no_more_keys_than_allowed_are_held() -> None:
    run = a_run(answers=AnswerSettings(most_keys=2))
    run.play(phrase())
    run.run_until(20 * S)
    depth, most = 0, 0
    for timed in run.answered():
        depth += isinstance(timed.event, NoteOn) - isinstance(timed.event, NoteOff)
        most = max(most, depth)
    assert most == 2


def test_logits_that_are_no_numbers_are_refused() -> None:
    session = scripted([])
    session._logits = lambda: np.full(VOCABULARY.size, np.nan, np.float32)  # type: ignore[method-assign]
    run = a_run(session)
    run.play(phrase())
    with pytest.raises(ValueError, match="not numbers"):
        run.run_until(5 * S)


def own_rate(run: OfflineRun, from_s: float, to_s: float) -> float:
    """Return how many keys a second we struck."""
    return sum(from_s * S <= onset.at_ns < to_s * S for onset in own_onsets(run)) / (to_s - from_s)


def answered(seed: int, player_gap_s: float, guard: float, notes_per_s: float | None = None) -> OfflineRun:
    """Return a run in which the player strikes keys evenly for six seconds, and the model answers for thirty."""
    settings = AnswerSettings(sampling=SamplingSettings(pace_guard=guard), seed=seed, notes_per_s=notes_per_s)
    run = a_run(model_of_chance(seed), settings)
    onsets = np.arange(1.0, 7.0, player_gap_s)
    run.play(
        wire(event for index, at_s in enumerate(onsets) for event in note(at_s, 60 + index % 12, player_gap_s / 2))
    )
    run.run_until(40 * S)
    run.finish()
    return run


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_answer_is_as_busy_as_it_is_asked_to_be(seed: int) -> None:
    slow, free, fast = (
        own_rate(answered(seed, 0.25, guard, aim), 10, 40) for guard, aim in ((2.0, 1.0), (0.0, 1.0), (2.0, 30.0))
    )
    assert 1.1 * slow < free < fast / 1.1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_answer_is_as_busy_as_the_player(seed: int) -> None:
    slow, fast = (own_rate(answered(seed, gap_s, 2.0), 10, 40) for gap_s in (0.6, 0.04))
    assert 1.1 * slow < fast
