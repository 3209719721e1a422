"""Rings: a reader that keeps up misses nothing, one that does not is told; what is planned is kept and passed on."""

from hypothesis import given
from hypothesis import strategies as st

from piano.events import NoteOff, NoteOn, TimedEvent
from realtime.engine.event_rings import EventRings, Planned, Ring, TakenBack, WatchedOutput
from realtime.midi.message import bytes_of, control_bytes
from realtime.output.event_queue import Release
from realtime.output.scheduler import Scheduler
from realtime.threads.clock import ManualClock


@given(st.integers(1, 8), st.lists(st.integers(0, 12), max_size=20), st.integers(1, 5))
def test_a_reader_gets_all_that_is_still_there_in_order(size: int, bursts: list[int], most: int) -> None:
    ring: Ring[int] = Ring(size)
    written = place = 0
    for burst in bursts:
        for _ in range(burst):
            ring.put(written)
            written += 1
        before = place
        items, place, missed = ring.since(place, most)
        first = max(before, written - size)
        assert items == list(range(first, min(written, first + most)))
        assert place == first + len(items)
        assert missed == (first > before)
        assert ring.end == written


def test_what_is_planned_and_taken_back_is_written_down_and_passed_on() -> None:
    history = EventRings(16)
    clock = ManualClock()
    scheduler = Scheduler(clock, None)
    output = WatchedOutput(scheduler, history)
    first = output.begin_epoch()
    output.schedule(5, NoteOn(60, 64), first)
    output.schedule(9, NoteOff(60), first)
    assert output.invalidate(release=Release.AT_TIME, after_ns=7) == 2
    assert output.invalidate(release=Release.AT_ONCE) == 3
    output.release_own()
    items, _, _ = history.plan.since(0)
    assert items == [Planned(5, NoteOn(60, 64), 1), Planned(9, NoteOff(60), 1), TakenBack(2, 7), TakenBack(3, None)]
    assert scheduler.status().pending == 0


def test_messages_that_are_events_are_written_down() -> None:
    history = EventRings(16)
    history.play(3, bytes_of(NoteOn(60, 64)))
    history.play(4, control_bytes(123, 0, 0))
    history.hear(TimedEvent(5, NoteOff(60)))
    assert history.played.since(0)[0] == [TimedEvent(3, NoteOn(60, 64))]
    assert history.heard.since(0)[0] == [TimedEvent(5, NoteOff(60))]
