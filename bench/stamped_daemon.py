"""The daemon in velocity mode with stamps along the way: a process of its own, ended by the end of its input.

    python -m bench.stamped_daemon FLAGS...

Writes `ready` when it plays, and at its end the moments as JSON.
"""

import json
import sys
from dataclasses import asdict

from bench.stages import Moments, StampedSession, StampedSystem
from realtime.cli.live import system_of
from realtime.engine.find_bundle import open_bundle
from realtime.engine.open_model import open_session
from realtime.live.live_session import LivePlay
from realtime.settings import Settings


def main() -> int:
    """Play until the input ends."""
    guarded, wait_ms = sys.argv[1:]
    settings = Settings(
        api="jack", mode="velocity", velocity_wait_ms=float(wait_ms), panel=False, takes=None, guardian=guarded == "1"
    )
    moments = Moments()
    system = StampedSystem(system_of(settings), moments)
    session, _ = open_session(open_bundle(settings), settings)
    play = LivePlay(settings, system, StampedSession(session, moments), seed=1)
    with play:
        print("ready", flush=True)
        sys.stdin.read()
        unanswered = play.partner.scheduler.status().unanswered
    system.close()
    print(json.dumps({**asdict(moments), "unanswered": unanswered}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
