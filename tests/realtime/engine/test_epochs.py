"""Epochs: the output issues them, so that whoever comes after a performer of many is heard."""

from piano.events import NoteOn
from realtime.midi.memory_ports import MemoryOutputPort
from realtime.output.event_queue import Release
from realtime.output.scheduler import Scheduler
from realtime.performers.play_settings import Mode
from realtime.settings import Settings
from realtime.threads.clock import ManualClock
from tests.support.partner_with_thru import PartnerWithThru
from tests.support.scripted_play import S, own_onsets, phrase


def test_what_is_planned_in_an_epoch_that_is_over_is_stale() -> None:
    clock = ManualClock()
    port = MemoryOutputPort(clock, "memory")
    scheduler = Scheduler(clock, port)
    clock.attach(scheduler)
    first = scheduler.begin_epoch()
    scheduler.schedule(S, NoteOn(60, 70), first)
    second = scheduler.invalidate(release=Release.AT_ONCE)
    scheduler.schedule(S, NoteOn(62, 70), first)
    scheduler.schedule(2 * S, NoteOn(64, 70), second)
    third = scheduler.begin_epoch()
    scheduler.schedule(2 * S, NoteOn(65, 70), third)
    clock.advance_to(3 * S)
    assert [sent.data[1] for sent in port.sent] == [64, 65]


def test_an_answer_is_heard_after_a_duet() -> None:
    desk = PartnerWithThru(Settings(mode="duet"))
    desk.play(phrase(1.0))
    desk.run.run_until(10 * S)
    count = len(own_onsets(desk.run))
    assert count
    desk.exchange(Mode.ANSWER)
    desk.play(phrase(11.0))
    desk.run.run_until(16 * S)
    assert len(own_onsets(desk.run)) > count
