"""Drawn to the beat: how far, that every key still comes up, and what becomes of what is taken back."""

from hypothesis import given
from hypothesis import strategies as st

from piano.events import NoteOff, NoteOn
from realtime.beat.grid import BeatGrid
from realtime.engine.grid_pull import DrawnToGrid
from realtime.midi.memory_ports import MemoryOutputPort
from realtime.output.event_queue import Release
from realtime.output.scheduler import Scheduler
from realtime.threads.clock import NS_PER_MS, NS_PER_S, ManualClock

MOMENTS = st.lists(st.integers(0, 4000), min_size=1, max_size=20, unique=True)


class Room:
    """An output that is drawn to beats of 120 a minute, on a clock that is moved by hand."""

    def __init__(self, amount: float) -> None:
        self.clock = ManualClock()
        self.port = MemoryOutputPort(self.clock)
        self.scheduler = Scheduler(self.clock, self.port)
        self.clock.attach(self.scheduler)
        self.output = DrawnToGrid(self.scheduler, lambda: BeatGrid(120.0, 0), lambda: amount)

    def struck(self) -> list[tuple[int, int]]:
        return [(sent.at_ns, sent.data[1]) for sent in self.port.sent if sent.data[0] == 0x90]

    def is_silent(self) -> bool:
        return self.scheduler.status().sounding.own == ()


@given(MOMENTS, st.sampled_from((0.0, 0.5, 1.0)))
def test_keys_go_down_nearer_to_the_grid_and_all_come_up(moments_ms: list[int], amount: float) -> None:
    room = Room(amount)
    for index, at_ms in enumerate(sorted(moments_ms)):
        at_ns = (1000 + at_ms) * NS_PER_MS
        room.output.schedule(at_ns, NoteOn(30 + index, 60))
        room.output.schedule(at_ns + 10 * NS_PER_MS, NoteOff(30 + index))
    room.clock.advance_to(20 * NS_PER_S)
    assert room.is_silent()
    assert len(room.struck()) == len(moments_ms)
    for at_ns, pitch in room.struck():
        meant_ns = (1000 + sorted(moments_ms)[pitch - 30]) * NS_PER_MS
        lines = [round(meant_ns * parts / (NS_PER_S / 2)) * NS_PER_S / 2 / parts for parts in (4, 3)]
        nearest = min(lines, key=lambda line: abs(line - meant_ns))
        assert abs(at_ns - (meant_ns + amount * (nearest - meant_ns))) < 10


def test_what_had_happened_stays_though_it_was_drawn_to_later() -> None:
    room = Room(1.0)
    room.output.schedule(980 * NS_PER_MS, NoteOn(60, 60), room.output.begin_epoch())
    room.clock.advance_to(985 * NS_PER_MS)
    epoch = room.output.invalidate(release=Release.BY_NEW_EPOCH, after_ns=985 * NS_PER_MS)
    room.output.schedule(1500 * NS_PER_MS, NoteOff(60), epoch)
    room.clock.advance_to(2 * NS_PER_S)
    assert room.struck() == [(NS_PER_S, 60)]
    assert room.is_silent()


def test_what_had_not_happened_ends_though_it_sounds_already() -> None:
    room = Room(1.0)
    room.output.schedule(1030 * NS_PER_MS, NoteOn(60, 60), room.output.begin_epoch())
    room.clock.advance_to(1010 * NS_PER_MS)
    assert room.struck() == [(NS_PER_S, 60)]
    room.output.invalidate(release=Release.BY_NEW_EPOCH, after_ns=1010 * NS_PER_MS)
    room.clock.advance_to(1020 * NS_PER_MS)
    assert room.is_silent()
