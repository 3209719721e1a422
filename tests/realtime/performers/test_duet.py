"""The duet as it is heard: guesses that are taken back, limits, and what it does when alone."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.onnx_session import Session
from piano.events import NoteOff, NoteOn, Role, TimedEvent
from piano.sampling.sampler import SamplingSettings
from piano.tokens.vocabulary import VOCABULARY, Kind
from realtime.engine.commands import ChangePlaying, HandOver, NewPiece, Panic, Retry, StopPlaying
from realtime.engine.offline_run import OfflineRun
from realtime.engine.partner import PartnerSettings
from realtime.performers import duet
from realtime.performers.performer import Activity
from realtime.performers.play_settings import AnswerSettings, DuetSettings, Mode, PlayLimits, PlaySettings, WhenAlone
from tests.support.random_players import RUNS, Act, acts, perform
from tests.support.scripted_play import MS, S, note, own_onsets, phrase, sounding_at, wire
from tests.support.scripted_session import ScriptedSession
from tests.support.session_models import HEAD, model_of_chance

GREEDY = SamplingSettings(temperature=0.0)
OWN_ON, OWN_OFF = VOCABULARY.on(Role.OWN, 72), VOCABULARY.off(Role.OWN, 72)
GIVEN_ON = VOCABULARY.on(Role.GIVEN, 50)
VELOCITY = VOCABULARY.velocity(80)
COMMANDS = (HandOver(), StopPlaying(), NewPiece(), Panic(), Retry())


def playing(how: DuetSettings | None = None) -> PlaySettings:
    return PlaySettings(AnswerSettings(), HEAD, Mode.DUET, how)


def a_duet(session: Session | None = None, how: DuetSettings | None = None) -> OfflineRun:
    return OfflineRun(session or model_of_chance(), PartnerSettings(playing(how)))


def most_in_a_second(onsets: Sequence[TimedEvent]) -> int:
    """Return how many keys are struck at most within any second."""
    moments = [timed.at_ns for timed in onsets]
    return max((sum(at_ns <= other < at_ns + S for other in moments) for at_ns in moments), default=0)


def test_a_clock_in_big_or_in_small_steps_gives_the_same_messages() -> None:
    def play(step_ns: int) -> list[tuple[int, bytes]]:
        run = a_duet()
        run.play([*phrase(1.0), *phrase(4.0)])
        for at_ns in range(0, 12 * S, step_ns):
            run.run_until(at_ns)
        run.run_until(12 * S)
        return list(run.partner.take.sent)

    assert play(12 * S) == play(7 * MS) == play(333 * MS)


@RUNS
@given(acts(COMMANDS, most=15), st.integers(0, 99), st.sampled_from(WhenAlone), st.booleans())
def test_every_note_ends_within_its_range_and_loudness(
    done: Sequence[Act], seed: int, when_alone: WhenAlone, quiet: bool
) -> None:
    limits = PlayLimits(
        seed=seed, lowest_pitch=40, highest_pitch=60, loudest=5 if quiet else 90, most_a_second=7, most_keys=3
    )
    how = DuetSettings(limits, when_alone, S)
    run = a_duet(model_of_chance(seed, window=64), how)
    perform(run, done)
    for timed in own_onsets(run):
        assert isinstance(timed.event, NoteOn)
        assert 40 <= timed.event.pitch <= 60
        assert timed.event.velocity <= limits.loudest
    assert most_in_a_second(own_onsets(run)) <= 7
    run.finish()
    assert sounding_at(run.partner.take.sent, run.clock.now_ns()).is_silent()
    assert run.partner.engine.status().fault is None


def test_nothing_of_a_guess_that_was_taken_back_is_heard() -> None:
    script = {len(HEAD) + 2: VOCABULARY.time(50), len(HEAD) + 3: OWN_ON, len(HEAD) + 4: VELOCITY}
    run = a_duet(ScriptedSession(VOCABULARY.size, script=script), DuetSettings(PlayLimits(sampling=GREEDY)))
    run.play(wire([(1.0, NoteOn(50, 80)), (1.3, NoteOn(52, 80))]))
    run.run_until(int(1.3 * S))
    session = ScriptedSession(VOCABULARY.size, script=script)
    undisturbed = a_duet(session, DuetSettings(PlayLimits(sampling=GREEDY)))
    undisturbed.play(wire([(1.0, NoteOn(50, 80))]))
    undisturbed.run_until(2 * S)
    assert own_onsets(undisturbed)[0] == TimedEvent(int(1.5 * S), NoteOn(72, 82))
    run.run_until(2 * S)
    assert TimedEvent(int(1.5 * S), NoteOn(72, 82)) not in own_onsets(run)


def test_a_key_that_sounds_ends_when_the_model_now_means_it_to() -> None:
    """The release that was planned for it is taken back with all that was planned after the player's key."""

    def follows(tokens: tuple[int, ...]) -> int:
        given = tokens.count(VOCABULARY.on(Role.GIVEN, 50)) + tokens.count(VOCABULARY.on(Role.GIVEN, 52))
        if OWN_ON not in tokens:
            return OWN_ON
        if tokens[-1] == OWN_ON:
            return VELOCITY
        if OWN_OFF in tokens:
            return GIVEN_ON if VOCABULARY.kinds[tokens[-1]] == Kind.TIME else VOCABULARY.time(100)
        return OWN_OFF if VOCABULARY.kinds[tokens[-1]] == Kind.TIME else VOCABULARY.time(40 if given == 1 else 90)

    run = a_duet(ScriptedSession(VOCABULARY.size, script=follows), DuetSettings(PlayLimits(sampling=GREEDY)))
    run.play(wire([(1.0, NoteOn(50, 80)), (1.2, NoteOn(52, 80))]))
    run.run_until(3 * S)
    offs = [timed.at_ns for timed in run.answered() if timed.event == NoteOff(72)]
    assert offs == [int(2.1 * S)]


