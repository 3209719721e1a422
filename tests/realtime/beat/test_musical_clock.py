"""The musical clock: which source has its way, and that the count goes on where it should."""

import pytest

from piano.events import NoteOff, NoteOn, TimedEvent
from realtime.beat.grid import BeatGrid, BeatSource
from realtime.beat.musical_clock import MusicalClock
from realtime.midi.clock_in import ClockBeats
from realtime.threads.clock import NS_PER_MS, NS_PER_S


def test_a_tempo_that_is_set_anew_goes_on_with_the_count() -> None:
    clock = MusicalClock()
    clock.set(60.0, 4, 0, origin_ns=NS_PER_S)
    clock.set(120.0, 4, 6 * NS_PER_S)
    grid = clock.grid
    assert grid.moment_ns(5) == 6 * NS_PER_S
    assert grid.moment_ns(8) == 7.5 * NS_PER_S
    assert clock.grid.count == 1
    clock.set(120.0, 3, 7 * NS_PER_S, origin_ns=8 * NS_PER_S)
    assert (clock.grid.downbeat_from(8 * NS_PER_S), clock.grid.count) == (0, 2)


def test_taps_take_the_place_of_the_tempo_until_one_is_set() -> None:
    told: list[BeatGrid] = []
    clock = MusicalClock()
    clock.watch(told.append)
    clock.set(60.0, 3, 0, origin_ns=0)
    for at_ms in (1000, 1500, 2000):
        clock.tap(at_ms * NS_PER_MS)
    grid = clock.grid
    assert (grid.source, grid.beats) == (BeatSource.TAPS, 3)
    assert grid.tempo_bpm == pytest.approx(120.0)
    assert grid.origin_ns == NS_PER_S
    assert len(told) == 2
    clock.set(90.0, 3, 3 * NS_PER_S)
    assert (clock.grid.source, clock.grid.tempo_bpm) == (BeatSource.SET, 90.0)
    assert clock.grid.place(3 * NS_PER_S) == pytest.approx(grid.place(3 * NS_PER_S))


def test_a_clock_has_its_way_where_it_is_followed() -> None:
    clock = MusicalClock()
    clock.set(60.0, 4, 0, origin_ns=0)
    clock.follow(ClockBeats(140.0, 5, runs=True, count=1))
    assert clock.grid.tempo_bpm == 60.0
    clock.choose(clock=True, playing=False)
    assert (clock.grid.tempo_bpm, clock.grid.source, clock.grid.beats) == (140.0, BeatSource.CLOCK, 4)
    clock.follow(ClockBeats(140.0, 5, runs=False, count=1))
    assert not clock.grid.runs


def play(clock: MusicalClock, from_ms: int, period_ms: int, beats: int) -> None:
    """Play a waltz-like bass on each beat, and an upper key on each half."""
    for index in range(2 * beats):
        at_ns = (from_ms + index * period_ms // 2) * NS_PER_MS
        pitch, velocity = (43, 80) if index % 2 == 0 else (67, 50)
        clock.hear(TimedEvent(at_ns, NoteOn(pitch, velocity)))
        if index % 2 == 0:
            clock.hear(TimedEvent(at_ns, NoteOn(64, 80)))
        clock.hear(TimedEvent(at_ns + 100 * NS_PER_MS, NoteOff(pitch)))


def test_beats_are_found_in_the_playing_and_followed() -> None:
    clock = MusicalClock()
    clock.set(60.0, 4, 0, origin_ns=0)
    play(clock, 1000, 500, 12)
    assert clock.grid.source is BeatSource.SET, "it is not asked for"
    clock.choose(clock=False, playing=True)
    play(clock, 20_000, 500, 16)
    grid = clock.grid
    assert grid.source is BeatSource.PLAYING
    assert grid.tempo_bpm == pytest.approx(120, rel=0.03)
    off = grid.place(28_000 * NS_PER_MS)
    assert abs(off - round(off)) < 0.1
    count = round(grid.place(28_000 * NS_PER_MS))
    play(clock, 28_000, 480, 16)
    assert clock.grid.tempo_bpm == pytest.approx(125, rel=0.03)
    assert round(clock.grid.place((28_000 + 16 * 480) * NS_PER_MS)) == count + 16, (
        "no beat is counted twice or left out"
    )
