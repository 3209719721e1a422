"""A MIDI clock that comes in: told as it is, followed beat by beat, through starts, halts and shaky pulses."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.midi.clock_in import PULSES_PER_BEAT, ClockBeats, MidiClock
from realtime.midi.input_thread import MidiInput
from realtime.midi.memory_ports import MemoryInputPort, MemoryOutputPort
from realtime.output.metronome import Beat, Metronome
from realtime.output.scheduler import Scheduler
from realtime.threads.clock import NS_PER_S, ManualClock
from realtime.threads.inbox import Inbox

PULSE, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
STRESSED, PLAIN = "994c6e", "994d50"


class Room:
    """A metronome that follows what comes in at a port, on a clock that is moved by hand."""

    def __init__(self, **beat: object) -> None:
        self.clock = ManualClock()
        self.output = MemoryOutputPort(self.clock)
        self.metronome = Metronome(Scheduler(self.clock, self.output))
        self.midi_clock = MidiClock(self.metronome.follow)
        self.port = MemoryInputPort()
        inbox: Inbox[object] = Inbox(self.clock)
        self.input = MidiInput(self.port, self.clock, inbox.put, on_clock=self.midi_clock.hear)
        self.metronome.change(Beat(clicks=True, follows=True, beats=4, origin_ns=NS_PER_S, **beat))  # type: ignore[arg-type]

    def hear(self, data: bytes) -> None:
        self.port.feed(data)
        self.input.take_all()
        self.metronome.run_due(self.clock.now_ns())

    def run_to(self, at_ns: int) -> None:
        while (due_ns := self.metronome.next_due_ns()) is not None and due_ns <= at_ns:
            self.clock.advance_to(max(due_ns, self.clock.now_ns()))
            self.metronome.run_due(self.clock.now_ns())
        self.clock.advance_to(max(at_ns, self.clock.now_ns()))

    def pulses(self, moments_ns: Iterable[int]) -> None:
        for at_ns in moments_ns:
            self.run_to(at_ns)
            self.hear(PULSE)

    def clicks(self, from_ns: int = 0) -> list[tuple[float, str]]:
        return [
            (round(sent.at_ns / NS_PER_S, 2), sent.data.hex())
            for sent in self.output.sent
            if sent.data[0] == 0x99 and sent.at_ns >= from_ns
        ]


def grid(tempo_bpm: float, first_ns: int, count: int) -> list[int]:
    return [first_ns + round(index * 60 * NS_PER_S / tempo_bpm / PULSES_PER_BEAT) for index in range(count)]


def test_its_tempo_is_told_and_that_it_is_gone() -> None:
    room = Room()
    assert room.midi_clock.beats(0) is None
    room.pulses(grid(120, 0, 60))
    beats = room.midi_clock.beats(room.clock.now_ns())
    assert beats is not None
    assert beats.tempo_bpm == pytest.approx(120, abs=0.01)
    assert beats.origin_ns == pytest.approx(0, abs=1000)
    assert beats.runs
    assert room.midi_clock.beats(room.clock.now_ns() + NS_PER_S) is None


@given(
    st.floats(20, 300), st.integers(0, 10**15), st.lists(st.integers(-1_000_000, 1_000_000), min_size=49, max_size=49)
)
def test_pulses_that_shake_by_a_millisecond_make_a_steady_beat(
    tempo: float, first_ns: int, shake_ns: list[int]
) -> None:
    told: list[ClockBeats] = []
    midi_clock = MidiClock(told.append)
    moments = [at_ns + shake for at_ns, shake in zip(grid(tempo, first_ns, 49), shake_ns, strict=True)]
    for at_ns in sorted(moments):
        midi_clock.hear(at_ns, PULSE)
    assert told[-1].tempo_bpm == pytest.approx(tempo, rel=1e6 / (60 * NS_PER_S / tempo))
    beat_ns = told[-1].origin_ns + 2 * 60 * NS_PER_S / told[-1].tempo_bpm
    assert beat_ns == pytest.approx(grid(tempo, first_ns, 49)[-1], abs=2_500_000)


def test_it_clicks_with_the_clock_from_its_start_on() -> None:
    room = Room(tempo_bpm=299.0)
    room.hear(STOP)
    room.pulses(grid(60, 0, 2 * PULSES_PER_BEAT))
    assert room.clicks() == []
    room.hear(START)
    room.pulses(grid(60, 2 * NS_PER_S, 5 * PULSES_PER_BEAT))
    assert room.clicks() == [(2.0, STRESSED), (3.0, PLAIN), (4.0, PLAIN), (5.0, PLAIN), (6.0, STRESSED)]
    room.hear(STOP)
    room.hear(START)
    room.pulses(grid(60, 10 * NS_PER_S, 2 * PULSES_PER_BEAT))
    assert room.clicks(8 * NS_PER_S) == [(10.0, STRESSED), (11.0, PLAIN)], "also where it has no pulse while it halts"


def test_it_halts_and_goes_on_with_the_clock() -> None:
    room = Room()
    room.hear(START)
    room.pulses(grid(120, 0, 2 * PULSES_PER_BEAT))
    room.hear(STOP)
    halted_ns = room.clock.now_ns()
    assert not room.metronome.beat.runs
    room.pulses(grid(120, NS_PER_S, 2 * PULSES_PER_BEAT))
    assert room.clicks(halted_ns) == []
    room.hear(CONTINUE)
    room.pulses(grid(120, 2 * NS_PER_S, 4 * PULSES_PER_BEAT))
    assert room.clicks(halted_ns) == [(2.0, PLAIN), (2.5, PLAIN), (3.0, STRESSED), (3.5, PLAIN)]


@given(st.floats(40, 240), st.floats(40, 240), st.integers(0, 2**32))
def test_each_beat_is_clicked_once_however_the_tempo_drifts(begin: float, end: float, seed: int) -> None:
    room = Room()
    room.hear(START)
    at_ns, moments = 0.0, []
    for index in range(12 * PULSES_PER_BEAT):
        moments.append(round(at_ns) + (seed >> index % 24) % 3 * 300_000)
        share = min(index / (10 * PULSES_PER_BEAT), 1.0)
        at_ns += 60 * NS_PER_S / (begin + (end - begin) * share) / PULSES_PER_BEAT
    room.pulses(moments)
    clicks = room.clicks(moments[2 * PULSES_PER_BEAT] - 1_000_000)
    assert len(clicks) in (9, 10), "each of the last ten beats, but for one at the very edge"
    stresses = [index for index, (_, data) in enumerate(clicks) if data == STRESSED]
    assert {second - first for first, second in pairwise(stresses)} <= {4}


def test_without_a_clock_it_keeps_its_own_tempo() -> None:
    room = Room(tempo_bpm=60.0)
    room.run_to(3 * NS_PER_S)
    assert room.clicks() == [(1.0, STRESSED), (2.0, PLAIN), (3.0, PLAIN)]


def test_where_it_is_not_to_follow_a_clock_changes_nothing() -> None:
    room = Room()
    room.metronome.change(Beat(clicks=True, tempo_bpm=60.0, origin_ns=NS_PER_S))
    room.pulses(grid(200, 0, 3 * PULSES_PER_BEAT))
    assert room.metronome.beat.tempo_bpm == 60.0
    assert room.midi_clock.beats(room.clock.now_ns()) is not None
