"""MIDI ports that a guardian holds, a process of its own: the daemon's end.

The port library lives there, not here: when the MIDI system dies it takes the guardian with it, not us, and a new one
is started; when we die the guardian releases what sounds. See `realtime.midi.guardian` for what is said between them.
"""

import contextlib
import threading
import time
from pathlib import Path
from typing import Any

from loguru import logger

from piano.errors import PortError
from realtime.midi.guardian_process import GuardianProcess
from realtime.midi.guardian_talk import BusyError, TalkEndError
from realtime.midi.message_pipe import LONGEST, MessageReader, MessageWriter, PipeEndError
from realtime.midi.ports import Direction, PortListing, Wires

START_WITHIN_S, AGAIN_WITHIN_S = 60.0, 20.0
"""So long a guardian may take to begin, and one that takes the place of another: on a loaded
machine the first has taken more than 20 s."""
ANSWER_WITHIN_S = 2.0
PATIENCE_S = 15.0
"""A guardian that lives and gives no answer is busy, as all is on a loaded machine; after so long it is ended."""
OPEN_WITHIN_S = 10.0
END_WITHIN_S = 5.0
FULL_FOR_S = 0.2
"""A guardian that takes nothing for this long has failed."""

_WAIT_S = 0.05


class GuardedInput:
    """An input that the guardian holds; it says of each message when that arrived."""

    def __init__(self, name: str, reader: MessageReader) -> None:
        self._name, self._reader = name, reader
        self._lock = threading.Lock()
        self._is_closed = False
        self.arrived_ns: int | None = None

    @property
    def name(self) -> str:
        return self._name

    def poll(self) -> bytes | None:
        """Return the next whole message, or None."""
        with self._lock:
            if self._is_closed:
                raise PortError(f"MIDI input {self._name!r} is closed")
            try:
                arrival = self._reader.read()
            except PipeEndError as error:
                raise PortError(f"MIDI input {self._name!r} has gone with the MIDI system") from error
        if arrival is None:
            return None
        self.arrived_ns = arrival[0]
        return arrival[1]

    def wait(self) -> None:
        """Wait until something is there, a twentieth of a second at most."""
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile: the next look says so
            self._reader.wait(_WAIT_S)

    def close(self) -> None:
        """Close the port."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._reader.close()


class GuardedOutput:
    """An output that the guardian holds."""

    def __init__(self, name: str, writer: MessageWriter) -> None:
        self._name, self._writer = name, writer
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def name(self) -> str:
        return self._name

    def send(self, data: bytes) -> None:
        """Send one whole message."""
        if not data or len(data) > LONGEST:
            raise PortError(f"MIDI output {self._name!r} refuses a message of {len(data)} bytes")
        with self._lock:
            if self._is_closed:
                raise PortError(f"MIDI output {self._name!r} is closed")
            try:
                if not self._writer.write(0, data):
                    self._writer.wait(FULL_FOR_S)
                    if not self._writer.write(0, data):
                        raise PortError(f"MIDI output {self._name!r} takes no messages any more")
            except PipeEndError as error:
                raise PortError(f"MIDI output {self._name!r} has gone with the MIDI system") from error

    def close(self) -> None:
        """Close the port: what was sent still goes out, what still sounds is released."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._writer.close()


