"""A program of its own for the tests of real ports: sends back what it hears, through the threads of the daemon.

Says `ready` when its virtual ports are there, and ends when its standard input does.
"""

import sys

from realtime.midi.input_thread import MidiInput
from realtime.midi.rtmidi_ports import open_system
from realtime.output.scheduler import Scheduler
from realtime.threads.clock import MonotonicClock


def main() -> None:
    """Echo until the standard input ends."""
    clock = MonotonicClock()
    system = open_system("jack", client="echo")
    with Scheduler(clock, system.open_virtual_output("out")) as scheduler:
        ear = MidiInput(system.open_virtual_input("in"), clock, lambda _message: None, thru=scheduler.through)
        ear.start()
        print("ready", flush=True)
        sys.stdin.read()
        ear.stop()
    system.close()


if __name__ == "__main__":
    main()
