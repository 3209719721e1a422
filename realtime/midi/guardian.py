"""The guardian: a small process that holds the MIDI ports, so that whatever becomes of the daemon its notes end.

    python -m realtime.midi.guardian DESCRIPTOR API CLIENT

It stamps what comes in and hands it to the daemon, and sends what the daemon hands it, each port over a pipe of its
own; over a socket it is asked for ports, one line of JSON a question (`realtime.midi.guarded_ports` is the other end).
It keeps account of what sounds on each output. When an output's pipe ends, be it closed or its writer dead, the
guardian releases what still sounds there, lets it go out, and closes the port; so it does, without closing, when the
daemon has been silent for so long that it must hang or have been stopped. Signals meant for the daemon do not end it:
the end of the daemon does.
"""

import contextlib
import gc
import itertools
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections import deque
from typing import Any

from loguru import logger

from piano.errors import PortError
from realtime.midi.backpressure import BoundedQueue
from realtime.midi.held_notes import HeldNotes
from realtime.midi.message_pipe import LONGEST, Arrival, MessageReader, MessageWriter, PipeEndError
from realtime.midi.owed_releases import OwedReleases
from realtime.midi.ports import Direction, InputPort, MidiSystem, OutputPort, Wires
from realtime.midi.rtmidi_ports import open_system
from realtime.threads.priority import raise_priority

PRIORITY = 60
MOST_WAITING = 4096
"""Messages from the keyboard that wait for the daemon to take them; after that only what ends something."""
LOOK_EVERY = 256
"""Polls after which an idle input asks whether anybody still listens."""
REPEAT_S, REPEAT_FOR_S = 1.0, 30.0
"""Where nobody can say who is connected, releases that may not have been heard are sent again each second, so long."""
SILENT_FOR_S = 5.0
"""A daemon that asks for nothing this long hangs, is stopped or sleeps: what sounds is released."""
LET_OUT_S = 0.2
"""What was sent has left the library long before this."""
END_WITHIN_S = 3.0
"""A MIDI system that is dead may never return from a call: after this the guardian ends all the same."""


class GuardianOutput:
    """An output port, the pipe that feeds it, and what sounds there. `run` is its thread.

    What ends something and is heard by nobody is owed: `tend` sends it as soon as somebody is connected.
    """

    def __init__(self, port: OutputPort, reader: MessageReader, *, is_virtual: bool = False) -> None:
        self._port, self._reader = port, reader
        self._held = HeldNotes()
        self._owed = OwedReleases()
        self._is_heard: bool | None = not is_virtual
        self._repeats_s = deque(REPEAT_S * number for number in range(1, int(REPEAT_FOR_S / REPEAT_S)))
        self._began_s = time.monotonic()
        self._lock = threading.Lock()
        self._is_over = False
        self.is_virtual = is_virtual
        self.thread = threading.Thread(target=self.run, name="guarded output", daemon=True)

    def run(self) -> None:
        """Send until the pipe ends; then release what sounds, let it go out, and close."""
        raise_priority(PRIORITY)
        try:
            while True:
                self._reader.wait(None)
                while (arrival := self._reader.read()) is not None:
                    self._send(arrival[1])
        except PipeEndError:
            pass
        except Exception as error:  # the top of the thread: the daemon sees the pipe end, and asks for the port anew
            _tell("an output", error)
        self.release()
        self._reader.close()
        with contextlib.suppress(PortError):
            self._port.close()

    def release(self, *, for_good: bool = False) -> None:
        """Release what sounds, each key for itself; `for_good`, nothing is sent after that. From any thread."""
        with self._lock:
            self._is_over = self._is_over or for_good
            for data in self._held.silence():
                with contextlib.suppress(Exception):  # whatever one of them comes to, the others are to go out
                    self._put(data)

    def tend(self, *, is_heard: bool | None) -> None:
        """Take note whether anybody is connected to our own port (None: nobody knows), and send what is owed."""
        with self._lock:
            self._is_heard = is_heard
            if is_heard is None and self._repeats_s and time.monotonic() - self._began_s > self._repeats_s[0]:
                self._repeats_s.popleft()
                is_heard = True
            if not self._is_over and is_heard and len(self._owed):
                for data in self._owed.take(self._held):
                    self._put(data)

    def _send(self, data: bytes) -> None:
        with self._lock:
            if not self._is_over:
                self._held.push(data)
                self._put(data)

    def _put(self, data: bytes) -> None:
        """Send, and owe what nobody heard; the caller holds the lock."""
        try:
            self._port.send(data)
        except PortError:  # a port that is gone is noticed by whoever asks how we are
            self._owed.note(data)
        else:
            if not self._is_heard and (self._is_heard is not None or self._repeats_s):
                self._owed.note(data)


