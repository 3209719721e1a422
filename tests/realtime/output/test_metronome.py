"""The metronome: every beat on its grid, nothing late, a click never left on; and a clock that begins and ends."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.midi.memory_ports import MemoryOutputPort
from realtime.output.metronome import CLOCKS_PER_BEAT, Beat, Metronome
from realtime.output.scheduler import Scheduler
from realtime.threads.clock import NS_PER_S, ManualClock


class Room:
    """A metronome on an output, on a clock that is moved by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.port = MemoryOutputPort(self.clock)
        self.metronome = Metronome(Scheduler(self.clock, self.port))
        self.clock.attach(self.metronome)

    def sent(self) -> list[tuple[float, str]]:
        return [(sent.at_ns / NS_PER_S, sent.data.hex()) for sent in self.port.sent]


def test_it_is_silent_unless_asked() -> None:
    room = Room()
    room.clock.advance_to(10 * NS_PER_S)
    assert room.sent() == []


def test_the_first_beat_of_a_bar_is_stressed_and_each_click_ends() -> None:
    room = Room()
    room.metronome.change(Beat(clicks=True, tempo_bpm=120.0, beats=3, origin_ns=NS_PER_S))
    room.clock.advance_to(3 * NS_PER_S)
    clicks = [(at_s, data) for at_s, data in room.sent() if data.startswith("99")]
    assert clicks == [(1.0, "994c6e"), (1.5, "994d50"), (2.0, "994d50"), (2.5, "994c6e"), (3.0, "994d50")]
    ends = [(at_s, data) for at_s, data in room.sent() if data.startswith("89")]
    assert ends == [(at_s, "89" + data[2:4] + "40") for at_s, data in clicks]


def test_the_clock_begins_ticks_and_ends() -> None:
    room = Room()
    room.metronome.change(Beat(clock=True, tempo_bpm=60.0))
    room.clock.advance_to(NS_PER_S - 1)
    room.metronome.change(Beat())
    room.clock.advance_to(3 * NS_PER_S)
    data = [data for _, data in room.sent()]
    assert (data[0], data[-1]) == ("fa", "fc")
    assert data[1:-1] == ["f8"] * CLOCKS_PER_BEAT


def test_what_could_not_be_sent_in_time_is_left_out() -> None:
    room = Room()
    room.metronome.change(Beat(clicks=True, tempo_bpm=60.0))
    room.metronome.run_due(0)
    room.port.sent.clear()
    room.metronome.run_due(3 * NS_PER_S + NS_PER_S // 2)  # the machine slept
    assert room.sent() == []
    assert room.metronome.next_due_ns() == 4 * NS_PER_S


@given(st.floats(20, 300), st.integers(0, 10**13), st.integers(0, 10**12), st.booleans())
def test_a_pulse_is_the_first_that_is_not_before_its_moment(
    tempo: float, origin_ns: int, later_ns: int, clock: bool
) -> None:
    beat = Beat(clock=clock, tempo_bpm=tempo, origin_ns=origin_ns)
    pulse = beat.pulse_from(origin_ns + later_ns)
    assert pulse % beat.step == 0
    assert beat.moment_ns(pulse) >= origin_ns + later_ns
    assert pulse == 0 or beat.moment_ns(pulse - beat.step) < origin_ns + later_ns
