"""Endings: from any state every own key is up within the limit, in every way of playing, and it stays so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.onnx_session import Session
from piano.cues import ENDING
from piano.events import NoteOff, NoteOn
from piano.session import Logits
from piano.tokens.vocabulary import LONGEST_TIME_STEPS, VOCABULARY
from realtime.engine.commands import ComeToEnd, Command, HandOver, Retry, StopPlaying
from realtime.engine.listening import EngineSettings
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.engine.trigger import Trigger
from realtime.midi.message import bytes_of
from realtime.performers.performer import Activity
from realtime.performers.play_settings import (
    AnswerSettings,
    DuetSettings,
    Length,
    LoopSettings,
    Mode,
    PlaySettings,
    WhenAlone,
)
from tests.support.random_players import RUNS, Act, acts, perform
from tests.support.scripted_play import MS, S, note, own_onsets, phrase, sounding_at, wire
from tests.support.session_models import HEAD, ChanceSession, model_of_chance

WITHIN_NS = 3 * S
SLACK_NS = 40 * MS
"""What is planned is heard within a step or two of its moment."""

ASKS: tuple[Command, ...] = (HandOver(), HandOver(), Retry(), StopPlaying())


class KnowingSession(ChanceSession):
    """A session of chance that says it knows cues."""

    knows_cues = True


class PausingSession(ChanceSession):
    """A session of chance that would rather wait a second, and again and again."""

    def _logits(self) -> Logits:
        logits = super()._logits()
        logits[VOCABULARY.time(LONGEST_TIME_STEPS)] += 30
        return logits


def a_player(
    mode: Mode,
    seed: int,
    length: Length = Length.ENDLESS,
    ending: Trigger | None = None,
    session: Session | None = None,
) -> OfflineRun:
    """Return a run in a way of playing in which it plays on until it is brought to an end."""
    playing = PlaySettings(
        AnswerSettings(pause=None, length=length, seed=seed),
        HEAD,
        mode,
        DuetSettings(when_alone=WhenAlone.CONTINUE),
        LoopSettings(pause=None),
    )
    listening = EngineSettings(ending=ending or Trigger(), ending_ns=WITHIN_NS)
    return OfflineRun(session or model_of_chance(seed), PartnerSettings(playing, listening))


@pytest.mark.parametrize(
    ("mode", "length"),
    [
        (Mode.ANSWER, Length.ENDLESS),
        (Mode.ANSWER, Length.BARS),
        (Mode.DUET, Length.ENDLESS),
        (Mode.LOOP, Length.ENDLESS),
    ],
)
@settings(RUNS, max_examples=15)
@given(acts(ASKS), st.integers(0, 4000), st.integers(0, 99))
def test_from_any_state_every_key_is_up_within_the_limit(
    mode: Mode, length: Length, doings: list[Act], later_ms: int, seed: int
) -> None:
    run = a_player(mode, seed, length)
    asked_ns = (doings[-1].at_ns if doings else 0) + later_ms * MS
    lifted = [Act(asked_ns, bytes_of(NoteOff(pitch))) for pitch in (21, 36, 48, 60, 62, 64, 67, 72, 108)]
    perform(run, [*doings, *lifted, Act(asked_ns, command=HandOver()), Act(asked_ns + S, command=ComeToEnd())], 6 * S)
    ended_ns = asked_ns + S + WITHIN_NS + SLACK_NS
    sent = run.partner.take.sent
    assert sounding_at(sent, ended_ns).is_silent()
    assert run.partner.engine.status().performer.activity is not Activity.PLAYING
    assert not [timed for timed in own_onsets(run) if timed.at_ns > ended_ns]


def test_an_ending_goes_on_for_some_seconds_and_strikes_nothing_in_the_last_part() -> None:
    """It is no cut: keys go down after the wish, and in the last third none does."""
    later, onsets = 0, []
    for seed in range(8):
        run = a_player(Mode.ANSWER, seed)
        perform(run, [*[Act(at_ns, data) for at_ns, data in phrase()], Act(3 * S, command=HandOver())], 4 * S)
        asked_ns = run.clock.now_ns()
        run.tell(ComeToEnd())
        run.run_until(asked_ns + 6 * S)
        onsets = [timed.at_ns - asked_ns for timed in own_onsets(run) if timed.at_ns > asked_ns + 40 * MS]
        later += len(onsets)
        assert all(onset_ns <= 0.7 * WITHIN_NS for onset_ns in onsets)
        assert run.partner.engine.status().performer.activity is Activity.LISTENING
    assert later >= 8


@pytest.mark.parametrize("mode", [Mode.ANSWER, Mode.DUET])
def test_a_model_that_knows_cues_is_told_once_that_the_end_is_near(mode: Mode) -> None:
    session = KnowingSession(VOCABULARY.size, 100_000)
    run = a_player(mode, 4, session=session)
    perform(run, [Act(S, command=HandOver()), Act(3 * S, command=ComeToEnd()), Act(4 * S, command=ComeToEnd())], 5 * S)
    assert session.tokens.count(VOCABULARY.cue(ENDING)) == 1


def test_music_grows_sparser_on_the_way_to_its_end() -> None:
    def keys(*, ends: bool) -> int:
        count = 0
        for seed in range(10):
            run = a_player(Mode.ANSWER, seed)
            perform(run, [Act(S, command=HandOver())], 5 * S)
            asked_ns = run.clock.now_ns()
            if ends:
                run.tell(ComeToEnd())
            run.run_until(asked_ns + WITHIN_NS)
            count += sum(asked_ns + 30 * MS < timed.at_ns <= asked_ns + 1.95 * S for timed in own_onsets(run))
        return count

    assert keys(ends=True) < 0.8 * keys(ends=False)


def test_a_controller_asks_for_an_ending_and_is_no_music() -> None:
    run = a_player(Mode.ANSWER, 3, ending=Trigger(controller=67))
    heard = run.partner.take.heard
    perform(
        run,
        [Act(S, command=HandOver()), Act(3 * S, bytes.fromhex("b0437f")), Act(3 * S, bytes.fromhex("b04300"))],
        5 * S,
    )
    assert run.partner.engine.status().performer.activity is Activity.LISTENING
    assert not heard
    assert max(timed.at_ns for timed in run.answered()) <= 3 * S + WITHIN_NS + SLACK_NS


def test_a_duet_that_has_ended_begins_again_after_the_players_rest_only() -> None:
    run = a_player(Mode.DUET, 5)
    going_on = [
        Act(at_ns, data) for index in range(40) for at_ns, data in wire(note(1 + index * 0.25, 60 + index % 5, 0.2))
    ]
    later = [
        Act(at_ns, data)
        for at_ns, data in wire(event for index in range(20) for event in note(20 + index / 4, 62, 0.2))
    ]
    perform(run, sorted([*going_on, Act(4 * S, command=ComeToEnd()), *later], key=lambda act: act.at_ns), 3 * S)
    onsets = [timed.at_ns for timed in own_onsets(run)]
    assert any(at_ns < 4 * S for at_ns in onsets)
    assert not [at_ns for at_ns in onsets if 4 * S + WITHIN_NS + SLACK_NS < at_ns < 20 * S]
    assert any(at_ns >= 20 * S for at_ns in onsets)


def test_a_loop_ends_at_its_seam_and_can_go_on_later() -> None:
    run = a_player(Mode.LOOP, 2)
    doings = [Act(at_ns, data) for at_ns, data in phrase(1.0, 8, 0.25)]
    perform(run, [*doings, Act(3 * S, command=HandOver()), Act(6 * S, command=ComeToEnd())], 6 * S)
    onsets = [timed.at_ns for timed in own_onsets(run)]
    assert any(6 * S < at_ns < 7 * S for at_ns in onsets)  # the pass that has begun is played to its seam at 7 s
    assert max(onsets) < 7 * S
    run.tell(HandOver())
    run.run_until(run.clock.now_ns() + 3 * S)
    assert max(timed.at_ns for timed in own_onsets(run)) > 12 * S


@pytest.mark.parametrize("mode", [Mode.ANSWER, Mode.DUET])
def test_the_last_thing_is_the_tonics_chord_alone_and_it_sounds_to_the_limit(mode: Mode) -> None:
    """However wild the music was: the tonic below, the third within, all at once, and nothing from before rings on."""
    for seed in range(8):
        run = a_player(mode, seed)
        heard = [Act(at_ns, data) for at_ns, data in phrase()]
        perform(run, [*heard, Act(5 * S, command=HandOver())], 3 * S)
        asked_ns = run.clock.now_ns()
        run.tell(ComeToEnd())
        run.run_until(asked_ns + 5 * S)
        last_ns = max(timed.at_ns for timed in own_onsets(run))
        chord = {
            timed.event.pitch
            for timed in own_onsets(run)
            if isinstance(timed.event, NoteOn) and timed.at_ns >= last_ns - 40 * MS
        }
        for at_ns in (last_ns + 100 * MS, asked_ns + WITHIN_NS - 50 * MS):
            listener = sounding_at(run.partner.take.sent, at_ns)
            assert {pitch for _, pitch in listener.sounding} == chord
            assert not any(listener.pedal.values())
        intervals = {(pitch - min(chord)) % 12 for pitch in chord}
        assert len(chord) == 4
        assert intervals in ({0, 3}, {0, 4}, {0, 3, 7}, {0, 4, 7})


def test_music_that_pauses_when_the_end_is_asked_for_ends_with_the_chord_too() -> None:
    """What would come only after the limit is no end: the time of the chord is before it."""
    for seed in range(4):
        run = a_player(Mode.ANSWER, seed, session=PausingSession(VOCABULARY.size, 100_000, seed=seed))
        heard = [Act(at_ns, data) for at_ns, data in phrase()]
        perform(run, [*heard, Act(7 * S, command=HandOver()), Act(8 * S, command=ComeToEnd())], 6 * S)
        last_ns = max(timed.at_ns for timed in own_onsets(run))
        assert last_ns > 8 * S
        assert sum(timed.at_ns >= last_ns - 40 * MS for timed in own_onsets(run)) == 4
