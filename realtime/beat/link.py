"""Ableton Link: a peer that follows. It reads the beats of a session for the musical clock, and sets nothing in it.

Those who have Link switched on in one network share a tempo and a phase. Where two meet, the one that has been there
longer has its way, and within half a second either may: one that comes first, or at the same time, sets the tempo of
the other. So this peer begins no session: it only listens on the network until others are heard for a while, joins
them, and leaves when they have left. It commits no state of its own, ever. While nobody is there the musical clock goes
by its other sources.

Only `AbletonPeer` speaks to the library (LinkPython-extern, the `link` extra).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from realtime.beat.grid import BeatGrid, BeatSource
from realtime.beat.link_ear import LinkEar
from realtime.beat.musical_clock import MusicalClock
from realtime.threads.clock import NS_PER_MS, NS_PER_S, Clock

LOOK_NS = 100 * NS_PER_MS
"""The session is looked at so often: a change of its tempo is known that soon."""

OLDER_NS = 2 * NS_PER_S
"""Others are joined when they have been heard for so long: their session is then older than ours beyond all doubt."""

_LATELY_NS = NS_PER_S
_ALONE_NS = 5 * NS_PER_S
"""Where nobody has been met for so long after joining, they were gone."""

_READS = 3
_SHAKES_NS = 200_000
_JUMP_BEATS = 0.75
"""Where beats lie elsewhere by more than this, another count begins: more than any change of tempo moves them between
two looks."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """A session as it stands at a moment of the monotonic clock.

    The beat counts from anywhere; bars begin at multiples of the beats in a bar.
    """

    at_ns: int
    beat: float
    tempo_bpm: float
    peers: int
    """How many there are beside ourselves."""


class LinkPeer(Protocol):
    """One that takes part in a session."""

    def read(self, beats: int) -> LinkState:
        """Return the session as it stands, in bars of so many beats."""
        ...

    def leave(self) -> None:
        """Leave the session."""
        ...


class Ear(Protocol):
    """One that hears whether others are there, and says nothing."""

    def hears(self) -> bool:
        """Say whether anything was heard since it was asked last; never waits."""
        ...

    def close(self) -> None:
        """Hear no more."""
        ...


class AbletonPeer:
    """A peer of the real Link. It is in the session from its making on."""

    def __init__(self, tempo_bpm: float, now_ns: Callable[[], int]) -> None:
        from link import Link

        self._now_ns = now_ns
        self._link = Link(tempo_bpm)
        self._clock = self._link.clock()
        self._link.enabled = True

    def read(self, beats: int) -> LinkState:
        state = self._link.captureAppSessionState()
        before_ns, micros, after_ns = min(
            ((self._now_ns(), self._clock.micros(), self._now_ns()) for _ in range(_READS)),
            key=lambda read: read[2] - read[0],
        )
        beat = state.beatAtTime(micros, float(beats))
        return LinkState((before_ns + after_ns) // 2, beat, state.tempo(), self._link.numPeers())

    def leave(self) -> None:
        self._link.enabled = False


@dataclass(frozen=True, slots=True)
class LinkNetwork:
    """How the others are heard and joined."""

    listen: Callable[[], Ear] = LinkEar
    join: Callable[[float, Callable[[], int]], LinkPeer] = AbletonPeer


class LinkFollower:
    """Gives the beats of a session to the musical clock. See `realtime.threads.clock.DueSource`.

    `choose` is for the thread that changes settings, all else for the one that runs what is due.
    """

    def __init__(self, clock: Clock, beats: MusicalClock, network: LinkNetwork | None = None) -> None:
        self._clock, self._beats, self._network = clock, beats, network or LinkNetwork()
        self._wanted: tuple[float, int] | None = None  # tempo and beats in a bar, while it is to take part
        self._ear: Ear | None = None
        self._heard_ns: tuple[int, int] | None = None  # when others were heard first, and last
        self._peer: LinkPeer | None = None
        self._met_ns = self._next_ns = 0
        self._grid: BeatGrid | None = None
        self._base = 0.0  # the session's beat that we count as 0
        self._count = 0
        self.peers: int | None = None
        """How many others are in the session; None while it is not to take part. For any thread."""

    def choose(self, *, joins: bool, tempo_bpm: float, beats: int) -> None:
        """Take part or not, in bars of so many beats. The tempo is what the library wants to be told of a newcomer."""
        self._wanted = (tempo_bpm, beats) if joins else None
        self._next_ns = 0

    def give_up(self) -> None:
        """Leave, and listen no more; for when no thread runs what is due any more."""
        self._wanted = None
        self._leave()

    def next_due_ns(self) -> int | None:
        """Return when to look; None where nothing is to be looked at."""
        is_idle = self._wanted is None and self._ear is None and self._peer is None
        return None if is_idle else self._next_ns

    def run_due(self, now_ns: int) -> None:
        """Listen for others, or look at the session with them, if it is time."""
        if now_ns < self._next_ns or self.next_due_ns() is None:
            return
        self._next_ns = now_ns + LOOK_NS
        if self._wanted is None:
            self._leave()
        elif self._peer is None:
            self._listen(now_ns, self._wanted[0])
        else:
            self._look(self._peer, now_ns, self._wanted[1])

    def _listen(self, now_ns: int, tempo_bpm: float) -> None:
        """Join the others once they have been heard for long enough."""
        self.peers = 0
        try:
            self._ear = self._ear or self._network.listen()
            is_heard = self._ear.hears()
        except OSError:  # no network, or not now
            self._hang_up()
            self._next_ns = now_ns + _ALONE_NS
            return
        if is_heard:
            self._heard_ns = (now_ns if self._heard_ns is None else self._heard_ns[0], now_ns)
        if self._heard_ns is None:
            return
        first_ns, last_ns = self._heard_ns
        if now_ns - last_ns > _LATELY_NS:
            self._heard_ns = None
        elif last_ns - first_ns >= OLDER_NS:
            self._hang_up()
            self._peer, self._met_ns = self._network.join(tempo_bpm, self._clock.now_ns), now_ns

    def _look(self, peer: LinkPeer, now_ns: int, bar: int) -> None:
        """Take over how the session stands; leave it to nobody."""
        state = peer.read(bar)
        if state.peers:
            self._met_ns, self.peers = now_ns, state.peers
            self._tell(self._grid_of(state, bar))
        elif self._grid is not None or now_ns - self._met_ns > _ALONE_NS:
            self._leave()
            self.peers = 0

    def _leave(self) -> None:
        peer, self._peer = self._peer, None
        if peer is not None:
            peer.leave()
        self._hang_up()
        self.peers = None
        self._tell(None)

    def _hang_up(self) -> None:
        ear, self._ear, self._heard_ns = self._ear, None, None
        if ear is not None:
            ear.close()

    def _grid_of(self, state: LinkState, bar: int) -> BeatGrid:
        before = self._grid
        place = None if before is None or before.beats != bar else before.place(state.at_ns)
        if place is None or abs(state.beat - self._base - place) > _JUMP_BEATS:
            self._base = math.floor(state.beat / bar) * bar
            self._count += 1
        since_ns = round((state.beat - self._base) * 60 * NS_PER_S / state.tempo_bpm)
        return BeatGrid(state.tempo_bpm, state.at_ns - since_ns, bar, count=self._count, source=BeatSource.LINK)

    def _tell(self, grid: BeatGrid | None) -> None:
        """Tell the musical clock, unless its beats lie there already."""
        before = self._grid
        if grid is not None and before is not None:
            is_same = (grid.tempo_bpm, grid.count) == (before.tempo_bpm, before.count)
            if is_same and abs(grid.origin_ns - before.origin_ns) <= _SHAKES_NS:
                return
        elif grid is before:
            return
        self._grid = grid
        self._beats.follow_link(grid)
