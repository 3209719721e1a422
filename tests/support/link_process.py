"""Two peers of Ableton Link in a network of their own: pianod's, which follows, and another. To be run by `unshare -n`.

What is seen goes to standard output as JSON, a list of [what, value].
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from realtime.beat.grid import BeatSource
from realtime.beat.link import LinkFollower
from realtime.beat.musical_clock import MusicalClock
from realtime.threads.clock import MonotonicClock

if TYPE_CHECKING:
    from link import Link

WITHIN_S = 60.0
ALONE_S = 3.0
"""So long pianod is there before the other, who is not to take over its tempo."""

OTHERS_BPM, OUR_BPM, LATER_BPM = 97.0, 140.0, 121.0


def until(holds: Callable[[], bool]) -> bool:
    """Wait for a condition; return whether it came to hold."""
    deadline_s = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline_s:
        if holds():
            return True
        time.sleep(0.005)
    return False


def phase_off_ms(other: "Link", beats: MusicalClock, clock: MonotonicClock) -> float:
    """Return how far our next downbeat lies from one of the other peer's, in ms."""
    grid = beats.grid
    micros = other.clock().micros()
    down_ns = grid.moment_ns(grid.downbeat_from(clock.now_ns())) - clock.now_ns()
    phase = other.captureAppSessionState().phaseAtTime(micros + down_ns // 1000, float(grid.beats))
    return min(phase, grid.beats - phase) * 60_000 / grid.tempo_bpm


def main() -> None:
    """Join a session that is there, follow a change of its tempo, and be left alone in it."""
    for line in ("ip link set lo up multicast on", "ip route add 224.0.0.0/4 dev lo"):
        subprocess.run(line.split(), check=True)
    seen: list[tuple[str, Any]] = []
    clock, beats = MonotonicClock(), MusicalClock()
    beats.set(OUR_BPM, 4, 0, origin_ns=clock.now_ns())

    def is_linked() -> bool:
        follower.run_due(clock.now_ns())
        return beats.grid.source is BeatSource.LINK

    follower = LinkFollower(clock, beats)
    follower.choose(joins=True, tempo_bpm=OUR_BPM, beats=4)
    first_s = time.monotonic()
    until(lambda: is_linked() or time.monotonic() - first_s > ALONE_S)
    seen.append(("joined nobody", follower.peers == 0))
    from link import Link  # needs a library of the system, and is not wanted where only our figures are

    other = Link(OTHERS_BPM)
    other.enabled = True

    def others_bpm() -> float:
        return float(other.captureAppSessionState().tempo())

    seen.append(("met", until(is_linked)))
    seen.append(("the other's tempo", others_bpm()))
    seen.append(("our tempo", beats.grid.tempo_bpm))
    seen.append(("off in ms", phase_off_ms(other, beats, clock)))
    count = beats.grid.count
    state = other.captureAppSessionState()
    state.setTempo(LATER_BPM, other.clock().micros())
    other.commitAppSessionState(state)
    seen.append(("followed", until(lambda: is_linked() and abs(beats.grid.tempo_bpm - LATER_BPM) < 0.01)))
    seen.append(("on with the count", beats.grid.count == count))
    seen.append(("off in ms", phase_off_ms(other, beats, clock)))
    other.enabled = False
    seen.append(("alone", until(lambda: not is_linked())))
    seen.append(("by ourselves", beats.grid.tempo_bpm))
    follower.give_up()
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
