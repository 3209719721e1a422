"""What the panel's doctor says over HTTP, and what it sends to the piano at the output."""

import asyncio
import json
from collections.abc import Callable, Iterator

import pytest

from realtime.doctor.cable import PROBE
from realtime.midi.ports import Wires
from realtime.panel.doctor_routes import cable_findings, findings_of
from realtime.panel.server import PanelServer
from realtime.settings import Settings
from tests.realtime.panel.clients import get
from tests.realtime.panel.room import Room


@pytest.fixture
def room() -> Iterator[Room]:
    """Give a session beside a piano in memory, whose keys and sound have one name."""
    settings = Settings(seed=3, input="Casio", output="Casio", panel_port=0, takes=None)
    room = Room(("Casio", "pianod two"), settings)
    with room.play:
        yield room


def test_the_keyboard_is_judged_by_what_was_heard(room: Room) -> None:
    assert findings_of(room.controls)[0].grade == "fault", "nothing was heard"
    keys = room.system.open_output("Casio")
    for pitch in range(60, 70):
        keys.send(bytes((0x90, pitch, 64)))
    room.until(lambda: len(room.controls.last(60)) >= 10)
    found = findings_of(room.controls)
    fixed = next(one for one in found if "every key has velocity 64" in one.says)
    assert fixed.change is not None
    assert fixed.change.settings == {"mode": "velocity", "strength": 1.0}
    assert any("is keyboard and sound" in one.says for one in found)


def cable_of(room: Room, meanwhile: Callable[[], None]) -> list[str]:
    """Return what is said of the cable, where something happens between the probe and the look."""

    async def pause(_seconds: float) -> None:
        meanwhile()

    return [one.says for one in asyncio.run(cable_findings(room.controls, pause))]


def test_a_clock_flood_is_told_in_the_panel(room: Room) -> None:
    keys = room.system.open_output("Casio")

    def flood() -> None:
        for _ in range(20_000):
            keys.send(b"\xf8")
        room.until(lambda: (status := room.controls.input_status()) and status.real_time >= 20_000)

    assert any("a flood" in said for said in cable_of(room, flood))
    assert not any("a flood" in said for said in cable_of(room, lambda: None))


def test_a_loop_is_told_in_the_panel(room: Room) -> None:
    piano, keys = room.system.open_input("Casio"), room.system.open_output("Casio")

    def comes_back() -> None:
        probe = bytes((0xB0, PROBE, 85))
        room.until(lambda: piano.poll() == probe)
        keys.send(probe)
        room.until(lambda: any(one.data == probe for one in room.controls.last(60)))

    assert any("comes back to it: there is a loop" in said for said in cable_of(room, comes_back))
    assert any("does not come back" in said for said in cable_of(room, lambda: None))


def test_the_sound_is_tried_and_the_piano_told_to_be_silent(room: Room) -> None:
    piano = room.system.open_input("Casio")
    with PanelServer(room.settings, room.controls) as server:
        assert get(server, "/api/doctor/local-control?on=0", "POST")[0] == 200
        room.until(lambda: piano.poll() == b"\xb0\x7a\x00")
        assert get(server, "/api/doctor/local-control?on=2", "POST")[0] == 400
        assert get(server, "/api/doctor/sound", "POST")[0] == 200
        room.until(lambda: piano.poll() == b"\x90\x3c\x50")
        room.until(lambda: piano.poll() == b"\x80\x48\x40")
        code, said = get(server, "/api/doctor/keyboard", "POST")
        assert (code, json.loads(said)[0]["title"]) == (200, "Your keyboard")


def test_who_is_connected_is_told_and_ports_of_a_pianod_are_not_offered(room: Room) -> None:
    room.system.connected = Wires(frozenset({"b", "a"}), frozenset())
    room.until(lambda: room.controls.status().players == ("a", "b"))
    status = room.controls.status()
    assert (status.listeners, status.inputs, status.outputs) == ((), ("Casio",), ("Casio",))
    room.system.plug("CASIO USB-MIDI")
    room.until(lambda: room.controls.status().inputs == ("Casio", "CASIO USB-MIDI"))
