"""Ports are chosen while it plays: from the list there is, with nothing left sounding at the port that is left."""

import json
from collections.abc import Iterator

import pytest

from realtime.control.protocol import ControlError, decode_request
from realtime.settings import Settings
from tests.realtime.panel.room import Room


class ChoosingRoom(Room):
    """A session on four cables in memory."""

    def __init__(self) -> None:
        settings = Settings(seed=3, input="keys", output="sound", thru=True, trigger="pedal")
        super().__init__(("keys", "organ", "sound", "speaker"), settings)

    def choose(self, direction: str, port: str | None) -> None:
        fields = {} if port is None else {"port": port}
        request = {"version": 1, "id": 1, "command": "choose_port", "direction": direction, **fields}
        self.controls.carry_out(decode_request(json.dumps(request)))


@pytest.fixture
def room() -> Iterator[ChoosingRoom]:
    room = ChoosingRoom()
    with room.play:
        room.until(lambda: room.controls.status().inputs != ())
        yield room


def test_another_keyboard_is_heard(room: ChoosingRoom) -> None:
    room.choose("input", "organ")
    room.until(lambda: room.controls.status().input == "organ")
    room.system.open_output("organ").send(b"\x90\x3c\x40")
    room.until(lambda: room.controls.status().heard == 1)


def test_another_sound_is_played_on_and_the_old_one_is_silenced(room: ChoosingRoom) -> None:
    old, new = room.system.open_input("sound"), room.system.open_input("speaker")
    room.system.open_output("keys").send(b"\x90\x3c\x40")
    room.until(lambda: old.poll() == b"\x90\x3c\x40")
    room.choose("output", "speaker")
    room.until(lambda: old.poll() == b"\x80\x3c\x40")
    room.until(lambda: room.controls.status().output == "speaker")
    room.system.open_output("keys").send(b"\x90\x3e\x40")
    room.until(lambda: new.poll() == b"\x90\x3e\x40")


def test_a_port_of_our_own_is_chosen_by_no_name(room: ChoosingRoom) -> None:
    room.choose("output", None)
    room.until(lambda: room.controls.status().output == "pianod out")


def test_a_port_that_is_not_there_is_refused(room: ChoosingRoom) -> None:
    with pytest.raises(ControlError, match="no MIDI input port named 'harp'"):
        room.choose("input", "harp")
