"""The engine on the manual clock: what holds whatever the player and the model do, and what faults lead to."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loguru import logger

from inference.onnx_session import Logits
from inference.rolling_context import RollingContext
from piano.events import NoteOff, NoteOn, Pedal, TimedEvent
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.commands import HandOver, NewPiece, Panic, Quit, StopPlaying
from realtime.engine.engine import IDLE_NS, Engine
from realtime.engine.listening import EngineSettings
from realtime.engine.messages import PortReport
from realtime.engine.offline_run import OfflineRun
from realtime.engine.trigger import Trigger
from realtime.midi.memory_ports import MemoryOutputPort
from realtime.midi.message import MessageKind, bytes_of, kind_of
from realtime.midi.port_events import ListenersGone, PlayerGone, PortLost, Received, ThreadFailed
from realtime.midi.ports import Direction
from realtime.output.scheduler import Scheduler
from realtime.performers.performer import Activity, PerformerStatus
from realtime.performers.play_settings import AnswerSettings, Length, Mode
from realtime.threads.clock import ManualClock
from realtime.threads.inbox import Inbox
from tests.support.random_players import Act, acts, perform
from tests.support.scripted_play import MS, S, a_run, own_onsets, phrase
from tests.support.scripted_play import sounding_at as heard_at
from tests.support.scripted_session import ScriptedSession
from tests.support.session_models import SlowSession, model_of_chance
from tests.support.told import ToldPorts

RUNS = settings(max_examples=25, deadline=None)
COMMANDS = (HandOver(), StopPlaying(), NewPiece(), Panic())


def run_through(done: Sequence[Act], seed: int, length: Length = Length.ENDLESS, slow_ns: int = 0) -> OfflineRun:
    clock = ManualClock()
    model = model_of_chance(seed, window=64)
    session = SlowSession(model, clock, slow_ns) if slow_ns else model
    run = a_run(session, AnswerSettings(length=length, seed=seed, most_keys=8), clock=clock)
    perform(run, done)
    return run


def hold_the_laws(run: OfflineRun) -> None:
    """Every message in its order of time; every note and pedal ended; nothing after the end."""
    sent = run.partner.take.sent
    moments = [at_ns for at_ns, _ in sent]
    assert moments == sorted(moments)
    assert all(kind_of(data) is not MessageKind.MALFORMED for _, data in sent)
    run.finish()
    assert heard_at(sent, run.clock.now_ns()).is_silent()
    count = len(sent)
    run.run_until(run.clock.now_ns() + 10 * S)
    run.clock.advance_to(run.clock.now_ns() + 10 * S)
    assert len(sent) == count
    assert run.partner.engine.status().fault is None


@RUNS
@given(acts(COMMANDS), st.integers(0, 99), st.sampled_from(Length))
def test_whatever_the_player_does_all_is_released(done: list[Act], seed: int, length: Length) -> None:
    hold_the_laws(run_through(done, seed, length))


@RUNS
@given(acts(COMMANDS, most=15), st.integers(0, 99), st.integers(MS // 10, 40 * MS))
def test_so_it_is_on_a_machine_that_cannot_keep_up(done: list[Act], seed: int, slow_ns: int) -> None:
    hold_the_laws(run_through(done, seed, slow_ns=slow_ns))


@RUNS
@given(acts(), st.integers(0, 99))
def test_nothing_of_ours_sounds_after_the_players_key(done: list[Act], seed: int) -> None:
    run = run_through(done, seed)
    for timed in run.partner.take.heard:
        if isinstance(timed.event, NoteOn):
            assert heard_at(run.partner.take.sent, timed.at_ns).is_silent()


@RUNS
@given(acts(), st.integers(0, 99))
def test_the_next_note_after_a_key_waits_for_a_pause(done: list[Act], seed: int) -> None:
    run = run_through(done, seed)
    keys = [timed.at_ns for timed in run.partner.take.heard if isinstance(timed.event, NoteOn)]
    for onset in own_onsets(run):
        before = [at_ns for at_ns in keys if at_ns <= onset.at_ns]
        assert before
        assert onset.at_ns - before[-1] >= 700 * MS - 5 * MS


@RUNS
@given(st.integers(1, 12), st.floats(0.02, 1.2), st.integers(0, 99))
def test_an_answer_begins_within_40_ms_of_the_pause(notes: int, gap_s: float, seed: int) -> None:
    run = a_run(model_of_chance(seed), AnswerSettings(seed=seed))
    messages = phrase(1.0, notes, gap_s)
    run.play(messages)
    run.run_until(messages[-1][0] + 4 * S)
    [first, *_] = own_onsets(run)
    waited_ns = first.at_ns - messages[-1][0]
    half_step = 5 * MS
    assert 700 * MS - half_step <= waited_ns <= 1500 * MS + 40 * MS + half_step
    run.finish()


@pytest.mark.parametrize("command", [StopPlaying(), NewPiece(), Panic(), Quit()])
def test_commands_release_all_at_once(command: StopPlaying | NewPiece | Panic | Quit) -> None:
    run = a_run()
    run.play(phrase())
    run.run_until(7 * S)
    assert run.is_playing
    run.tell(command)
    run.run_until(7 * S)
    assert heard_at(run.partner.take.sent, 7 * S).is_silent()
    count = len(run.partner.take.sent)
    run.run_until(20 * S)
    assert len(run.partner.take.sent) == count
    assert not run.is_playing


def test_a_hand_over_needs_no_pause() -> None:
    run = a_run(answers=AnswerSettings(pause=None))
    run.play(phrase())
    run.run_until(30 * S)
    assert own_onsets(run) == []
    run.hand_over()
    run.run_until(32 * S)
    assert 0 <= own_onsets(run)[0].at_ns - 30 * S <= 45 * MS


def test_a_trigger_asks_and_is_not_music() -> None:
    run = a_run(answers=AnswerSettings(pause=None), engine=EngineSettings(trigger=Trigger(key=21)))
    run.play([*phrase(), (3 * S, bytes_of(NoteOn(21, 90))), (3 * S + 100 * MS, bytes_of(NoteOff(21)))])
    run.run_until(5 * S)
    assert own_onsets(run)[0].at_ns >= 3 * S - 5 * MS
    assert all(timed.event != NoteOn(21, 90) for timed in run.partner.take.heard)
    assert run.partner.engine.status().heard == len(phrase())


def test_only_the_channel_that_is_set_is_heard() -> None:
    run = a_run(engine=EngineSettings(channel=2))
    run.play([(S, bytes_of(NoteOn(60, 70), channel)) for channel in (0, 2, 9)] + [(S, b"\xf0\x7e\xf7")])
    run.run_until(2 * S)
    assert run.partner.take.heard == [TimedEvent(S, NoteOn(60, 70))]


def test_a_pedal_that_sends_its_position_all_the_time_is_heard_where_it_changes() -> None:
    run = a_run()
    run.play([(S + index * MS, bytes((0xB0, 64, value))) for index, value in enumerate((10, 70, 90, 127, 64, 63, 0))])
    run.run_until(2 * S)
    assert [timed.event for timed in run.partner.take.heard] == [Pedal(down=True), Pedal(down=False)]


class Stub:
    """A performer that only notes what it is told, and can fail."""

    mode = Mode.ANSWER

    def __init__(self) -> None:
        self.told: list[object] = []
        self.fault: Exception | None = None

    def on_event(self, timed: TimedEvent) -> None:
        if self.fault is not None:
            raise self.fault
        self.told.append(timed)

    def hand_over(self, at_ns: int) -> None:
        self.told.append(("hand over", at_ns))

    def stop(self, at_ns: int) -> None:
        self.told.append(("stop", at_ns))

    def start_afresh(self) -> None:
        self.told.append("afresh")

    def due_ns(self) -> int | None:
        return None

    def work(self, now_ns: int) -> None:
        raise AssertionError(now_ns)

    def status(self) -> PerformerStatus:
        return PerformerStatus(Activity.LISTENING, 0, 0, 0)


def engine_over(
    stub: Stub, reports: ToldPorts, advance: Callable[[], bool] | None = None
) -> tuple[Engine, Inbox[object], MemoryOutputPort]:
    clock = ManualClock()
    inbox: Inbox[object] = Inbox(clock)
    port = MemoryOutputPort(clock)
    scheduler = Scheduler(clock, port)
    engine = Engine(clock, inbox, stub, scheduler, listener=reports, advance=advance)  # type: ignore[arg-type]
    return engine, inbox, port


def test_idle_moments_are_used_to_work_ahead_and_a_key_goes_first() -> None:
    stub, left = Stub(), 3

    def advance() -> bool:
        nonlocal left
        stub.told.append("ahead")
        if left == 2:
            inbox.put(Received(0, bytes_of(NoteOn(60, 60))))
        left -= 1
        return left >= 0

    engine, inbox, _ = engine_over(stub, ToldPorts(), advance)
    inbox.put(HandOver())
    engine.run_until(S)
    key = TimedEvent(0, NoteOn(60, 60))
    assert stub.told == [("hand over", 0), "ahead", "ahead", key, "ahead", "ahead"]


def test_there_is_no_work_ahead_right_before_something_is_due() -> None:
    stub = Stub()
    engine, _, _ = engine_over(stub, ToldPorts(), advance=lambda: pytest.fail("something was due"))
    engine.run_until(IDLE_NS - 1)
    assert stub.told == []


def test_the_next_window_is_prepared_between_the_keys() -> None:
    fed: list[int] = []

    class Watched(ScriptedSession):
        def feed(self, tokens: Sequence[int]) -> Logits:
            fed.append(len(tokens))
            return super().feed(tokens)

    session = RollingContext(*(Watched(VOCABULARY.size, 256, seed=1) for _ in range(2)))
    run = a_run(session, AnswerSettings(pause=None))
    delayed = 0
    for number in range(400):
        at_ns = (number + 1) * 50 * MS
        run.run_until(at_ns)
        fed.clear()
        event = NoteOff(60) if number % 2 else NoteOn(60, 70)
        run.partner.receive(Received(at_ns, bytes_of(event)))
        run.partner.engine.turn(at_ns)
        delayed += sum(fed) > 4  # more than the event itself
    assert session.exchanges > 3
    assert delayed <= session.exchanges  # and right before an exchange, what makes no whole chunk


def test_a_lost_port_stops_the_music_and_is_passed_on() -> None:
    stub, reports = Stub(), ToldPorts()
    engine, inbox, _ = engine_over(stub, reports)
    lost = PortLost(Direction.INPUT, "keys", "unplugged")
    inbox.put(lost)
    engine.run_until(S)
    assert (stub.told, reports.reports) == ([("stop", 0)], [lost])


@pytest.mark.parametrize(
    "gone",
    [
        PortLost(Direction.INPUT, "keys", "unplugged"),
        PlayerGone("keys", "it is no longer connected"),
        ListenersGone(("synth",)),
    ],
    ids=lambda gone: type(gone).__name__,
)
def test_an_endless_answer_ends_where_the_player_or_every_listener_is_gone(gone: PortReport) -> None:
    run = a_run(model_of_chance(3), AnswerSettings(length=Length.ENDLESS, seed=3))
    perform(run, [Act(at_ns, message) for at_ns, message in phrase(0.0, 4)], tail_ns=20 * S)
    now_ns, sent = run.clock.now_ns(), run.partner.take.sent
    assert any(at_ns > now_ns - S for at_ns, _ in sent), "it goes on and on"
    run.partner.receive(gone)
    run.run_until(now_ns + S // 2)
    count = len(sent)
    run.run_until(now_ns + 30 * S)
    assert heard_at(sent, run.clock.now_ns()).is_silent()
    assert not [data for _, data in sent[count:] if kind_of(data) is MessageKind.NOTE_ON]


def test_keys_on_the_drum_channel_are_hinted_at_once() -> None:
    said: list[str] = []
    sink = logger.add(said.append, level="WARNING", format="{message}")
    run = a_run()
    keys = [Act(number * S, bytes((0x99, 60 + number, 64))) for number in range(3)]
    perform(run, keys)
    logger.remove(sink)
    [hint] = said
    assert "MIDI channel 10" in hint
    assert "set it to another channel" in hint
    assert run.partner.engine.status().heard == 0


def test_a_thread_that_failed_ends_the_engine_with_its_fault() -> None:
    stub = Stub()
    engine, inbox, _ = engine_over(stub, ToldPorts())
    inbox.put(ThreadFailed("midi input", "it fell over"))
    engine.run_until(S)
    assert engine.wait(0)
    assert engine.status().fault == "the midi input thread ended: it fell over"


def test_a_performer_that_fails_ends_the_thread_in_silence() -> None:
    stub = Stub()
    engine, inbox, port = engine_over(stub, ToldPorts())
    stub.fault = ArithmeticError("no numbers")
    inbox.put(Received(0, bytes_of(NoteOn(60, 60))))
    engine.start()
    assert engine.wait(5.0)
    assert engine.status().fault == "ArithmeticError: no numbers"
    assert [sent.data.hex() for sent in port.sent] == ["b04000", "b04200", "b07b00", "b07800"]
    with pytest.raises(ValueError, match="starts once"):
        engine.start()
