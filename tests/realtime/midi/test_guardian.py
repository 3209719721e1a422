"""The guardian over ports in memory, in this process: what it does when a pipe ends, or the daemon falls silent."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from realtime.midi import guardian
from realtime.midi.guardian import Guardian
from realtime.midi.memory_ports import MemoryInputPort, MemoryMidiSystem, MemoryOutputPort
from realtime.midi.message import MessageKind, kind_of
from realtime.midi.message_pipe import MessageReader, MessageWriter, PipeEndError
from realtime.midi.ports import Wires
from realtime.threads.clock import MonotonicClock

NOTE, PEDAL = bytes.fromhex("903c40"), bytes.fromhex("b0407f")
RELEASE = [bytes.fromhex(text) for text in ("803c40", "b04000", "b04200", "b07b00")]


class Daemon:
    """The other end of the socket."""

    def __init__(self) -> None:
        self.system = MemoryMidiSystem(MonotonicClock(), ["keys", "sound"])
        self.control, self._theirs = socket.socketpair()
        self.guardian = Guardian(self.system, self._theirs)
        self._thread = threading.Thread(target=self.guardian.serve)
        self._thread.start()

    def ask(self, **question: Any) -> tuple[dict[str, Any], int | None]:
        """Return the answer to a question and the pipe that came with it."""
        self.control.sendall(json.dumps(question).encode() + b"\n")
        line, descriptors, _, _ = socket.recv_fds(self.control, 65_536, 1)
        answer = json.loads(line)
        assert answer.pop("has_descriptor") == bool(descriptors)
        assert answer.pop("id") == question.get("id")
        return answer, descriptors[0] if descriptors else None

    def open(self, direction: str, name: str, *, virtual: bool = False) -> int:
        """Return the pipe to a port."""
        _, descriptor = self.ask(ask="open", direction=direction, name=name, virtual=virtual)
        assert descriptor is not None
        return descriptor

    def end(self) -> None:
        """Be gone."""
        self.control.close()
        self._thread.join()
        self.guardian.end()
        self._theirs.close()


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    running = Daemon()
    yield running
    running.end()


def heard(ears: MemoryInputPort, count: int) -> list[bytes]:
    """Wait for so many messages."""
    messages: list[bytes] = []
    while len(messages) < count:
        if (data := ears.poll()) is not None:
            messages.append(data)
        else:
            ears.wait()
    return messages


def test_when_the_pipe_of_an_output_ends_what_sounds_there_is_released(daemon: Daemon) -> None:
    ears = daemon.system.open_input("sound")
    writer = MessageWriter(daemon.open("output", "SOUND"))
    for data in (NOTE, PEDAL):
        assert writer.write(0, data)
    writer.close()
    assert heard(ears, 6) == [NOTE, PEDAL, *RELEASE]


def test_a_daemon_that_asks_nothing_any_more_is_silenced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guardian, "SILENT_FOR_S", 0.05)
    running = Daemon()
    ears = running.system.open_input("sound")
    writer = MessageWriter(running.open("output", "sound"))
    assert writer.write(0, NOTE)
    assert heard(ears, 5) == [NOTE, *RELEASE]
    assert writer.write(0, NOTE)
    writer.close()
    running.end()
    assert heard(ears, 5) == [NOTE, *RELEASE]
    assert ears.poll() is None


def test_what_comes_in_is_handed_on_with_its_moment(daemon: Daemon) -> None:
    reader = MessageReader(daemon.open("input", "keys"))
    daemon.system.open_output("keys").send(NOTE)
    before_ns = MonotonicClock().now_ns()
    while (arrival := reader.read()) is None:
        reader.wait(1.0)
    assert arrival[1] == NOTE
    assert abs(arrival[0] - before_ns) < 5_000_000_000
    daemon.system.unplug("keys")
    reader.wait(5.0)
    with pytest.raises(PipeEndError):
        reader.read()


def test_releases_that_nobody_heard_are_sent_to_the_first_who_listens(daemon: Daemon) -> None:
    daemon.system.connected = Wires()
    writer = MessageWriter(daemon.open("output", "ours", virtual=True))
    before = daemon.system.open_input("ours")
    struck_since = bytes.fromhex("903e40")
    messages = [*RELEASE[:2], bytes.fromhex("803e40"), bytes.fromhex("b07b00"), NOTE, RELEASE[0], struck_since]
    for data in messages:
        assert writer.write(0, data)
    assert heard(before, len(messages)) == messages
    assert daemon.ask(ask="alive")[0]["listeners"] == []
    assert before.poll() is None
    daemon.system.connected = Wires(listeners=frozenset(("synthesiser",)))
    assert daemon.ask(ask="alive")[0]["listeners"] == ["synthesiser"]
    owed = [RELEASE[1], RELEASE[0]]  # not of the key that is down, nor what would end all keys
    assert heard(before, 2) == owed
    daemon.ask(ask="alive")
    assert before.poll() is None, "it is owed once"
    writer.close()


def test_where_nobody_knows_who_listens_releases_are_sent_again_for_a_while(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guardian, "REPEAT_S", 1e-9)
    monkeypatch.setattr(guardian, "REPEAT_FOR_S", 4e-9)
    writer = MessageWriter(daemon.open("output", "ours", virtual=True))
    ears = daemon.system.open_input("ours")
    assert writer.write(0, RELEASE[0])
    assert heard(ears, 1) == [RELEASE[0]]
    for _ in range(5):
        daemon.ask(ask="alive")
    again = []
    while (data := ears.poll()) is not None:
        again.append(data)
    assert again == [RELEASE[0]] * 3
    writer.close()


def test_a_message_of_a_megabyte_costs_the_port_nothing(daemon: Daemon) -> None:
    reader = MessageReader(daemon.open("input", "keys"))
    hands = daemon.system.open_output("keys")
    hands.send(b"\xf0" + bytes(1_000_000) + b"\xf7")
    hands.send(NOTE)
    arrived: list[bytes] = []
    while len(arrived) < 2:
        reader.wait(None)
        while (arrival := reader.read()) is not None:
            arrived.append(arrival[1])
    assert arrived == [b"\xf0", NOTE]
    assert kind_of(arrived[0]) is MessageKind.MALFORMED, "counted as that"


def test_it_says_what_is_wrong(daemon: Daemon) -> None:
    assert daemon.ask(ask="alive") == ({"alive": True, "why": ""}, None)
    answer, _ = daemon.ask(ask="list")
    assert answer == {"inputs": ["keys", "sound"], "outputs": ["keys", "sound"], "virtual": True}
    answer, descriptor = daemon.ask(ask="open", direction="input", name="organ", virtual=False)
    assert "no MIDI input port named 'organ'" in answer["fault"]
    assert descriptor is None
    daemon.system.die()
    assert daemon.ask(ask="alive", id=7) == ({"alive": False, "why": "it no longer answers"}, None)


def test_an_output_that_fails_in_a_way_nobody_foresaw_releases_what_it_can_and_lets_go(
    daemon: Daemon, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ears = daemon.system.open_input("sound")
    writer = MessageWriter(daemon.open("output", "sound"))
    broken = bytes.fromhex("904040")
    send = MemoryOutputPort.send

    def fail(port: MemoryOutputPort, data: bytes) -> None:
        if data == broken:
            raise RuntimeError("a bolt is loose")
        send(port, data)

    monkeypatch.setattr(MemoryOutputPort, "send", fail)
    for data in (NOTE, broken):
        assert writer.write(0, data)
    assert heard(ears, 2)[:2] == [NOTE, RELEASE[0]]
    daemon.guardian.end()
    with pytest.raises(PipeEndError):
        writer.check()
    assert "a bolt is loose" in capfd.readouterr().err


def test_an_input_that_fails_in_a_way_nobody_foresaw_lets_go(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(_port: MemoryInputPort) -> bytes:
        raise RuntimeError("a bolt is loose")

    monkeypatch.setattr(MemoryInputPort, "poll", fail)
    reader = MessageReader(daemon.open("input", "keys"))
    reader.wait(30.0)
    with pytest.raises(PipeEndError):
        reader.read()
    assert "an input; RuntimeError: a bolt is loose" in capfd.readouterr().err


def test_a_guardian_that_gives_up_releases_what_sounds_and_sends_nothing_more(daemon: Daemon) -> None:
    ears = daemon.system.open_input("sound")
    writer = MessageWriter(daemon.open("output", "sound"))
    assert writer.write(0, NOTE)
    assert heard(ears, 1) == [NOTE]
    daemon.guardian.release(for_good=True)
    assert writer.write(0, NOTE)
    writer.close()
    daemon.guardian.end()
    assert heard(ears, 4) == RELEASE
    assert ears.poll() is None
