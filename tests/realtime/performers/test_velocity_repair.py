"""Velocity mode: each key comes back once, at once, in its place, as hard as prior and reading say."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piano.events import NoteOff, NoteOn, Role, TimedEvent
from piano.sampling.velocity_posterior import median_velocity, noise_of_strength, velocity_posterior
from piano.tasks.repair_tasks import NO_READING
from piano.tokens.vocabulary import VELOCITY_BINS, VOCABULARY
from realtime.engine.commands import HandOver, NewPiece, Panic, Retry, StopPlaying
from realtime.midi.message import DRUM_CHANNEL, MessageKind, bytes_of, kind_of
from realtime.output.event_queue import Release
from realtime.performers.performer import Activity
from realtime.performers.play_settings import AnswerSettings, Mode, PlaySettings, VelocitySettings
from realtime.performers.velocity_repair import SAME_READINGS, VelocityRepair
from realtime.settings import Settings
from realtime.threads.clock import ManualClock
from tests.support.partner_with_thru import PartnerWithThru
from tests.support.random_players import RUNS, Act, acts
from tests.support.scripted_play import MS, S, sounding_at, wire
from tests.support.scripted_session import ScriptedSession
from tests.support.session_models import HEAD, ChanceSession, SlowSession, model_of_chance

COMMANDS = (HandOver(), StopPlaying(), NewPiece(), Retry())


class Answers:
    """An output that only takes answers, and notes what the session had been fed by then."""

    def __init__(self, session: ScriptedSession) -> None:
        self._session = session
        self.given: list[tuple[int, int, int]] = []
        self.feeds: list[int] = []

    def release_held_key(self, pitch: int, velocity: int, pressed_ns: int) -> None:
        self.given.append((pitch, velocity, pressed_ns))
        self.feeds.append(self._session.feeds)

    def schedule(self, at_ns: int, event: object, epoch: int = 0) -> None:
        raise AssertionError((at_ns, event, epoch))

    def begin_epoch(self) -> int:
        raise AssertionError

    def invalidate(self, *, release: Release = Release.AT_TIME, after_ns: int | None = None) -> int:
        raise AssertionError((release, after_ns))

    def release_own(self) -> None:
        raise AssertionError


def a_repair(strength: float) -> tuple[VelocityRepair, ScriptedSession, Answers]:
    session = ChanceSession(VOCABULARY.size, 4096)
    answers = Answers(session)
    return VelocityRepair(session, HEAD, answers, VelocitySettings(strength)), session, answers


def strike(repair: VelocityRepair, readings: Sequence[int], start_ns: int = S) -> None:
    for index, reading in enumerate(readings):
        at_ns = start_ns + index * 200 * MS
        repair.on_event(TimedEvent(at_ns, NoteOn(60 + index % 12, reading)))
        repair.on_event(TimedEvent(at_ns + 100 * MS, NoteOff(60 + index % 12)))


def test_the_answer_is_the_median_of_prior_times_likelihood_after_one_pass() -> None:
    repair, session, answers = a_repair(0.5)
    reference = ChanceSession(VOCABULARY.size, 4096)
    feeds = []
    for index, reading in enumerate((20, 64, 110, 64, 127, 1)):
        feeds.append(session.feeds)
        strike(repair, [reading], S + index * S)
    assert answers.feeds == [count + 1 for count in feeds]
    reference.feed((*HEAD, VOCABULARY.on(Role.OWN, 60)))
    logits = reference._logits()[VOCABULARY.first_velocity :][:VELOCITY_BINS]
    velocity = median_velocity(velocity_posterior(logits, 20, noise_of_strength(0.5)))
    assert answers.given[0] == (60, velocity, S)
    assert session.tokens[3] == VOCABULARY.velocity(20), "the reading is remembered, not the answer"


def test_at_strength_0_all_passes_exactly_and_waits_for_no_model() -> None:
    repair, session, answers = a_repair(0.0)
    feeds = session.feeds
    repair.on_event(TimedEvent(S, NoteOn(60, 1)))
    assert answers.feeds == [feeds]
    strike(repair, range(1, 128), 2 * S)
    assert [velocity for _, velocity, _ in answers.given[1:]] == list(range(1, 128))


def test_at_strength_1_the_reading_is_ignored() -> None:
    soft, hard = a_repair(1.0), a_repair(1.0)
    strike(soft[0], range(1, 31))
    strike(hard[0], range(127, 97, -1))
    assert soft[2].given == hard[2].given


def test_a_keyboard_without_velocity_is_recognised() -> None:
    constant, free = a_repair(0.4), a_repair(1.0)
    strike(constant[0], [NO_READING] * SAME_READINGS)
    assert len({velocity for _, velocity, _ in constant[2].given[:-1]}) > 1
    constant[0].start_afresh()  # the keyboard stays the same
    strike(constant[0], [NO_READING] * 20)
    strike(free[0], [1] * 20)
    assert [velocity for _, velocity, _ in constant[2].given[SAME_READINGS:]] == [v for _, v, _ in free[2].given]


def test_other_settings_hold_from_the_next_key_on() -> None:
    repair, session, answers = a_repair(1.0)
    strike(repair, [5])
    before = session.tokens
    head = (*HEAD, VOCABULARY.style("density:3"))
    repair.change(PlaySettings(AnswerSettings(), head, Mode.VELOCITY, velocity=VelocitySettings(0.0)), 2 * S)
    assert session.tokens == (*head, *before[len(HEAD) :])
    strike(repair, [5], 3 * S)
    assert answers.given[1][1] == 5
    status = repair.status()
    assert (status.activity, status.answers) == (Activity.REPAIRING, 2)
    assert repair.due_ns() is None


def note_ons(sent: Sequence[tuple[int, bytes]]) -> list[tuple[int, int]]:
    return [(at_ns, data[1]) for at_ns, data in sent if kind_of(data) is MessageKind.NOTE_ON]


@RUNS
@given(acts(COMMANDS), st.integers(0, 99), st.sampled_from((0, MS, 4 * MS, 15 * MS)))
def test_each_key_comes_back_once_in_its_order_and_in_time(done: list[Act], seed: int, ns_per_feed: int) -> None:
    clock = ManualClock()
    model = model_of_chance(seed, window=64)
    desk = PartnerWithThru(
        Settings(mode="velocity"), SlowSession(model, clock, ns_per_feed) if ns_per_feed else model, clock
    )
    clock.advance_to(S)
    desk.play((act.at_ns + S, act.message) for act in done if act.command is None)
    for act in done:
        if act.command is not None and act.at_ns + S > clock.now_ns():
            desk.run.run_until(act.at_ns + S)
            desk.run.tell(act.command)
    desk.run.run_until(clock.now_ns() + 40 * S)
    sent = desk.run.partner.take.sent
    pressed = [
        (act.at_ns + S, act.message[1]) for act in done if act.message and kind_of(act.message) is MessageKind.NOTE_ON
    ]
    back = note_ons(sent)
    assert sorted(pitch for _, pitch in back) == sorted(pitch for _, pitch in pressed)
    for pitch in {pitch for _, pitch in pressed}:
        delays = [
            out_ns - in_ns
            for (out_ns, _), (in_ns, _) in zip(
                [key for key in back if key[1] == pitch], [key for key in pressed if key[1] == pitch], strict=True
            )
        ]
        assert all(0 <= delay_ns <= 10 * MS for delay_ns in delays)
    sounding_at(sent, clock.now_ns())  # the laws of the wire
    assert desk.run.partner.engine.status().fault is None
    desk.run.finish()
    assert sounding_at(sent, clock.now_ns()).is_silent()


def test_an_engine_in_time_answers_every_key_and_a_late_one_none() -> None:
    def play(ns_per_feed: int) -> tuple[list[int], int, set[int]]:
        clock = ManualClock()
        session = SlowSession(model_of_chance(), clock, ns_per_feed)
        desk = PartnerWithThru(Settings(mode="velocity", strength=1.0), session, clock)
        clock.advance_to(S)
        desk.play(wire([(2 + index / 4, NoteOn(60, 1)) for index in range(8)]))
        desk.run.run_until(6 * S)
        sent = desk.run.partner.take.sent
        delays = [at_ns - 2 * S - index * S // 4 for index, (at_ns, _) in enumerate(note_ons(sent))]
        velocities = {data[2] for _, data in sent if kind_of(data) is MessageKind.NOTE_ON}
        return delays, desk.run.partner.scheduler.status().unanswered, velocities

    delays, unanswered, velocities = play(2 * MS)
    assert max(delays) <= 4 * MS  # a key that was not released is released in a pass of its own
    assert unanswered == 0
    assert 1 not in velocities
    assert play(12 * MS) == ([10 * MS] * 8, 8, {1})


@pytest.mark.parametrize("pitch", [0, 20, 109, 127])
def test_what_is_no_key_of_a_piano_passes_at_once(pitch: int) -> None:
    desk = PartnerWithThru(Settings(mode="velocity"))
    desk.run.run_until(S)
    others = [bytes_of(NoteOn(pitch, 33)), bytes_of(NoteOn(60, 33), DRUM_CHANNEL), b"\xe0\x00\x40", b"\xc0\x05"]
    desk.play((2 * S, data) for data in others)
    desk.run.run_until(2 * S)
    assert [data for _, data in desk.run.partner.take.sent] == others


def test_a_panic_forgets_the_keys_that_wait_and_their_answers() -> None:
    clock = ManualClock()
    desk = PartnerWithThru(Settings(mode="velocity"), SlowSession(model_of_chance(), clock, 4 * MS), clock)
    clock.advance_to(S)
    desk.run.tell(Panic())
    desk.play(wire([(1.0, NoteOn(60, 40)), (1.001, NoteOn(62, 40)), (1.1, NoteOn(60, 41))]))
    desk.run.run_until(2 * S)
    sounding_at(desk.run.partner.take.sent, 2 * S)
    desk.run.tell(Panic())
    desk.run.run_until(2 * S)
    assert sounding_at(desk.run.partner.take.sent, 2 * S).is_silent()
    desk.play(wire([(3.0, NoteOn(65, 40))]))
    desk.run.run_until(4 * S)
    last_ns, last = desk.run.partner.take.sent[-1]
    assert (last_ns, last[:2]) == (3 * S + 4 * MS, b"\x90\x41")


def test_where_nothing_is_answered_a_trigger_key_goes_on_and_costs_nobody_an_answer() -> None:
    desk = PartnerWithThru(Settings(mode="velocity", trigger="key", trigger_key=60, strength=1.0))
    desk.run.run_until(S)
    desk.play(wire([(1.0, NoteOn(60, 40)), (1.2, NoteOff(60))]))
    desk.run.run_until(2 * S)
    assert [data for _, data in desk.run.partner.take.sent] == [bytes_of(NoteOn(60, 40)), bytes_of(NoteOff(60))]
    assert desk.run.partner.scheduler.status().unanswered == 1


def test_logits_that_are_no_numbers_are_refused() -> None:
    session = ScriptedSession(VOCABULARY.size)
    session._logits = lambda: np.full(VOCABULARY.size, np.nan, np.float32)  # type: ignore[method-assign]
    repair = VelocityRepair(session, HEAD, Answers(session), VelocitySettings())
    with pytest.raises(ValueError, match="not numbers"):
        repair.on_event(TimedEvent(S, NoteOn(60, 40)))
