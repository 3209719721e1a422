"""The stream: whatever is proposed and taken back, it says what was played, as the encoder of files would."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inference.onnx_session import Logits
from piano.events import Event, NoteOff, NoteOn, Pedal, Role, TimedEvent
from piano.sampling.memory import Memory
from piano.sampling.sampler import Sampler, SamplingSettings
from piano.solve.bounds import Bounds
from piano.solve.limits import MOST_STEP_TOKENS
from piano.solve.live_stream import LiveStream
from piano.tokens.grammar import tokens_of_role
from piano.tokens.vocabulary import STEP_NS, VOCABULARY, Kind
from tests.support.round_and_round import round_and_round
from tests.support.scripted_play import MS, S
from tests.support.scripted_session import ScriptedSession
from tests.support.session_models import HEAD, scripted
from tests.support.streams import DENSE_MS, EVENTS, FLAT, OFF, ON, ROLES, VELOCITY, a_stream, what_is_recalled

OWN = tokens_of_role(Role.OWN)
ENDLESS = OWN & (np.arange(VOCABULARY.size) != VOCABULARY.end)
GREEDY = SamplingSettings(temperature=0.0)
RECALLS = SamplingSettings(recall=1.0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900), EVENTS, st.integers(0, 3)), min_size=1, max_size=20), st.integers(0, 9))
@example([(0, NoteOn(59, 1), 0), *[(gap_ms, NoteOff(58), 0) for gap_ms in (900,) * 4], (1395, NoteOn(58, 1), 1)], 0)
def test_proposals_that_are_taken_back_leave_no_trace(played: list[tuple[int, Event, int]], seed: int) -> None:
    plain, heard_alone = a_stream(seed)
    probed, heard_between = a_stream(seed)
    sampler, at_ns = Sampler(3, RECALLS), S
    for gap_ms, event, proposals in played:
        at_ns += gap_ms * MS
        probed.rollback(at_ns)
        for stream in (plain, probed):
            stream.hear(TimedEvent(at_ns, event))
        for _ in range(proposals):
            probed.propose(sampler, Bounds(at_ns + MS, ENDLESS))
        probed.rollback(at_ns)
        if proposals and not plain.is_empty:
            assert probed.sounding() == plain.sounding()
    probed.rollback(at_ns)
    assert heard_between.tokens == heard_alone.tokens
    assert probed.pedal_is_down() == plain.pedal_is_down()
    assert (probed.length, probed.end_ns, probed.is_empty) == (plain.length, plain.end_ns, plain.is_empty)
    assert probed._guards._figures._times == plain._guards._figures._times
    assert what_is_recalled(probed) == what_is_recalled(plain)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(0, 99))
def test_proposals_that_stand_are_a_valid_stream_in_order_of_time(count: int, seed: int) -> None:
    stream, session = a_stream(seed)
    sampler, events = Sampler(seed), list[TimedEvent]()
    earliest_ns = S
    for _ in range(count):
        proposed = stream.propose(sampler, Bounds(earliest_ns, ENDLESS))
        assert proposed is not None
        assert proposed.at_ns >= earliest_ns
        events.append(proposed)
        earliest_ns = proposed.at_ns
    assert stream.end_ns == events[-1].at_ns
    held: set[int] = set()
    for timed in events:
        if isinstance(timed.event, NoteOn):
            assert timed.event.pitch not in held
            held.add(timed.event.pitch)
        elif isinstance(timed.event, NoteOff):
            held.remove(timed.event.pitch)
    assert stream.sounding() == held
    assert session.tokens[: len(HEAD)] == HEAD


BOTH = np.arange(VOCABULARY.size) != VOCABULARY.end


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(DENSE_MS, EVENTS, ROLES, st.integers(0, 3), st.integers(-30, 30)), min_size=1, max_size=15),
    st.integers(0, 99),
)
def test_in_any_order_the_stream_is_what_became_of_it(
    played: list[tuple[int, Event, Role, int, int]], seed: int
) -> None:
    stream, session = a_stream(seed)
    sampler, at_ns = Sampler(seed, RECALLS), S
    became = [TimedEvent(S, NoteOn(21, 64), Role.GIVEN)]  # the origin of time: no wait before it is told
    stream.hear(became[0])
    for gap_ms, event, role, proposals, later_ms in played:
        at_ns += gap_ms * MS
        stream.rollback(at_ns)
        became = [timed for timed in became if timed.at_ns <= at_ns]
        became.append(TimedEvent(at_ns, event, role))
        stream.hear(became[-1])
        earliest_ns = at_ns
        for _ in range(proposals):
            before = session.tokens
            proposed = stream.propose(sampler, Bounds(earliest_ns, BOTH))
            assert proposed is not None
            assert proposed.at_ns >= earliest_ns
            if proposed.role is Role.GIVEN:
                assert session.tokens == before
            else:
                became.append(proposed)
            earliest_ns = proposed.at_ns
        cut_ns = at_ns + later_ms * MS if later_ms > 0 else earliest_ns
        stream.rollback(cut_ns)
        became = [timed for timed in became if timed.at_ns <= cut_ns]
    fresh, heard = a_stream(seed)
    for timed in became:
        fresh.hear(timed)
    assert sorted(session.tokens) == sorted(heard.tokens)
    assert stream.length == fresh.length
    assert stream._body[: stream.length - len(HEAD)].tolist() == list(session.tokens[len(HEAD) :])
    assert stream._memory.tokens.tolist() == list(session.tokens)
    remembered = Memory()
    remembered.extend(session.tokens)
    assert what_is_recalled(stream) == remembered.adjust(FLAT, 1.0).tolist()
    for role in Role:
        assert stream.sounding(role) == fresh.sounding(role)
        assert stream.pedal_is_down(role) == fresh.pedal_is_down(role)


def test_a_guess_at_the_other_player_leaves_no_trace() -> None:
    given_on, given_off = VOCABULARY.on(Role.GIVEN, 60), VOCABULARY.off(Role.GIVEN, 60)
    pedal = VOCABULARY.pedal(Role.GIVEN, down=True)
    for token, event in ((given_on, NoteOn(64, 64)), (given_off, NoteOff(60)), (pedal, Pedal(down=True))):
        wants = token if token != given_on else VOCABULARY.on(Role.GIVEN, 64)
        session = scripted([given_on, VELOCITY, VOCABULARY.time(100), VOCABULARY.time(30), wants])
        stream = LiveStream(session, HEAD)
        stream.hear(TimedEvent(S, NoteOn(60, 80), Role.GIVEN))
        before = session.tokens
        guess = stream.propose(Sampler(0, GREEDY), Bounds(S, BOTH))
        assert guess == TimedEvent(S + 1300 * MS, event, Role.GIVEN)
        assert (session.tokens, stream.end_ns, stream.length) == (before, S, len(before))
        assert stream.propose(Sampler(0, GREEDY), Bounds(S, BOTH)) == guess


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.integers(0, 99))
def test_a_wait_is_full_seconds_and_then_the_rest(wait_steps: int, seed: int) -> None:
    stream, session = a_stream(seed)
    stream.hear(TimedEvent(S, NoteOn(60, 80)))
    heard = len(session.tokens)
    proposed = stream.propose(Sampler(seed), Bounds(S + wait_steps * STEP_NS, ENDLESS))
    assert proposed is not None
    steps = (proposed.at_ns - S) // STEP_NS
    assert steps >= wait_steps
    waits = [token for token in session.tokens[heard:] if VOCABULARY.kinds[token] == Kind.TIME]
    assert tuple(waits) == VOCABULARY.wait(steps)
    assert stream.next_moment_ns(proposed.at_ns - 1) == proposed.at_ns


def test_a_wait_that_is_over_is_sampled_on_from_there_as_the_model_has_it() -> None:
    """Nothing came for so long: what remains is the model's own distribution of longer waits."""
    chances = {1: 0.4, 2: 0.1, 3: 0.3, 4: 0.2}

    class Waits(ScriptedSession):
        def _logits(self) -> Logits:
            logits = np.full(VOCABULARY.size, -60, np.float32)
            if VOCABULARY.kinds[self._tokens[-1]] == Kind.TIME:
                logits[OFF] = 0
            for steps, chance in chances.items():
                logits[VOCABULARY.time(steps)] = np.log(chance)
            return logits

    counts = dict.fromkeys((3, 4), 0)
    for seed in range(400):
        stream = LiveStream(Waits(VOCABULARY.size), HEAD)
        stream.hear(TimedEvent(S, NoteOn(60, 80)))
        proposed = stream.propose(Sampler(seed), Bounds(S + 3 * STEP_NS, BOTH))
        assert proposed is not None
        counts[(proposed.at_ns - S) // STEP_NS] += 1
    assert abs(counts[3] - 240) < 4 * (400 * 0.6 * 0.4) ** 0.5


def test_time_passes_when_one_step_is_full() -> None:
    session = ScriptedSession(VOCABULARY.size, script=lambda tokens: {ON: VELOCITY, VELOCITY: OFF}.get(tokens[-1], ON))
    stream = LiveStream(session, HEAD)
    moments = []
    for _ in range(200):
        proposed = stream.propose(Sampler(0, GREEDY), Bounds(S, BOTH))
        assert proposed is not None
        moments.append(proposed.at_ns)
    assert moments == sorted(moments)
    assert len(set(moments)) >= 200 * 3 / 2 // MOST_STEP_TOKENS


def test_a_silence_that_was_shortened_for_a_proposal_is_whole_again_after_it() -> None:
    stream, session = a_stream()
    stream.hear(TimedEvent(S, NoteOn(60, 80)))
    stream.propose(Sampler(0), Bounds(30 * S, ENDLESS))
    stream.rollback(4 * S)
    stream.hear(TimedEvent(4 * S, NoteOff(60)))
    assert session.tokens[4:] == (*VOCABULARY.wait(300), OFF)


def test_nothing_is_proposed_before_its_time_nor_after_the_latest() -> None:
    for seed in range(30):
        stream, _ = a_stream(seed)
        stream.hear(TimedEvent(S, NoteOn(60, 80)))
        earliest_ns = 3 * S + seed * MS
        bounds = Bounds(earliest_ns, ENDLESS, latest_ns=earliest_ns + 40 * MS, must_play=True)
        proposed = stream.propose(Sampler(seed), bounds)
        assert proposed is not None
        assert isinstance(proposed.event, NoteOn)
        assert earliest_ns <= proposed.at_ns <= earliest_ns + 45 * MS


def test_the_model_may_end_the_piece_where_that_is_allowed() -> None:
    session = scripted([VOCABULARY.end])
    stream = LiveStream(session, HEAD)
    assert stream.propose(Sampler(0, GREEDY), Bounds(S, OWN)) is None
    assert session.tokens == HEAD
    assert stream.is_empty


def test_bounds_that_leave_nothing_to_do_end_the_piece() -> None:
    session = ScriptedSession(VOCABULARY.size)
    stream = LiveStream(session, HEAD)
    assert stream.propose(Sampler(0), Bounds(S, np.zeros(VOCABULARY.size, np.bool_), latest_ns=S)) is None
    assert session.tokens == HEAD


def test_only_so_many_keys_are_held() -> None:
    stream, _ = a_stream()
    sampler = Sampler(1)
    for _ in range(60):
        stream.propose(sampler, Bounds(S, ENDLESS, most_keys=2))
        assert len(stream.sounding()) <= 2


def test_what_is_settled_is_not_taken_back() -> None:
    stream, _ = a_stream()
    sampler = Sampler(1)
    first = stream.propose(sampler, Bounds(S, ENDLESS))
    second = stream.propose(sampler, Bounds(3 * S, ENDLESS))
    assert first is not None
    assert second is not None
    length = stream.length
    stream.settle(second.at_ns)
    stream.rollback(0)
    assert stream.length == length


@pytest.mark.parametrize(("nats", "leaves"), [(0.0, False), (10.0, True)])
def test_a_figure_without_an_end_is_left_under_the_guard(nats: float, *, leaves: bool) -> None:
    stream = LiveStream(ScriptedSession(VOCABULARY.size, 4096, script=round_and_round), HEAD)
    sampler, pitches = Sampler(1, SamplingSettings(repetition_guard=nats)), list[int]()
    while len(pitches) < 150:
        proposed = stream.propose(sampler, Bounds(S, ENDLESS))
        assert proposed is not None
        if isinstance(proposed.event, NoteOn):
            pitches.append(proposed.event.pitch)
    assert pitches[:24] == [60 + 2 * (number % 6) for number in range(24)]
    assert (pitches != [60 + 2 * (number % 6) for number in range(150)]) == leaves
