"""Real ports on a real JACK server: bursts between processes, ports that vanish, a server that dies."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from piano.errors import PortError
from realtime.midi import rtmidi_ports
from realtime.midi.input_thread import MidiInput
from realtime.midi.port_events import PortLost, Received
from realtime.midi.ports import Direction
from realtime.midi.rtmidi_ports import RtmidiSystem, list_ports, open_system
from realtime.midi.watchdog import Watchdog
from realtime.threads.clock import NS_PER_S, MonotonicClock
from realtime.threads.inbox import Inbox
from tests.support.jack import JackServer
from tests.support.programs import need_midi_library, path_of

CLOCK = MonotonicClock()


class Echo:
    """The echo program, running."""

    def __init__(self, server: JackServer) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.echo_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=server.environment(),
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def stop(self) -> None:
        """End the program."""
        self._process.communicate(timeout=30)
        assert self._process.returncode == 0


@pytest.fixture
def echo(jack_server: JackServer) -> Iterator[Echo]:
    program = Echo(jack_server)
    yield program
    program.stop()


@pytest.fixture
def system(jack_server: JackServer) -> Iterator[RtmidiSystem]:  # noqa: ARG001 - the server has to run
    opened = open_system("jack", client="test")
    yield opened
    opened.close()


def take_received(inbox: Inbox[Any], count: int) -> list[bytes]:
    """Take so many messages, for a minute at most."""
    deadline_ns = CLOCK.now_ns() + 60 * NS_PER_S
    taken: list[bytes] = []
    while len(taken) < count and (message := inbox.get(deadline_ns)) is not None:
        assert isinstance(message, Received)
        taken.append(message.data)
    return taken


@pytest.mark.usefixtures("echo")
def test_a_burst_goes_both_ways_between_two_processes(system: RtmidiSystem) -> None:
    listing = system.list_ports()
    assert listing.inputs == ("echo-out:out",)
    assert listing.outputs == ("echo-in:in",)
    inbox: Inbox[Any] = Inbox(CLOCK)
    ear = MidiInput(system.open_input("ECHO"), CLOCK, inbox.put)
    out = system.open_output("echo")
    ear.start()
    burst = [bytes((0xE0, number % 128, number // 128)) for number in range(2000)]
    for data in burst:
        out.send(data)
    assert take_received(inbox, 2000) == burst
    sysex = b"\xf0" + bytes(number % 128 for number in range(4000)) + b"\xf7"
    out.send(sysex)
    assert take_received(inbox, 1) == [sysex]
    ear.stop()


def test_a_port_that_vanishes_is_reported_and_one_that_returns_too(
    system: RtmidiSystem, jack_server: JackServer
) -> None:
    program = Echo(jack_server)
    out = system.open_output("echo-in")
    reports: list[Any] = []
    watchdog = Watchdog(system, reports.append, lambda: 0)
    watchdog.watch(Direction.OUTPUT, out.name)
    watchdog.look()
    assert reports == []
    program.stop()
    watchdog.look()
    assert [type(report) for report in reports] == [PortLost]
    out.send(bytes.fromhex("90 3c 40"))  # into the void: no error, no harm
    again = Echo(jack_server)
    watchdog.look()
    assert [report.name for report in reports] == [out.name, out.name]
    again.stop()


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_a_server_that_dies_is_noticed_and_does_not_hang_or_crash_us(way: str) -> None:
    path_of("jackd")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.death_process", way],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("ok\n")


def test_closed_ports_and_systems_say_so(system: RtmidiSystem) -> None:
    ear, out = system.open_virtual_input("in"), system.open_virtual_output("out")
    ear.close()
    with pytest.raises(PortError, match="'in' is closed"):
        ear.poll()
    system.close()
    system.close()
    with pytest.raises(PortError, match="'out' is closed"):
        out.send(bytes.fromhex("90 3c 40"))
    with pytest.raises(PortError, match="jack is closed"):
        system.list_ports()
    assert not system.is_alive()


class Device:
    """What rtmidi would give, with ports of which one goes while they are listed, and slow to close."""

    closing = 0
    most_closing = 0

    def get_ports(self) -> list[str | None]:
        return ["piano", None, ""]

    def close_port(self) -> None:
        Device.closing += 1
        Device.most_closing = max(Device.most_closing, Device.closing)
        time.sleep(0.002)

    def delete(self) -> None:
        Device.closing -= 1


def test_a_port_that_goes_while_it_is_listed_is_left_out(system: RtmidiSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_lister_in", Device())
    assert system.list_ports().inputs == ("piano",)


@pytest.mark.usefixtures("jack_server")
def test_a_system_that_lists_our_own_port_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    listed, asked = RtmidiSystem._own_beat, []

    def late(self: RtmidiSystem) -> list[int]:
        asked.append(self)
        return listed(self) if len(asked) > 3 else []

    monkeypatch.setattr(RtmidiSystem, "_own_beat", late)
    system = open_system("jack", client="test")
    assert len(asked) > 3
    assert system.list_ports() is not None
    system.close()


@pytest.mark.usefixtures("jack_server")
def test_a_system_that_never_lists_our_own_port_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtmidi_ports, "DOUBTED_FOR_S", 0.2)
    monkeypatch.setattr(RtmidiSystem, "_own_beat", lambda _: [])
    with pytest.raises(PortError, match="cannot reach the MIDI ports"):
        open_system("jack", client="test")


def test_devices_are_closed_one_at_a_time(system: RtmidiSystem) -> None:
    threads = [threading.Thread(target=system.let_go, args=(Device(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Device.closing, Device.most_closing) == (0, 1)


def test_a_message_that_is_none_is_refused_by_name(system: RtmidiSystem) -> None:
    with pytest.raises(PortError, match="'out' refuses"):
        system.open_virtual_output("out").send(b"")


def test_a_wrong_name_lists_what_there_is(system: RtmidiSystem) -> None:
    with pytest.raises(PortError, match="no MIDI input port named 'organ'"):
        system.open_input("organ")


@pytest.mark.usefixtures("jack_server")
def test_listing_by_any_api() -> None:
    assert list_ports("jack").has_virtual


def test_no_server_says_what_to_start(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    need_midi_library()
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "pianod-test-none")
    with pytest.raises(PortError, match=r"'jack' does not answer: .*snd-seq.*JACK.*pianod demo"):
        open_system("jack")
    assert capfd.readouterr().err == ""


def test_no_system_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtmidi_ports, "available_apis", lambda: ())
    with pytest.raises(PortError, match=r"no MIDI system was found: .*`pianod demo` needs none"):
        open_system()


def test_without_the_library_below_there_is_no_midi_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtmidi_ports, "rtmidi", None)
    monkeypatch.setattr(rtmidi_ports, "missing_library", "libasound.so.2")
    assert rtmidi_ports.available_apis() == ()
    for api in ("auto", "jack"):
        with pytest.raises(PortError, match=r"libasound.so.2 is missing .*apt install alsa-utils"):
            open_system(api)


def test_a_library_that_does_not_load_stops_no_import() -> None:
    blocked = "import sys; sys.modules['rtmidi'] = None"
    code = f"{blocked}; from realtime.midi import rtmidi_ports as ports; print(ports.available_apis())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "()\n"


def test_unknown_and_foreign_apis_list_the_others() -> None:
    with pytest.raises(PortError, match="no MIDI API 'oss'; there are: auto, alsa, jack, core, windows"):
        open_system("oss")
    need_midi_library()
    foreign = next(name for name in rtmidi_ports.APIS if name not in rtmidi_ports.available_apis())
    with pytest.raises(PortError, match="not available here"):
        open_system(foreign)


def test_windows_has_no_virtual_ports(system: RtmidiSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_api", "windows")
    with pytest.raises(PortError, match="loopMIDI"):
        system.open_virtual_input("in")
