"""Faults, one at a time: what the player hears when the model, a port or the clock fails under the hands."""

from collections.abc import Sequence

import numpy as np
import pytest

from inference.onnx_session import Logits
from piano.errors import PortError
from piano.events import NoteOff, NoteOn
from piano.tokens.vocabulary import VOCABULARY
from realtime.engine.commands import HandOver
from realtime.engine.fault_backoff import rest_ns
from realtime.engine.partner import MOST_WAITING
from realtime.midi.input_thread import LATE_NS, MidiInput
from realtime.midi.memory_ports import MemoryInputPort, MemoryOutputPort
from realtime.midi.message import bytes_of
from realtime.midi.port_events import PortLost, Received, Stalled
from realtime.output.event_queue import EventQueue
from realtime.output.replay import Replay, ReplayClip
from realtime.output.scheduler import MOST_WAITING as MOST_PASSED_ON
from realtime.output.scheduler import Scheduler
from realtime.performers.play_settings import Mode
from realtime.settings import Settings
from realtime.threads.clock import ManualClock, MonotonicClock
from realtime.threads.inbox import Inbox
from tests.support.listener import Listener
from tests.support.partner_with_thru import PartnerWithThru
from tests.support.scripted_play import MS, S, phrase
from tests.support.session_models import ChanceSession, SlowSession

LEGS = ((0, 0x90), (200 * MS, 0x80))
"""A key goes down and comes up."""
KEY, LIFT = bytes_of(NoteOn(60, 70)), bytes_of(NoteOff(60))


class BrokenSession(ChanceSession):
    """A session that fails from a call on: it raises, or says what is no number."""

    def __init__(self, way: str, after: int) -> None:
        super().__init__(VOCABULARY.size, 4096)
        self._way, self.left = way, after

    def feed(self, tokens: Sequence[int]) -> Logits:
        self.left -= 1
        if self.left >= 0:
            return super().feed(tokens)
        if self._way == "raise":
            raise ArithmeticError("the model broke")
        return np.full(VOCABULARY.size, np.nan, np.float32)


def survive(desk: PartnerWithThru, limit_ns: int) -> None:
    """Run the engine as its thread does."""
    while desk.run.partner.engine.survive(limit_ns):
        pass


def heard(desk: PartnerWithThru) -> Listener:
    """Return what a listener makes of all that went out."""
    listener = Listener()
    for sent in desk.port.sent:
        listener.hear(sent.data)
    return listener


@pytest.mark.parametrize("mode", [Mode.ANSWER, Mode.DUET, Mode.VELOCITY])
@pytest.mark.parametrize("way", ["raise", "nan"])
def test_a_model_that_fails_leaves_the_player_playing(mode: Mode, way: str) -> None:
    session = BrokenSession(way, after=30)
    desk = PartnerWithThru(Settings(mode=str(mode), thru=True, panel=False), session)
    engine = desk.run.partner.engine
    desk.play(phrase(notes=20, gap_s=0.1))
    survive(desk, 9 * S)
    if session.left >= 0:
        desk.run.tell(HandOver())
        survive(desk, 12 * S)
    assert session.left < 0, "it failed"
    listener = heard(desk)
    played = [data[1] for _, data in phrase(notes=20, gap_s=0.1) if data[0] == 0x90]
    struck = [pitch for _, pitch, _ in listener.struck]
    assert all(struck.count(pitch) >= played.count(pitch) for pitch in played), "each key of the player's was heard"
    assert listener.is_silent()
    assert engine._faults > 0, "it was noticed"
    assert not engine.wait(0), "and so it goes on"


def test_a_model_that_works_again_plays_again_after_a_rest() -> None:
    session = BrokenSession("raise", after=1000)
    desk = PartnerWithThru(Settings(panel=False), session)
    engine = desk.run.partner.engine
    session.left = 0
    desk.deliver(KEY)
    survive(desk, 10 * MS)
    assert "the model broke" in str(engine.status().fault)
    session.left = 100_000
    survive(desk, rest_ns(1) + 20 * MS)
    assert engine.status().fault is None
    desk.deliver(KEY)
    desk.deliver(LIFT)
    desk.run.tell(HandOver())
    survive(desk, 8 * S)
    assert heard(desk).struck