@pytest.mark.parametrize("wait", [0, 1])
def test_a_model_that_always_guesses_the_player_never_plays(wait: int) -> None:
    def follows(tokens: tuple[int, ...]) -> int:
        return GIVEN_ON if not wait or VOCABULARY.kinds[tokens[-1]] == Kind.TIME else VOCABULARY.time(wait)

    session = ScriptedSession(VOCABULARY.size, script=follows)
    run = a_duet(session, DuetSettings(PlayLimits(sampling=GREEDY), WhenAlone.CONTINUE))
    run.play(wire(note(1.0, 60)))
    run.run_until(4 * S)
    assert run.partner.take.sent == []
    assert session.feeds < 1000


def test_a_model_for_which_time_stands_still_does_not_stop_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duet, "AHEAD_NS", 50 * MS)

    def follows(tokens: tuple[int, ...]) -> int:
        after = {OWN_ON: VELOCITY, VELOCITY: OWN_OFF}
        return after.get(tokens[-1], OWN_ON)

    how = DuetSettings(PlayLimits(sampling=GREEDY, most_a_second=1000))
    run = a_duet(ScriptedSession(VOCABULARY.size, 100_000, script=follows), how)
    run.play(wire([(1.0, NoteOn(50, 80))]))
    run.run_until(int(1.1 * S))
    onsets = Counter(timed.at_ns for timed in own_onsets(run))
    assert max(onsets.values()) <= 40
    assert max(onsets) >= int(1.05 * S)
    run.finish()
    assert sounding_at(run.partner.take.sent, 2 * S).is_silent()


def test_a_key_that_the_player_holds_is_not_struck() -> None:
    def follows(tokens: tuple[int, ...]) -> int | None:
        return OWN_ON if VOCABULARY.kinds[tokens[-1]] == Kind.TIME else None

    run = a_duet(ScriptedSession(VOCABULARY.size, 8192, script=follows, seed=3))
    run.play(wire([(1.0, NoteOn(72, 80)), (3.0, NoteOff(72))]))
    run.run_until(5 * S)
    moments = [timed.at_ns for timed in own_onsets(run) if timed.event.pitch == 72]  # type: ignore[union-attr]
    assert moments
    assert min(moments) >= 3 * S