class GuardianInput:
    """An input port and the pipe that it feeds. `run` is its thread."""

    def __init__(self, port: InputPort, writer: MessageWriter) -> None:
        self._port, self._writer = port, writer
        self._waiting = BoundedQueue[Arrival](MOST_WAITING)
        self.thread = threading.Thread(target=self.run, name="guarded input", daemon=True)

    def run(self) -> None:
        """Poll, stamp and hand on until nobody listens or the port is gone."""
        raise_priority(PRIORITY)
        try:
            for count in itertools.count():
                while (data := self._port.poll()) is not None:
                    at_ns = time.monotonic_ns()
                    if len(data) > LONGEST:
                        data = data[:1]  # a system exclusive message that nobody passes on: its stump is counted
                    self._waiting.enter((at_ns, data), data)
                while (first := self._waiting.first()) is not None and self._writer.write(*first):
                    self._waiting.leave()
                if count % LOOK_EVERY == 0:
                    self._writer.check()
                self._port.wait()
        except (PipeEndError, PortError):
            pass
        except Exception as error:  # the top of the thread: the daemon sees the pipe end, and asks for the port anew
            _tell("an input", error)
        self._writer.close()
        with contextlib.suppress(PortError):
            self._port.close()


class Guardian:
    """Answers the daemon's questions on the main thread."""

    def __init__(self, system: MidiSystem, control: socket.socket) -> None:
        self._system, self._control = system, control
        self._outputs: list[GuardianOutput] = []

    def serve(self) -> None:
        """Answer until the daemon is gone."""
        unread = b""
        while True:
            if not select.select((self._control,), (), (), SILENT_FOR_S)[0]:
                self.release()
                self._tend()
                continue
            got = self._control.recv(65_536)
            if not got:
                return
            *questions, unread = (unread + got).split(b"\n")
            for question in questions:
                self._answer(json.loads(question))

    def end(self) -> None:
        """Wait until every output has released what sounds."""
        for output in self._outputs:
            output.thread.join()

    def release(self, *, for_good: bool = False) -> None:
        """Release what sounds on every output, which the daemon still has."""
        for output in self._outputs:
            output.release(for_good=for_good)

    def _tend(self) -> Wires | None:
        """Look who is connected, and let those hear what they missed."""
        wires = self._system.wires()
        for output in self._outputs:
            if output.is_virtual:
                output.tend(is_heard=None if wires is None else bool(wires.listeners))
        return wires

    def _answer(self, question: dict[str, Any]) -> None:
        """Carry out one question and send its answer."""
        passed: int | None = None
        try:
            match question["ask"]:
                case "alive":
                    answer: dict[str, Any] = {"alive": self._system.is_alive(), "why": self._system.why_lost}
                    if (wires := self._tend()) is not None:
                        answer |= {"players": sorted(wires.players), "listeners": sorted(wires.listeners)}
                case "list":
                    listing = self._system.list_ports()
                    answer = {"inputs": listing.inputs, "outputs": listing.outputs, "virtual": listing.has_virtual}
                case _:
                    name, passed = self._open(Direction(question["direction"]), question["name"], question["virtual"])
                    answer = {"name": name}
        except PortError as error:
            answer = {"fault": str(error)}
        told = answer | {"id": question.get("id"), "has_descriptor": passed is not None}
        line = json.dumps(told).encode() + b"\n"
        if passed is None:
            self._control.sendall(line)
        else:
            socket.send_fds(self._control, [line], [passed])
            os.close(passed)

    def _open(self, direction: Direction, name: str, is_virtual: bool) -> tuple[str, int]:
        """Open a port and a pipe to it; return the port's whole name and the daemon's end of the pipe."""
        if direction is Direction.INPUT:
            source = (self._system.open_virtual_input if is_virtual else self._system.open_input)(name)
            reading, writing = os.pipe()
            GuardianInput(source, MessageWriter(writing)).thread.start()
            return source.name, reading
        sink = (self._system.open_virtual_output if is_virtual else self._system.open_output)(name)
        reading, writing = os.pipe()
        output = GuardianOutput(sink, MessageReader(reading), is_virtual=is_virtual)
        self._outputs = [*(other for other in self._outputs if other.thread.is_alive()), output]
        output.thread.start()
        return sink.name, writing


def _tell(what: str, error: Exception) -> None:
    """Tell what failed, where the daemon tells things too."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"the guardian of the MIDI ports failed ({what}; {type(error).__name__}: {error})\n")


def main() -> None:
    """Be the guardian, until the daemon is gone."""
    logger.remove()  # what there is to tell, the daemon tells
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    control = socket.socket(fileno=int(sys.argv[1]))
    try:
        system = open_system(sys.argv[2], sys.argv[3])
    except PortError as error:
        with contextlib.suppress(ConnectionError):
            control.sendall(json.dumps({"fault": str(error)}).encode() + b"\n")
        return
    gc.disable()  # nothing here makes cycles; no pause while something is on its way
    guardian = Guardian(system, control)
    try:
        with contextlib.suppress(ConnectionError):  # its end, with a question half asked
            control.sendall(json.dumps({"api": system.api}).encode() + b"\n")
            guardian.serve()
    except Exception as error:  # the top of the thread: the daemon notices, and starts another
        _tell("the main thread", error)
        guardian.release(for_good=True)
        time.sleep(LET_OUT_S)
        os._exit(1)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, END_WITHIN_S)
    guardian.end()
    os._exit(0)  # how the library takes leave of a server that may be gone is nobody's business any more


if __name__ == "__main__":
    main()
