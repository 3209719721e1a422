"""Ports are chosen while it plays: from the list there is, with nothing left sounding at the port that is left."""

import json
from collections.abc import Callable, Iterator

import pytest

from realtime.control.protocol import ControlError, decode_request
from realtime.engine.event_rings import EventRings
from realtime.live.live_session import LivePlay
from realtime.midi.memory_ports import MemoryMidiSystem
from realtime.panel.controls import Controls, Stage
from realtime.settings import Settings
from realtime.threads.clock import MonotonicClock
from tests.support.scripted_play import model_of_chance

WITHIN = 2_000


class Room:
    """A session on four cables in memory."""

    def __init__(self) -> None:
        self.system = MemoryMidiSystem(MonotonicClock(), ("keys", "organ", "sound", "speaker"))
        settings = Settings(seed=3, input="keys", output="sound", thru=True, trigger="pedal")
        history = EventRings()
        self.play = LivePlay(settings, self.system, model_of_chance(), 3, history)
        stage = Stage(self.play, history, settings, 3, "chance", has_midi=True)
        self.controls = Controls(stage, MonotonicClock())

    def choose(self, direction: str, port: str | None) -> None:
        fields = {} if port is None else {"port": port}
        request = {"version": 1, "id": 1, "command": "choose_port", "direction": direction, **fields}
        self.controls.carry_out(decode_request(json.dumps(request)))

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(WITHIN):
            if condition():
                return
            self.play.partner.engine.wait(0.01)
        raise AssertionError("it did not come to pass")


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    with room.play:
        room.until(lambda: room.controls.status().inputs != ())
        yield room


def test_another_keyboard_is_heard(room: Room) -> None:
    room.choose("input", "organ")
    room.until(lambda: room.controls.status().input == "organ")
    room.system.open_output("organ").send(b"\x90\x3c\x40")
    room.until(lambda: room.controls.status().heard == 1)


def test_another_sound_is_played_on_and_the_old_one_is_silenced(room: Room) -> None:
    old, new = room.system.open_input("sound"), room.system.open_input("speaker")
    room.system.open_output("keys").send(b"\x90\x3c\x40")
    room.until(lambda: old.poll() == b"\x90\x3c\x40")
    room.choose("output", "speaker")
    room.until(lambda: old.poll() == b"\x80\x3c\x40")
    room.until(lambda: room.controls.status().output == "speaker")
    room.system.open_output("keys").send(b"\x90\x3e\x40")
    room.until(lambda: new.poll() == b"\x90\x3e\x40")


def test_a_port_of_our_own_is_chosen_by_no_name(room: Room) -> None:
    room.choose("output", None)
    room.until(lambda: room.controls.status().output == "pianod out")


def test_a_port_that_is_not_there_is_refused(room: Room) -> None:
    with pytest.raises(ControlError, match="no MIDI input port named 'harp'"):
        room.choose("input", "harp")
