"""Many random events, all faults and modes mixed, held against the laws of `chaos`.

    python -m tests.realtime.state_machine.fuzz --events 1000000 --seed 1

Ends with one line of JSON; a broken law ends it with the seed and the number of the session to repeat, by --session.
"""

import argparse
import json
import random
import sys
import time
from dataclasses import asdict

from loguru import logger

from realtime.engine.fault_backoff import LONGEST_REST_NS
from realtime.midi.ports import Direction
from realtime.performers.play_settings import Mode
from tests.realtime.state_machine.chaos import COMMANDS, PITCHES, STRANGE, Chaos, Counts
from tests.support.scripted_play import MS

EVENTS_A_SESSION = 600


def message(chance: random.Random) -> bytes:
    """Return what a player, or a broken keyboard, sends."""
    kind = chance.random()
    if kind < 0.15:
        return chance.choice(STRANGE)
    channel = 0 if chance.random() < 0.8 else chance.randrange(16)
    if kind < 0.25:
        return bytes((0xB0 | channel, 64, chance.choice((0, 30, 63, 64, 100, 127))))
    pitch = chance.choice(PITCHES)
    if kind < 0.6:
        return bytes((0x80 | channel, pitch, 64)) if kind < 0.5 else bytes((0x90 | channel, pitch, 0))
    return bytes((0x90 | channel, pitch, chance.randint(1, 127)))


def act(chaos: Chaos, chance: random.Random) -> None:
    """Let one thing happen."""
    kind = chance.random()
    if kind < 0.42:
        chaos.play(message(chance))
    elif kind < 0.78:
        chaos.wait(int(chance.choice((0, 1, 10, 80, 400, 1500)) * MS * chance.random()))
    elif kind < 0.785:
        chaos.wait(LONGEST_REST_NS)  # a model that failed plays again
    elif kind < 0.84:
        chaos.tell(chance.choice(COMMANDS))
    elif kind < 0.87:
        chaos.exchange(chance.choice(list(Mode)), thru=chance.random() < 0.5)
    elif kind < 0.885:
        chaos.break_model(chance.choice(("raise", "nan", "slow")))
    elif kind < 0.895:
        chaos.break_model_in_the_midst(chance.choice(("raise", "nan")))
    elif kind < 0.905:
        chaos.fail_thread(chance.choice(list(Direction)))
    elif kind < 0.913:
        chaos.flood([message(chance) for _ in range(chance.choice((20, 400)))])
    elif kind < 0.925:
        chaos.break_output()
    elif kind < 0.945:
        chaos.lose(system=chance.random() < 0.3)
    elif kind < 0.96:
        chaos.return_output()
    elif kind < 0.972:
        chaos.connect()
    elif kind < 0.978:
        chaos.kill_guardian()
    elif kind < 0.984:
        chaos.lose_player()
    elif kind < 0.99:
        chaos.lose_listener()
    else:
        chaos.stall(chance.choice((5, 5, 8 * 3600)))


def run(events: int, seed: int, session: int = 0) -> Counts:
    """Let so many things happen, in sessions of their own, from one of them on."""
    counts = Counts()
    while counts.events < events:
        chance = random.Random(f"{seed}-{session}")
        chaos = Chaos(counts, is_virtual=session % 2 == 1)
        end = counts.events + EVENTS_A_SESSION
        try:
            while counts.events < end:
                act(chaos, chance)
                chaos.check()
                if chance.random() < 0.01:
                    chaos.settle()
            if chance.random() < 0.5:
                chaos.settle()
            chaos.finish()
        except BaseException as error:
            error.add_note(f"seed {seed}, session {session}, after {counts.events} events")
            raise
        session += 1
        if session % 50 == 0:
            sys.stderr.write(f"{counts.events} events to session {session}, nothing stuck\n")
    return counts


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--session", type=int, default=0, help="the first of the sessions, each of which is its own")
    given = parser.parse_args()
    logger.remove()
    start_s = time.monotonic()
    counts = run(given.events, given.seed, given.session)
    told = {**asdict(counts), "seed": given.seed, "stuck": 0, "seconds": round(time.monotonic() - start_s, 1)}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