@pytest.mark.parametrize("ahead_ms", [0, 1000])
def test_what_it_does_when_the_player_has_stopped(monkeypatch: pytest.MonkeyPatch, ahead_ms: int) -> None:
    monkeypatch.setattr(duet, "AHEAD_NS", ahead_ms * MS)
    alone_ns = 3 * S  # a second after the last key came up

    def play(when_alone: WhenAlone) -> OfflineRun:
        run = a_duet(model_of_chance(4), DuetSettings(when_alone=when_alone, alone_after_ns=S))
        run.play(wire([(1.0, NoteOn(60, 80)), (2.0, NoteOff(60))]))
        run.run_until(20 * S)
        return run

    ends, holds, goes_on = (play(when_alone) for when_alone in WhenAlone)
    assert sounding_at(ends.partner.take.sent, alone_ns).is_silent()
    assert ends.partner.take.sent[-1][0] == alone_ns
    assert not ends.is_playing
    assert [timed for timed in own_onsets(goes_on) if timed.at_ns < alone_ns] == own_onsets(ends) == own_onsets(holds)
    assert not holds.partner.scheduler.status().sounding.own
    assert own_onsets(goes_on)[-1].at_ns > 15 * S


def test_a_held_key_keeps_it_playing() -> None:
    run = a_duet(how=DuetSettings(alone_after_ns=S))
    run.play(wire([(1.0, NoteOn(60, 80)), (9.0, NoteOff(60))]))
    run.run_until(9 * S)
    assert run.is_playing
    run.run_until(11 * S)
    assert not run.is_playing


def test_it_begins_on_a_wish_and_stops_on_one() -> None:
    run = a_duet(how=DuetSettings(when_alone=WhenAlone.CONTINUE))
    run.run_until(5 * S)
    assert run.partner.take.sent == []
    run.tell(HandOver())
    run.run_until(8 * S)
    assert own_onsets(run)
    run.tell(HandOver())  # it plays already
    run.tell(StopPlaying())
    run.run_until(8 * S)
    assert sounding_at(run.partner.take.sent, 8 * S).is_silent()
    count = len(run.partner.take.sent)
    run.run_until(12 * S)
    assert len(run.partner.take.sent) == count
    run.play(wire([(12.5, NoteOn(60, 70))]))
    run.run_until(15 * S)
    assert own_onsets(run)[-1].at_ns > int(12.5 * S)
    status = run.partner.engine.status().performer
    assert (status.activity, status.answers) == (Activity.PLAYING, 2)


def test_other_luck_and_a_new_piece() -> None:
    def play(command: Retry | NewPiece | None) -> list[TimedEvent]:
        run = a_duet()
        run.play(phrase(1.0))
        run.run_until(2 * S)
        if command is not None:
            run.tell(command)
        run.run_until(4 * S)
        return own_onsets(run)

    plain, retried, anew = play(None), play(Retry()), play(NewPiece())
    assert [timed for timed in plain if timed.at_ns < 2 * S] == [timed for timed in retried if timed.at_ns < 2 * S]
    assert plain != retried != anew


def test_it_plays_on_in_another_way() -> None:
    run = a_duet(how=DuetSettings(when_alone=WhenAlone.CONTINUE))
    run.play(wire([(1.0, NoteOn(60, 80))]))
    run.run_until(4 * S)
    run.tell(ChangePlaying(playing(DuetSettings(PlayLimits(lowest_pitch=100, restraint=-2.0), WhenAlone.CONTINUE))))
    run.run_until(4 * S)
    count = len(own_onsets(run))
    run.tell(ChangePlaying(PlaySettings(AnswerSettings(), (*HEAD, VOCABULARY.style("density:3")), Mode.DUET)))
    run.run_until(4 * S + 1)
    run.tell(ChangePlaying(playing(DuetSettings(PlayLimits(lowest_pitch=100, restraint=-2.0), WhenAlone.CONTINUE))))
    run.run_until(7 * S)
    later = own_onsets(run)[count:]
    assert later
    assert all(isinstance(timed.event, NoteOn) and timed.event.pitch >= 100 for timed in later)
    run.finish()
    assert sounding_at(run.partner.take.sent, run.clock.now_ns()).is_silent()


def test_restraint_makes_it_play_less() -> None:
    def keys(restraint: float) -> int:
        run = a_duet(how=DuetSettings(PlayLimits(restraint=restraint), WhenAlone.CONTINUE))
        run.play(phrase(1.0))
        run.run_until(8 * S)
        return len(own_onsets(run))

    assert keys(4.0) < keys(0.0) / 2 < keys(-2.0)
