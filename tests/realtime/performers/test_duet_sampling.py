"""The duet's sampling: distributed as the joint model of both players, and the same notes on every machine."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.onnx_session import Logits
from piano.events import Event, NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.sampling.recent_keys import RecentKeysGuard
from piano.tokens.vocabulary import STEP_NS, VOCABULARY, Kind
from realtime.output.event_queue import Release
from realtime.performers import duet
from realtime.performers.duet import Duet
from realtime.performers.play_settings import DuetSettings, PlayLimits, WhenAlone
from tests.support.random_players import RUNS
from tests.support.scripted_play import MS, S
from tests.support.scripted_session import ScriptedSession
from tests.support.session_models import HEAD, ChanceSession

VELOCITY = VOCABULARY.velocity(80)


class Plan:
    """An output that keeps what is planned."""

    def __init__(self) -> None:
        self.planned: list[TimedEvent] = []

    def schedule(self, at_ns: int, event: Event, epoch: int = 0) -> None:  # noqa: ARG002
        self.planned.append(TimedEvent(at_ns, event))

    def begin_epoch(self) -> int:
        return 0

    def invalidate(self, *, release: Release = Release.AT_TIME, after_ns: int | None = None) -> int:  # noqa: ARG002
        self.planned = [timed for timed in self.planned if after_ns is not None and timed.at_ns <= after_ns]
        return 0

    def release_own(self) -> None:
        raise AssertionError

    def release_held_key(self, pitch: int, velocity: int, pressed_ns: int) -> None:
        raise AssertionError((pitch, velocity, pressed_ns))


def work_until(player: Duet, moment_ns: int) -> None:
    """Give it its turns until before a moment."""
    while (due_ns := player.due_ns()) is not None and due_ns < moment_ns:
        player.work(due_ns)


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
    player = Duet(TwoPlayers(VOCABULARY.size), HEAD, plan, DuetSettings(PlayLimits(seed=seed)))
    player.on_event(TimedEvent(0, NoteOn(70, 80)))
    done: list[tuple[Role, int]] = []
    last, since, given = Role.GIVEN, 0, 1
    step = 0
    while len(done) < count:
        step += 1
        work_until(player, step * STEP_NS)
        if any(timed.at_ns == step * STEP_NS for timed in plan.planned):
            role = Role.OWN
        elif player_strikes(last, step - since, rng.random()):
            player.on_event(TimedEvent(step * STEP_NS, NoteOn(70 + given, 80)))
            role = Role.GIVEN
            given += 1
        else:
            continue
        done.append((role, step - since))
        last, since = role, step
    return tuple(done)


def test_a_live_duet_is_distributed_as_the_joint_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecentKeysGuard, "adjust", lambda _, logits, __: logits)  # which no setting takes away
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
        how = DuetSettings(PlayLimits(seed=seed, most_keys=6), WhenAlone.CONTINUE)
        player = Duet(session, HEAD, plan, how)
        for timed in done:
            work_until(player, timed.at_ns + delay_ns)
            player.on_event(timed)
        end_ns = done[-1].at_ns + S
        work_until(player, end_ns + 1)
        player._stream.rollback(end_ns)
        return session.tokens, [timed for timed in plan.planned if timed.at_ns <= end_ns]

    expected = play(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duet, "AHEAD_NS", ahead_ms * MS)
        assert play(delay_ns) == expected
