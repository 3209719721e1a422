"""A program of its own for the test of a JACK server that dies: `python -m tests.support.death_process kill|stop`.

A process of its own, since what must not happen is a hang or a crash of the interpreter. Says `ok` at the end.
"""

import os
import sys
from typing import Any

from piano.errors import PortError
from piano.events import NoteOn
from realtime.midi.input_thread import MidiInput
from realtime.midi.port_events import PortLost, Received, SystemLost
from realtime.midi.rtmidi_ports import RtmidiSystem
from realtime.midi.watchdog import Watchdog
from realtime.output.scheduler import Scheduler
from realtime.threads.clock import NS_PER_S, MonotonicClock
from realtime.threads.inbox import Inbox
from tests.support.jack import JackServer

CLOCK = MonotonicClock()
NOTE = bytes.fromhex("90 3c 40")


def expect(inbox: Inbox[Any], kind: type) -> Any:
    """Take messages until one of the kind comes, for half a minute at most."""
    deadline_ns = CLOCK.now_ns() + 30 * NS_PER_S
    while (message := inbox.get(deadline_ns)) is not None:
        if isinstance(message, kind):
            return message
    raise SystemExit(f"no {kind.__name__} came")


def main() -> None:
    """Let the server die under running threads, then start it again and go on."""
    with JackServer() as server:
        os.environ["JACK_DEFAULT_SERVER"] = server.name
        system = RtmidiSystem("jack", client="dying")
        inbox: Inbox[Any] = Inbox(CLOCK)
        source = system.open_virtual_output("out")
        ear = MidiInput(system.open_input("dying-out:out"), CLOCK, inbox.put)
        scheduler = Scheduler(CLOCK, source, report=inbox.put)
        watchdog = Watchdog(system, inbox.put)
        scheduler.start()
        ear.start()
        watchdog.start()
        scheduler.send_now(NoteOn(60, 64))
        if expect(inbox, Received).data != NOTE:
            raise SystemExit("the note did not come through")
        print("alive", flush=True)
        if sys.argv[1] == "kill":
            server.kill()
        else:
            server.stop()
        died_ns = CLOCK.now_ns()
        expect(inbox, SystemLost)
        print(f"noticed after {(CLOCK.now_ns() - died_ns) / 1e9:.2f} s", flush=True)
        for number in range(5000):  # more than the dead ring holds
            scheduler.through(bytes((0xE0, number % 128, number // 128)))
        expect(inbox, PortLost)
        try:
            system.open_virtual_output("another")
        except PortError as error:
            print(f"refused: {error}", flush=True)
        else:
            raise SystemExit("a port was opened on a dead system")
        scheduler.set_port(None)
        ear.stop()
        watchdog.stop()
        system.close()
        print("closed", flush=True)
        server.start()
        revive(scheduler, inbox)
    print("ok", flush=True)


def revive(scheduler: Scheduler, inbox: Inbox[Any]) -> None:
    """Go on with the same output thread on the server that is back."""
    system = RtmidiSystem("jack", client="dying")
    source = system.open_virtual_output("out")
    ear = MidiInput(system.open_input("dying-out:out"), CLOCK, inbox.put)
    ear.start()
    scheduler.set_port(source)
    scheduler.send_now(NoteOn(72, 64))
    while expect(inbox, Received).data != bytes.fromhex("90 48 40"):
        pass
    scheduler.stop()
    ear.stop()
    system.close()


if __name__ == "__main__":
    main()