class GuardedSystem:
    """A MIDI system in a guardian, and the ports opened through it. See `realtime.midi.ports.MidiSystem`."""

    def __init__(self, api: str, client: str = "pianod", begun: GuardianProcess | None = None) -> None:
        """Start a guardian, or take the one that has begun; PortError if it finds no MIDI system."""
        self._api, self._client = api, client
        self._lock = threading.Lock()
        self._ports: list[GuardedInput | GuardedOutput] = []
        self._guardian: GuardianProcess | None = None
        self._busy_since_s: float | None = None
        self._wires: Wires | None = None
        self.why_lost = ""
        self._is_closed = False
        with self._lock:
            self._start(START_WITHIN_S, begun)

    @property
    def api(self) -> str:
        """Return the name of the MIDI system."""
        return self._api

    @property
    def guardian_pid(self) -> int | None:
        """Return the guardian's process id; None while there is none."""
        guardian = self._guardian
        return None if guardian is None else guardian.pid

    def list_ports(self) -> PortListing:
        answer, _ = self._ask({"ask": "list"}, ANSWER_WITHIN_S)
        return PortListing(self._api, tuple(answer["inputs"]), tuple(answer["outputs"]), bool(answer["virtual"]))

    def open_input(self, name: str) -> GuardedInput:
        """Open the input whose name is, or else contains, `name`."""
        return self._open_input(name, is_virtual=False)

    def open_output(self, name: str) -> GuardedOutput:
        """Open the output whose name is, or else contains, `name`."""
        return self._open_output(name, is_virtual=False)

    def open_virtual_input(self, name: str) -> GuardedInput:
        """Make an input that other programs connect to."""
        return self._open_input(name, is_virtual=True)

    def open_virtual_output(self, name: str) -> GuardedOutput:
        """Make an output that other programs connect to."""
        return self._open_output(name, is_virtual=True)

    def is_alive(self) -> bool:
        """Ask the guardian; once the answer was no, or it died, it is ended and the answer stays no until `restart`.

        One that lives and gives no answer in time is busy, and counts as alive for PATIENCE_S.
        """
        try:
            answer, _ = self._ask({"ask": "alive"}, ANSWER_WITHIN_S)
        except BusyError:
            return self._is_merely_busy()
        except PortError:
            return False
        self._busy_since_s = None
        known = "listeners" in answer
        self._wires = Wires(frozenset(answer["players"]), frozenset(answer["listeners"])) if known else None
        if not answer["alive"]:
            with self._lock:
                self._kill(str(answer["why"]))
        return bool(answer["alive"])

    def wires(self) -> Wires | None:
        """Return who was connected when it was asked last whether it lives."""
        return self._wires

    def _is_merely_busy(self) -> bool:
        now_s = time.monotonic()
        if self._busy_since_s is None:
            self._busy_since_s = now_s - ANSWER_WITHIN_S
            logger.warning("the guardian of the MIDI ports is slow to answer: is the machine busy? It is waited for")
        guardian = self._guardian
        silent_s = now_s - self._busy_since_s
        if guardian is not None and silent_s < PATIENCE_S and not _is_stopped(guardian.pid):
            return True
        with self._lock:
            self._kill("its guardian was stopped" if silent_s < PATIENCE_S else f"no answer for {silent_s:.0f} s")
        return False

    def restart(self) -> bool:
        """Start another guardian where there is none any more; say whether the MIDI system answers."""
        with self._lock:
            if self._is_closed:
                return False
            if self._guardian is not None:
                return True
            try:
                self._start(AGAIN_WITHIN_S)
            except PortError as error:
                logger.debug("{}", error)
                return False
        return True

    def close(self) -> None:
        """Close every port, let what was sent go out, and end the guardian."""
        with self._lock:
            self._is_closed = True
            for port in self._ports:
                port.close()
            self._ports.clear()
            guardian = self._guardian
            if guardian is None:
                return
            if not guardian.end(END_WITHIN_S):
                logger.debug("the guardian does not end by itself")
            self._guardian = None

    def _open_input(self, name: str, *, is_virtual: bool) -> GuardedInput:
        shown, descriptor = self._open(Direction.INPUT, name, is_virtual)
        port = GuardedInput(shown, MessageReader(descriptor))
        self._ports.append(port)
        return port

    def _open_output(self, name: str, *, is_virtual: bool) -> GuardedOutput:
        shown, descriptor = self._open(Direction.OUTPUT, name, is_virtual)
        port = GuardedOutput(shown, MessageWriter(descriptor))
        self._ports.append(port)
        return port

    def _open(self, direction: Direction, name: str, is_virtual: bool) -> tuple[str, int]:
        """Have a port opened; return its whole name and the pipe to it."""
        question = {"ask": "open", "direction": direction, "name": name, "virtual": is_virtual}
        answer, descriptor = self._ask(question, OPEN_WITHIN_S)
        if descriptor is None:
            raise PortError(f"cannot open the MIDI {direction} {name!r}: the guardian gave no pipe to it")
        return str(answer["name"]), descriptor

    def _start(self, within_s: float, begun: GuardianProcess | None = None) -> None:
        """Start a guardian and wait until it has found the MIDI system; the caller holds the lock."""
        self._guardian = begun or GuardianProcess(self._api, self._client)
        try:
            answer = self._guardian.first_word(within_s)
        except BusyError as error:
            self._kill("its guardian does not start")
            raise PortError(
                f"the guardian of the MIDI ports did not begin within {within_s:.0f} s: is the machine busy? Try again"
            ) from error
        except TalkEndError as error:
            self._kill("its guardian does not start")
            raise PortError(self._notice()) from error
        if "fault" in answer:
            self._kill(answer["fault"])
            raise PortError(answer["fault"])
        self._api = answer["api"]
        self.why_lost, self._busy_since_s = "", None

    def _ask(self, question: dict[str, Any], within_s: float) -> tuple[dict[str, Any], int | None]:
        """Return the guardian's answer and the pipe that came with it; PortError if it has a fault to tell, or none."""
        with self._lock:
            if self._is_closed:
                raise PortError(f"the MIDI system {self._api} is closed")
            if self._guardian is None:
                raise PortError(self._notice())
            try:
                answer, descriptor = self._guardian.talk.ask(question, within_s)
            except TalkEndError as error:
                self._kill("")
                raise PortError(self._notice()) from error
        if "fault" in answer:
            raise PortError(answer["fault"])
        return answer, descriptor

    def _kill(self, why: str) -> None:
        """End a guardian that is of no more use, and keep why; the caller holds the lock."""
        if self._guardian is not None:
            died = self._guardian.ended(after_a_moment=not why)
            self.why_lost = why or ("its guardian has failed" if died is None else f"its guardian has died ({died})")
            self._guardian.kill()
            self._guardian = None
            self._wires = None
            self._ports.clear()

    def _notice(self) -> str:
        return f"the MIDI system {self._api} no longer answers; start it again"


def _is_stopped(pid: int) -> bool:
    """Say whether a process was stopped by a signal, as far as the system tells."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] in (["T"], ["t"])