def test_rests_grow_and_have_an_end() -> None:
    rests_s = [rest_ns(faults) // S for faults in range(1, 10)]
    assert rests_s == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_model_that_is_slow_keeps_nobody_waiting() -> None:
    clock = ManualClock()
    desk = PartnerWithThru(
        Settings(mode="velocity", strength=1.0, panel=False),
        SlowSession(ChanceSession(VOCABULARY.size, 4096), clock, 300 * MS),
        clock,
    )
    desk.play([(1 * S, KEY), (1 * S + 50 * MS, LIFT)])
    survive(desk, 4 * S)
    sent = [(sent.at_ns, sent.data) for sent in desk.port.sent]
    assert sent[0][1] == KEY, "as it came"
    assert sent[0][0] - 1 * S <= 10 * MS
    assert heard(desk).is_silent()


def test_a_port_that_refuses_is_reported_and_the_next_one_is_silenced_first() -> None:
    class Refusing(MemoryOutputPort):
        def send(self, data: bytes) -> None:
            if len(self.sent) == 1:
                raise PortError("it refuses")
            super().send(data)

    clock, reports, listener = ManualClock(), list[object](), Listener()
    scheduler = Scheduler(clock, Refusing(clock, deliver=listener.hear), report=reports.append)
    scheduler.send_now(NoteOn(60, 70))
    scheduler.send_now(NoteOff(60))
    assert [type(report) for report in reports] == [PortLost]
    assert not listener.is_silent()
    scheduler.set_port(MemoryOutputPort(clock, deliver=listener.hear))
    assert listener.is_silent()


def test_after_a_standstill_no_burst_of_old_notes_goes_out() -> None:
    desk = PartnerWithThru(Settings(mode="duet", panel=False, restraint=-2.0))
    desk.play(phrase(notes=7))
    survive(desk, 3 * S)
    before = len(heard(desk).struck)
    desk.run.clock._now_ns += 5 * S
    desk.run.partner.receive(Stalled(5 * S))
    survive(desk, 9 * S)
    assert before > 5
    assert len(heard(desk).struck) == before
    assert heard(desk).is_silent()


HOURS_NS = 8 * 3600 * S


@pytest.mark.parametrize("is_counted", [True, False], ids=["the clock counted it", "the clock stood still"])
@pytest.mark.parametrize("mode", list(Mode))
def test_the_machine_sleeps_for_hours_in_the_midst_of_it_and_wakes(mode: Mode, is_counted: bool) -> None:
    desk = PartnerWithThru(Settings(mode=str(mode), thru=True, panel=False, restraint=-2.0))
    desk.play(phrase(notes=7))
    survive(desk, 3 * S)
    desk.deliver(KEY)  # held down when it falls asleep
    survive(desk, 4 * S)
    before, run = len(heard(desk).struck), desk.run
    run.clock._now_ns += HOURS_NS if is_counted else 0
    woke_ns = run.clock.now_ns()
    run.clock.advance_to(woke_ns)  # the output wakes first, then the engine, and only then does the watchdog look
    for _ in range(100):
        run.partner.engine.survive(woke_ns)
    run.partner.receive(Stalled(HOURS_NS))
    survive(desk, woke_ns + 300 * MS)
    assert heard(desk).is_silent()
    assert len(heard(desk).struck) - before < 20, "no burst"
    survive(desk, woke_ns + 5 * S)
    assert heard(desk).is_silent()
    desk.deliver(LIFT)
    struck = len(heard(desk).struck)
    desk.play(phrase(start_s=(run.clock.now_ns() + S) / S, notes=7))
    survive(desk, run.clock.now_ns() + 6 * S)
    assert len(heard(desk).struck) >= struck + 7, "and it is played on as before"
    assert not run.partner.engine.wait(0)
    run.finish()
    assert heard(desk).is_silent()


def test_a_replay_that_slept_for_hours_plays_no_burst() -> None:
    clock, listener = ManualClock(), Listener()
    port = MemoryOutputPort(clock, deliver=listener.hear)
    replay = Replay(Scheduler(clock, port))
    clock.attach(replay)
    music = [(at * S // 4 + offset, bytes((status, 60 + at % 12, 64))) for at in range(400) for offset, status in LEGS]
    replay.play(ReplayClip("a piece", music, 0))
    clock.advance_to(10 * S)
    clock._now_ns += HOURS_NS
    before = len(listener.struck)
    clock.advance_to(HOURS_NS + 20 * S)
    assert len(listener.struck) == before
    assert listener.is_silent()
    assert replay.clip is None


def test_keys_that_waited_through_a_standstill_are_heard_but_not_passed_on() -> None:
    clock, port, passed, inbox = ManualClock(10 * S), MemoryInputPort(), list[bytes](), Inbox[object](ManualClock())
    ear = MidiInput(port, clock, inbox.put, thru=passed.append)
    port.arrived_ns = 10 * S - LATE_NS - 1
    for data in (KEY, LIFT):
        port.feed(data)
    ear.take_all()
    assert passed == [LIFT]
    assert [inbox.get(0), inbox.get(0)] == [Received(port.arrived_ns, KEY), Received(port.arrived_ns, LIFT)]
    assert ear.status().late == 1
    port.arrived_ns = 10 * S - LATE_NS
    port.feed(KEY)
    ear.take_all()
    assert passed == [LIFT, KEY]


def test_black_midi_reaches_the_sound_and_not_all_of_it_the_model() -> None:
    desk = PartnerWithThru(Settings(thru=True, panel=False))
    partner, passed = desk.run.partner, 0
    for index in range(5_000):
        data = bytes((0x90 | index % 16, index % 128, 1 + index % 127))
        assert desk._thru is not None
        desk._thru(data)
        partner.receive(Received(index * S // 5_000, data))
        passed += 1
    assert len(partner.inbox) == MOST_WAITING
    assert partner.way_in.refused == passed - MOST_WAITING
    assert sum(sent.data[0] & 0xF0 == 0x90 for sent in desk.port.sent) == passed
    desk.run.finish()
    assert heard(desk).is_silent()


def test_an_output_that_cannot_keep_up_has_a_queue_with_an_end() -> None:
    clock = MonotonicClock()
    port = MemoryOutputPort(clock)
    scheduler = Scheduler(clock, port)
    scheduler._thread = object()  # type: ignore[assignment]  # a thread that never gets to run
    for _ in range(MOST_PASSED_ON):
        scheduler.through(KEY)
    for _ in range(10):
        scheduler.through(KEY)
        scheduler.through(LIFT)
    assert len(scheduler._commands) == MOST_PASSED_ON + 1, "one release"
    assert scheduler.status().refused == 19


def test_a_panic_button_on_the_keyboard_silences_the_model_too() -> None:
    desk = PartnerWithThru(Settings(mode="duet", panel=False, restraint=-2.0))
    desk.play(phrase(notes=10))
    survive(desk, 3 * S)
    desk.deliver(bytes.fromhex("b0 78 00"))
    survive(desk, 3 * S + MS)
    assert heard(desk).is_silent()
    assert not desk.run.is_playing


def test_what_is_planned_is_forgotten_and_the_players_keys_sound_on() -> None:
    queue = EventQueue()
    queue.through(KEY)
    queue.send_now(NoteOn(64, 70), 0)
    queue.schedule(50, NoteOn(67, 70), 0)
    assert queue.forget_own() == [bytes_of(NoteOff(64))]
    assert queue.sounding.thru == ((0, 60),)
    assert queue.pending == 0
