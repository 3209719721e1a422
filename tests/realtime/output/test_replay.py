"""A replay sounds as it was, from where it is asked for; whatever ends it, nothing of it is left sounding."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.midi.memory_ports import MemoryOutputPort
from realtime.output.replay import Replay, ReplayClip
from realtime.output.scheduler import Scheduler
from realtime.output.side_sources import SideSources
from realtime.settings import Settings
from realtime.threads.clock import NS_PER_S, ManualClock
from tests.support.listener import Listener
from tests.support.scripted_play import note, phrase, wire
from tests.support.told import ToldOutput

MUSIC = phrase(0.0, notes=4, gap_s=0.5)


class Room:
    """A replay on an output that tells nobody, on a clock that is moved by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.port = MemoryOutputPort(self.clock)
        self.output = ToldOutput()
        self.scheduler = Scheduler(self.clock, self.port, listener=self.output)
        self.replay = Replay(self.scheduler)
        self.clock.attach(self.replay)

    @property
    def told(self) -> list[bytes]:
        return [data for _, data in self.output.passed]

    def heard(self) -> Listener:
        listener = Listener()
        for sent in self.port.sent:
            listener.hear(sent.data)
        return listener


def clip(messages: Sequence[tuple[int, bytes]], from_s: float = 0.0, begins_s: float = 0.0) -> ReplayClip:
    return ReplayClip("take.mid", messages, round(begins_s * NS_PER_S), round(from_s * NS_PER_S))


def test_it_sounds_as_it_was_and_nobody_writes_it_down() -> None:
    room = Room()
    room.replay.play(clip(MUSIC, begins_s=2.0))
    assert room.replay.clip is not None
    room.clock.advance_to(10 * NS_PER_S)
    assert [(sent.at_ns - 2 * NS_PER_S, sent.data) for sent in room.port.sent] == MUSIC
    assert not room.told
    assert room.replay.next_due_ns() is None


def test_it_begins_where_it_is_asked_to() -> None:
    room = Room()
    room.replay.play(clip(MUSIC, from_s=0.9, begins_s=-0.9))
    room.clock.advance_to(10 * NS_PER_S)
    assert [sent.data for sent in room.port.sent] == [data for at_ns, data in MUSIC if at_ns >= 0.9 * NS_PER_S]


def test_another_takes_its_place_with_nothing_left_sounding() -> None:
    room = Room()
    room.replay.play(clip(wire(note(0.0, 40, 60.0))))
    room.clock.advance_to(NS_PER_S)
    room.replay.play(clip(wire(note(0.0, 50, 0.5)), begins_s=2.0))
    room.clock.advance_to(NS_PER_S + 1)
    assert room.scheduler.status().sounding.thru == ()
    room.clock.advance_to(10 * NS_PER_S)
    assert room.port.sent[-1].data[1] == 50


@given(st.integers(0, 3 * NS_PER_S), st.booleans())
def test_whenever_it_is_stopped_all_of_it_is_released(at_ns: int, has_pedal: bool) -> None:
    room = Room()
    pedal = [(0, b"\xb0\x40\x7f")] if has_pedal else []
    room.replay.play(clip([*pedal, *MUSIC]))
    room.clock.advance_to(at_ns)
    room.replay.stop()
    room.clock.advance_to(at_ns + 1)
    assert room.scheduler.status().sounding.thru == ()
    assert room.heard().is_silent()
    sent = len(room.port.sent)
    room.clock.advance_to(10 * NS_PER_S)
    assert len(room.port.sent) == sent


def test_beside_the_playing_a_new_beat_begins_soon() -> None:
    clock = ManualClock(7 * NS_PER_S)
    scheduler = Scheduler(clock, MemoryOutputPort(clock))
    beside = SideSources(Settings(metronome="page"), clock, scheduler)
    first_ns = beside.beat_ns
    assert first_ns > clock.now_ns()
    clock.advance_to(9 * NS_PER_S)
    beside.change(Settings(metronome="page", temperature=0.5))
    assert beside.beat_ns == first_ns, "another setting is no other beat"
    beside.change(Settings(metronome="page", tempo_bpm=60.0))
    beats = (clock.now_ns() - first_ns) * 90 / 60
    assert abs((clock.now_ns() - beside.beat_ns) - beats) < 10, "at another tempo the count goes on"
    beside.change(Settings(metronome="page", tempo_bpm=60.0, beats=3))
    assert beside.beat_ns > clock.now_ns()


def test_beside_the_playing_an_empty_piece_is_not_replayed() -> None:
    clock = ManualClock()
    beside = SideSources(Settings(), clock, Scheduler(clock, MemoryOutputPort(clock)))
    beside.replay("nothing", [])
    assert beside.clip is None


@pytest.mark.parametrize("from_s", [0.0, 1.0])
def test_beside_the_playing_a_replay_begins_soon(from_s: float) -> None:
    clock = ManualClock(5 * NS_PER_S)
    beside = SideSources(Settings(), clock, Scheduler(clock, MemoryOutputPort(clock)))
    beside.replay("take.mid", MUSIC, from_s)
    assert beside.clip is not None
    assert 0 < beside.clip.begins_ns + from_s * NS_PER_S - clock.now_ns() < NS_PER_S
