"""An ear on real ports, as a program of its own: it listens to a port and tells what it heard from time to time.

    python -m tests.support.ear_process PORT

It says "ready" once it listens, "started" at a MIDI start, and at a MIDI stop what it has heard since the last one, as
a list of hexadecimal messages in JSON, without what is system real-time. It ends when its standard input does.
"""

import json
import os
import select
import sys

from realtime.midi.message import MessageKind, kind_of
from realtime.midi.rtmidi_ports import open_system

_START, _STOP = b"\xfa", b"\xfc"


def main() -> None:
    """Listen."""
    ear = open_system("jack", client="ear").open_input(sys.argv[1])
    print("ready", flush=True)
    heard: list[str] = []
    while not select.select((sys.stdin,), (), (), 0)[0]:
        while (data := ear.poll()) is not None:
            if data == _START:
                print("started", flush=True)
            elif data == _STOP:
                print(json.dumps(heard), flush=True)
                heard.clear()
            elif kind_of(data) is not MessageKind.REAL_TIME:
                heard.append(data.hex())
        ear.wait()
    os._exit(0)  # how JACK takes leave is not under test


if __name__ == "__main__":
    main()
