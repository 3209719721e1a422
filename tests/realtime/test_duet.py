"""The duet: exact sampling of a joint model, the same notes on every machine, and manners."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from piano.events import Event, NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.sampling import SamplingSettings
from piano.vocabulary import STEP_NS, VOCABULARY, Kind
from realtime import duet
from realtime.call_and_response import AnswerSettings
from realtime.commands import ChangePlaying, HandOver, Mode, NewPiece, Panic, Retry, StopPlaying
from realtime.duet import Duet, DuetSettings, WhenAlone
from realtime.manners import Manners
from realtime.offline_run import OfflineRun
from realtime.outbox import Release
from realtime.partner import PartnerSettings
from realtime.performer import Activity
from realtime.scripted_session import ScriptedSession
from realtime.session import Logits, Session
from tests.realtime.stage import (
    HEAD,
    MS,
    Act,
    ChanceSession,
    S,
    acts,
    model_of_chance,
    note,
    own_onsets,
    perform,
    phrase,
    sounding_at,
    wire,
)

RUNS = settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
GREEDY = SamplingSettings(temperature=0.0)
OWN_ON, OWN_OFF = VOCABULARY.on(Role.OWN, 72), VOCABULARY.off(Role.OWN, 72)
GIVEN_ON = VOCABULARY.on(Role.GIVEN, 50)
VELOCITY = VOCABULARY.velocity(80)
COMMANDS = (HandOver(), StopPlaying(), NewPiece(), Panic(), Retry())


def playing(how: DuetSettings | None = None) -> ChangePlaying:
    return ChangePlaying(AnswerSettings(), HEAD, Mode.DUET, how)


def a_duet(session: Session | None = None, how: DuetSettings | None = None) -> OfflineRun:
    return OfflineRun(session or model_of_chance(), PartnerSettings(playing(how)))


class Plan:
    """An output that keeps what is planned."""

    def __init__(self) -> None:
        self.planned: list[TimedEvent] = []

    def schedule(self, at_ns: int, event: Event, epoch: int = 0) -> None:  # noqa: ARG002
        self.planned.append(TimedEvent(at_ns, event))

    def invalidate(self, epoch: int, *, release: Release = Release.AT_TIME, after_ns: int | None = None) -> None:  # noqa: ARG002
        self.planned = [timed for timed in self.planned if after_ns is not None and timed.at_ns <= after_ns]

    def release_own(self) -> None:
        raise AssertionError

    def answer(self, pitch: int, velocity: int, pressed_ns: int) -> None:
        raise AssertionError((pitch, velocity, pressed_ns))


def work_until(player: Duet, moment_ns: int) -> None:
    """Give it its turns until before a moment."""
    while (due_ns := player.due_ns()) is not None and due_ns < moment_ns:
        player.work(due_ns)


def most_in_a_second(onsets: Sequence[TimedEvent]) -> int:
    """Return how many keys are struck at most within any second."""
    moments = [timed.at_ns for timed in onsets]
    return max((sum(at_ns <= other < at_ns + S for other in moments) for at_ns in moments), default=0)


WAITS = {Role.OWN: (0.2, 0.5, 0.3), Role.GIVEN: (0.5, 0.1, 0.4)}
"""By who played last: how likely it is that the next event comes after 1, 2 or 3 steps."""

OWN_SHARES = {Role.OWN: (0.1, 0.6, 0.5), Role.GIVEN: (0.7, 0.3, 0.8)}
"""By who played last, and after how many steps: how likely it is that the event is our own."""


class TwoPlayers(ScriptedSession):
    """A joint model of two players that can be worked out by hand: each strikes key after key and lifts none."""

    def _logits(self) -> Logits:
        logits = np.full(VOCABULARY.size, -60.0, np.float32)
        last, kinds, roles = self._tokens[-1], VOCABULARY.kinds, VOCABULARY.roles
        keys = [token for token in self._tokens if kinds[token] == Kind.ON]
        last_role = Role(int(roles[keys[-1]])) if keys else Role.GIVEN
        if kinds[last] == Kind.ON:
            logits[VELOCITY] = 0.0
        elif kinds[last] == Kind.TIME:
            share = OWN_SHARES[last_role][VOCABULARY.values[last] - 1]
            own, given = (sum(roles[key] == role for key in keys) for role in (Role.OWN, Role.GIVEN))
            logits[VOCABULARY.on(Role.OWN, 30 + own)] = np.log(share)
            logits[VOCABULARY.on(Role.GIVEN, 70 + given)] = np.log(1 - share)
        else:
            for steps, chance in enumerate(WAITS[last_role], 1):
                logits[VOCABULARY.time(steps)] = np.log(chance)
        return logits


Outcome = tuple[tuple[Role, int], ...]


def outcomes(count: int, last: Role = Role.GIVEN) -> Iterator[tuple[Outcome, float]]:
    """Yield what two players can do in their next events, and how likely it is by the joint model."""
    if count == 0:
        yield (), 1.0
        return
    for steps, wait in enumerate(WAITS[last], 1):
        for role in Role:
            share = OWN_SHARES[last][steps - 1]
            chance = wait * (share if role is Role.OWN else 1 - share)
            for later, probability in outcomes(count - 1, role):
                yield ((role, steps), *later), chance * probability


def player_strikes(last: Role, steps: int, point: float) -> bool:
    """Decide whether a player from the joint model acts now, so long after the last event, if we do not."""
    remains = sum(WAITS[last][steps - 1 :])
    own = WAITS[last][steps - 1] * OWN_SHARES[last][steps - 1] / remains
    given = WAITS[last][steps - 1] * (1 - OWN_SHARES[last][steps - 1]) / remains
    return point < given / max(1 - own, 1e-12)


def live_outcome(seed: int, count: int, rng: np.random.Generator) -> Outcome:
    """Play a duet live with such a player, step by step, and return who did what."""
    plan = Plan()
    player = Duet(TwoPlayers(VOCABULARY.size), HEAD, plan, DuetSettings(Manners(seed=seed)))
    player.hear(TimedEvent(0, NoteOn(70, 80)))
    done: list[tuple[Role, int]] = []
    last, since, given = Role.GIVEN, 0, 1
    step = 0
    while len(done) < count:
        step += 1
        work_until(player, step * STEP_NS)
        if any(timed.at_ns == step * STEP_NS for timed in plan.planned):
            role = Role.OWN
        elif player_strikes(last, step - since, rng.random()):
            player.hear(TimedEvent(step * STEP_NS, NoteOn(70 + given, 80)))
            role = Role.GIVEN
            given += 1
        else:
            continue
        done.append((role, step - since))
        last, since = role, step
    return tuple(done)


def test_a_live_duet_is_distributed_as_the_joint_model() -> None:
    rng = np.random.default_rng(11)
    runs = 1000
    counts = Counter(live_outcome(seed, 3, rng) for seed in range(runs))
    expected = dict(outcomes(3))
    assert set(counts) <= set(expected)
    for key in (lambda outcome: outcome[:2], lambda outcome: outcome[2], lambda outcome: [who for who, _ in outcome]):
        seen, hoped = Counter[str](), dict[str, float]()
        for outcome, probability in expected.items():
            seen[str(key(outcome))] += counts[outcome]
            hoped[str(key(outcome))] = hoped.get(str(key(outcome)), 0.0) + runs * probability
        distance = sum((seen[cell] - hoped[cell]) ** 2 / hoped[cell] for cell in hoped)
        freedom = len(hoped) - 1
        assert distance < freedom + 4 * (2 * freedom) ** 0.5, key


@st.composite
def playing_of_chance(draw: st.DrawFn) -> list[TimedEvent]:
    """Return what a player does, chords and quick ornaments included."""
    event = st.one_of(
        st.builds(NoteOn, st.integers(58, 62), st.integers(1, 127)),
        st.builds(NoteOff, st.integers(58, 62)),
        st.builds(Pedal, st.booleans()),
    )
    gap_ns = st.one_of(st.just(0), st.integers(0, 40 * MS), st.integers(0, 600 * MS), st.just(120 * MS))
    at_ns, done = S, []
    for gap, what in draw(st.lists(st.tuples(gap_ns, event), min_size=1, max_size=15)):
        at_ns += gap
        done.append(TimedEvent(at_ns, what))
    return done


@RUNS
@given(playing_of_chance(), st.integers(0, 99), st.sampled_from((0, 30, 400)), st.integers(0, 30 * MS))
def test_the_notes_do_not_depend_on_the_machine(
    done: list[TimedEvent], seed: int, ahead_ms: int, delay_ns: int
) -> None:
    def play(delay_ns: int) -> tuple[tuple[int, ...], list[TimedEvent]]:
        session, plan = ChanceSession(VOCABULARY.size, 8192, seed=seed), Plan()
        how = DuetSettings(Manners(seed=seed, most_keys=6), WhenAlone.CONTINUE)
        player = Duet(session, HEAD, plan, how)
        for timed in done:
            work_until(player, timed.at_ns + delay_ns)
            player.hear(timed)
        end_ns = done[-1].at_ns + S
        work_until(player, end_ns + 1)
        player._stream.rollback(end_ns)
        return session.tokens, [timed for timed in plan.planned if timed.at_ns <= end_ns]

    expected = play(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duet, "AHEAD_NS", ahead_ms * MS)
        assert play(delay_ns) == expected


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
    manners = Manners(
        seed=seed, lowest_pitch=40, highest_pitch=60, loudest=5 if quiet else 90, most_a_second=7, most_keys=3
    )
    how = DuetSettings(manners, when_alone, S)
    run = a_duet(model_of_chance(seed, window=64), how)
    perform(run, done)
    for timed in own_onsets(run):
        assert isinstance(timed.event, NoteOn)
        assert 40 <= timed.event.pitch <= 60
        assert timed.event.velocity <= manners.loudest
    assert most_in_a_second(own_onsets(run)) <= 7
    run.finish()
    assert sounding_at(run.partner.take.sent, run.clock.now_ns()).is_silent()
    assert run.partner.engine.status().fault is None


def test_nothing_of_a_guess_that_was_taken_back_is_heard() -> None:
    script = {len(HEAD) + 2: VOCABULARY.time(50), len(HEAD) + 3: OWN_ON, len(HEAD) + 4: VELOCITY}
    run = a_duet(ScriptedSession(VOCABULARY.size, script=script), DuetSettings(Manners(sampling=GREEDY)))
    run.play(wire([(1.0, NoteOn(50, 80)), (1.3, NoteOn(52, 80))]))
    run.run_until(int(1.3 * S))
    session = ScriptedSession(VOCABULARY.size, script=script)
    undisturbed = a_duet(session, DuetSettings(Manners(sampling=GREEDY)))
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

    run = a_duet(ScriptedSession(VOCABULARY.size, script=follows), DuetSettings(Manners(sampling=GREEDY)))
    run.play(wire([(1.0, NoteOn(50, 80)), (1.2, NoteOn(52, 80))]))
    run.run_until(3 * S)
    offs = [timed.at_ns for timed in run.answered() if timed.event == NoteOff(72)]
    assert offs == [int(2.1 * S)]


@pytest.mark.parametrize("wait", [0, 1])
def test_a_model_that_always_guesses_the_player_never_plays(wait: int) -> None:
    def follows(tokens: tuple[int, ...]) -> int:
        return GIVEN_ON if not wait or VOCABULARY.kinds[tokens[-1]] == Kind.TIME else VOCABULARY.time(wait)

    session = ScriptedSession(VOCABULARY.size, script=follows)
    run = a_duet(session, DuetSettings(Manners(sampling=GREEDY), WhenAlone.CONTINUE))
    run.play(wire(note(1.0, 60)))
    run.run_until(4 * S)
    assert run.partner.take.sent == []
    assert session.feeds < 1000


def test_a_model_for_which_time_stands_still_does_not_stop_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duet, "AHEAD_NS", 50 * MS)

    def follows(tokens: tuple[int, ...]) -> int:
        after = {OWN_ON: VELOCITY, VELOCITY: OWN_OFF}
        return after.get(tokens[-1], OWN_ON)

    how = DuetSettings(Manners(sampling=GREEDY, most_a_second=1000))
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
    run.tell(playing(DuetSettings(Manners(lowest_pitch=100, restraint=-2.0), WhenAlone.CONTINUE)))
    run.run_until(4 * S)
    count = len(own_onsets(run))
    run.tell(ChangePlaying(AnswerSettings(), (*HEAD, VOCABULARY.style("density:3")), Mode.DUET))
    run.run_until(4 * S + 1)
    run.tell(playing(DuetSettings(Manners(lowest_pitch=100, restraint=-2.0), WhenAlone.CONTINUE)))
    run.run_until(7 * S)
    later = own_onsets(run)[count:]
    assert later
    assert all(isinstance(timed.event, NoteOn) and timed.event.pitch >= 100 for timed in later)
    run.finish()
    assert sounding_at(run.partner.take.sent, run.clock.now_ns()).is_silent()


def test_restraint_makes_it_play_less() -> None:
    def keys(restraint: float) -> int:
        run = a_duet(how=DuetSettings(Manners(restraint=restraint), WhenAlone.CONTINUE))
        run.play(phrase(1.0))
        run.run_until(8 * S)
        return len(own_onsets(run))

    assert keys(4.0) < keys(0.0) / 2 < keys(-2.0)
