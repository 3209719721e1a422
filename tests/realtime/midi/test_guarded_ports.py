"""A guardian as a process on a real JACK server, seen from the daemon's end."""

import os
import signal
from typing import Any

import pytest
from loguru import logger

from piano.errors import PortError
from realtime.midi import guarded_ports
from realtime.midi.guarded_ports import GuardedSystem
from realtime.midi.guardian_process import GuardianProcess
from realtime.midi.guardian_talk import BusyError, GuardianTalk
from realtime.midi.rtmidi_ports import open_system
from tests.support.jack import JackServer
from tests.support.programs import need_midi_library

NOTE = bytes.fromhex("903c40")


def test_no_server_says_what_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    need_midi_library()
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "pianod-test-none")
    with pytest.raises(PortError, match=r"'jack' does not answer: .*JACK.*pianod demo"):
        GuardedSystem("jack")


def test_a_machine_that_is_busy_at_the_start_is_told_from_a_system_that_is_dead(
    monkeypatch: pytest.MonkeyPatch, jack_server: JackServer
) -> None:
    del jack_server
    monkeypatch.setattr(guarded_ports, "START_WITHIN_S", 0.0)
    with pytest.raises(PortError, match="is the machine busy"):
        GuardedSystem("jack")


class SilentTalk(GuardianTalk):
    """A guardian that lives and gives no answer in time."""

    def ask(self, question: dict[str, Any], within_s: float) -> tuple[dict[str, Any], int | None]:  # noqa: ARG002
        raise BusyError("not yet")


def test_a_guardian_that_has_begun_is_taken_over(jack_server: JackServer) -> None:
    del jack_server
    begun = GuardianProcess("jack")
    system = GuardedSystem("jack", begun=begun)
    assert system.guardian_pid == begun.pid
    system.open_virtual_output("out").send(NOTE)
    system.close()
    assert begun.ended() == 0


def test_a_guardian_that_nobody_takes_over_ends_with_the_talk(jack_server: JackServer) -> None:
    del jack_server
    assert GuardianProcess("jack").end(60.0)


def test_a_guardian_that_is_slow_is_waited_for_and_not_given_up(
    monkeypatch: pytest.MonkeyPatch, jack_server: JackServer
) -> None:
    del jack_server
    said: list[str] = []
    sink = logger.add(said.append, level="WARNING", format="{message}")
    system = GuardedSystem("jack")
    guardian = system._guardian
    assert guardian is not None
    port, quick, before = system.open_virtual_output("out"), guardian.talk, system.guardian_pid
    monkeypatch.setattr(guardian, "talk", SilentTalk(quick._control))
    assert all(system.is_alive() for _ in range(3))
    monkeypatch.setattr(guardian, "talk", quick)
    assert system.is_alive()
    assert system.guardian_pid == before
    port.send(NOTE)
    monkeypatch.setattr(guardian, "talk", SilentTalk(quick._control))
    monkeypatch.setattr(guarded_ports, "PATIENCE_S", 0.0)
    assert not system.is_alive()
    assert system.why_lost.startswith("no answer for")
    logger.remove(sink)
    assert [line.partition(":")[0] for line in said] == ["the guardian of the MIDI ports is slow to answer"] * 2
    system.close()


def test_ports_play_both_ways_and_a_guardian_that_died_is_started_again(jack_server: JackServer) -> None:
    del jack_server
    system, far = GuardedSystem("jack"), open_system("jack", client="far")
    out, keys = system.open_virtual_output("pianod out"), system.open_virtual_input("pianod in")
    ear, hand = far.open_input("pianod out"), far.open_output("pianod in")
    out.send(NOTE)
    while (data := ear.poll()) is None:
        ear.wait()
    assert data == NOTE
    hand.send(NOTE)
    while (data := keys.poll()) is None:
        keys.wait()
    assert data == NOTE
    assert keys.arrived_ns is not None
    with pytest.raises(PortError, match="no MIDI input port named 'organ'"):
        system.open_input("organ")
    with pytest.raises(PortError, match="refuses"):
        out.send(b"")
    out.close()
    with pytest.raises(PortError, match="is closed"):
        out.send(NOTE)
    assert system.is_alive()
    assert system.restart()
    assert system.guardian_pid is not None
    os.kill(system.guardian_pid, signal.SIGKILL)
    assert not system.is_alive()
    with pytest.raises(PortError, match="gone with the MIDI system"):
        keys.poll()
    with pytest.raises(PortError, match="no longer answers"):
        system.list_ports()
    assert system.restart()
    assert system.open_virtual_output("again").name == "again"
    system.close()
    system.close()
    assert not system.restart()
    with pytest.raises(PortError, match="jack is closed"):
        system.list_ports()
    far.close()
