"""Ableton Link: a session of others is followed and never changed; alone the other sources have their way."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from realtime.beat.grid import BeatGrid, BeatSource
from realtime.beat.link import LOOK_NS, OLDER_NS, LinkFollower, LinkNetwork, LinkPeer, LinkState
from realtime.beat.musical_clock import MusicalClock
from realtime.threads.clock import NS_PER_S, ManualClock
from tests.support.link_process import LATER_BPM, OTHERS_BPM, OUR_BPM, WITHIN_S
from tests.support.programs import need_link, path_of


@dataclass
class Session:
    """A session by hand: a beat at a moment, a tempo, and who is in it."""

    clock: ManualClock
    state: LinkState = field(default_factory=lambda: LinkState(0, 10.0, 120.0, 1))
    has_left: bool = False
    is_loud: bool = True
    ears: int = 0

    def hears(self) -> bool:
        return self.is_loud

    def close(self) -> None:
        self.ears -= 1

    def read(self, beats: int) -> LinkState:  # noqa: ARG002 - bars of any length begin alike here
        now_ns = self.clock.now_ns()
        beat = self.state.beat + (now_ns - self.state.at_ns) / NS_PER_S * self.state.tempo_bpm / 60
        return replace(self.state, at_ns=now_ns, beat=beat)

    def leave(self) -> None:
        self.has_left = True

    def change(self, **changes: float) -> None:
        self.state = replace(self.read(4), **changes)  # type: ignore[arg-type]  # peers are whole numbers here


class Follow:
    """A follower in a session by hand, and what the musical clock says of it."""

    def __init__(self) -> None:
        self.clock, self.beats = ManualClock(), MusicalClock()
        self.session = Session(self.clock)
        self.joined: list[float] = []
        self.told: list[BeatGrid] = []
        self.beats.set(90.0, 4, 0, origin_ns=0)
        self.beats.watch(self.told.append)
        self.follower = LinkFollower(self.clock, self.beats, LinkNetwork(self._listen, self._join))

    def _listen(self) -> Session:
        self.session.ears += 1
        return self.session

    def _join(self, tempo_bpm: float, now_ns: Callable[[], int]) -> LinkPeer:
        assert now_ns() == self.clock.now_ns()
        assert self.session.ears == 0, "it does not listen to itself"
        self.joined.append(tempo_bpm)
        return self.session

    def choose(self, *, joins: bool = True, beats: int = 4) -> None:
        self.follower.choose(joins=joins, tempo_bpm=90.0, beats=beats)

    def run(self, seconds: float) -> BeatGrid:
        end_ns = self.clock.now_ns() + round(seconds * NS_PER_S)
        while (due_ns := self.follower.next_due_ns()) is not None and due_ns <= end_ns:
            self.clock.advance_to(max(due_ns, self.clock.now_ns()))
            self.follower.run_due(self.clock.now_ns())
        self.clock.advance_to(end_ns)
        return self.beats.grid


def test_the_beats_of_a_session_are_those_of_the_musical_clock_and_told_once() -> None:
    follow = Follow()
    follow.choose()
    grid = follow.run(5.0)
    assert (grid.source, grid.tempo_bpm) == (BeatSource.LINK, 120.0)
    assert len(follow.told) == 1, "as long as nothing changes"
    session = follow.session.read(4)
    assert grid.place(session.at_ns) % 4 == pytest.approx(session.beat % 4)
    assert follow.joined == [90.0]
    assert follow.follower.peers == 1


def test_another_tempo_goes_on_with_the_count_and_another_place_does_not() -> None:
    follow = Follow()
    follow.choose()
    before = follow.run(3.03)
    follow.session.change(tempo_bpm=208.0)
    after = follow.run(2.0)
    assert (after.tempo_bpm, after.count) == (208.0, before.count)
    session = follow.session.read(4)
    assert after.place(session.at_ns) % 4 == pytest.approx(session.beat % 4)
    follow.session.change(beat=follow.session.read(4).beat + 1.0)
    assert follow.run(1.0).count == after.count + 1


def test_alone_and_after_leaving_the_own_tempo_has_its_way() -> None:
    follow = Follow()
    follow.choose()
    follow.run(3.0)
    follow.session.change(peers=0)
    assert follow.run(2 * LOOK_NS / NS_PER_S).source is BeatSource.SET
    assert follow.session.has_left, "it stays in no session alone"
    follow.session.change(peers=2)
    assert follow.run(3.0).source is BeatSource.LINK
    follow.choose(joins=False)
    follow.run(0.1)
    assert (follow.beats.grid.source, follow.beats.grid.tempo_bpm) == (BeatSource.SET, 90.0)
    assert follow.session.has_left
    assert (follow.follower.next_due_ns(), follow.follower.peers) == (None, None)


def test_others_are_joined_when_they_have_been_there_for_a_while_and_nobody_is_waited_for() -> None:
    follow = Follow()
    follow.session.is_loud = False
    follow.choose()
    follow.run(60.0)
    assert follow.joined == [], "a session of its own would set the tempo of those who come later"
    follow.session.is_loud = True
    follow.run(OLDER_NS / NS_PER_S - 0.2)
    follow.session.is_loud = False
    follow.run(5.0)
    assert follow.joined == [], "they have gone again"
    follow.session.is_loud = True
    follow.run(OLDER_NS / NS_PER_S + 0.2)
    assert follow.joined == [90.0]


def test_without_a_network_it_goes_on_looking_for_one() -> None:
    follow = Follow()
    listen, refuses = follow._listen, [True]

    def refuse() -> Session:
        if refuses[0]:
            raise OSError("no network")
        return listen()

    follow.follower = LinkFollower(follow.clock, follow.beats, LinkNetwork(refuse, follow._join))
    follow.choose()
    assert follow.run(20.0).source is BeatSource.SET
    refuses[0] = False
    assert follow.run(20.0).source is BeatSource.LINK


def test_bars_of_another_length_are_counted_anew() -> None:
    follow = Follow()
    follow.choose()
    before = follow.run(3.0)
    follow.choose(joins=True, beats=3)
    assert follow.run(1.0).count == before.count + 1


def test_with_a_second_peer_its_tempo_stays_as_it_is_and_is_followed() -> None:
    unshare = path_of("unshare")
    path_of("ip")
    need_link()
    if subprocess.run([unshare, "-n", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("a network of its own cannot be made here: that needs the rights of root")
    command = [unshare, "-n", sys.executable, "-m", "tests.support.link_process"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5 * WITHIN_S)
    assert run.returncode == 0, run.stderr
    nobody, met, others, ours, off, followed, goes_on, later_off, alone, by_ourselves = json.loads(run.stdout)
    assert nobody == ["joined nobody", True]
    assert met == ["met", True]
    assert others == ["the other's tempo", pytest.approx(OTHERS_BPM)], "joining sets no tempo"
    assert ours == ["our tempo", pytest.approx(OTHERS_BPM)]
    assert followed == ["followed", True]
    assert goes_on == ["on with the count", True]
    assert alone == ["alone", True]
    assert by_ourselves == ["by ourselves", OUR_BPM]
    assert max(off[1], later_off[1]) < 15.0
    assert OUR_BPM != LATER_BPM
