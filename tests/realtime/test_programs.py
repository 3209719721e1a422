"""The mode by program change: the engine goes over, the settings in force say so, and the sound is left alone."""

import pytest

from piano.events import NoteOn
from realtime.clock import MonotonicClock
from realtime.commands import Mode
from realtime.inbox import Received
from realtime.live import LivePlay
from realtime.memory_ports import MemoryMidiSystem, MemoryOutputPort
from realtime.midi_message import bytes_of
from realtime.programs import PROGRAMS, ModeChooser
from realtime.settings import Settings
from tests.realtime.stage import model_of_chance


def a_play(**settings: object) -> LivePlay:
    system = MemoryMidiSystem(MonotonicClock())
    return LivePlay(Settings.model_validate({"seed": 3, **settings}), system, model_of_chance(), 3)


def turns(play: LivePlay) -> None:
    while len(play.partner.inbox):
        play.partner.engine.turn(0)


def test_a_program_stands_for_a_mode() -> None:
    chooser = ModeChooser(by_program=True, controller=20)
    assert [chooser.mode_of(bytes((0xC0, number))) for number in range(4)] == [*PROGRAMS, None]
    assert chooser.mode_of(b"\xcf\x01") is Mode.DUET
    values = [chooser.mode_of(bytes((0xB0, 20, value))) for value in (0, 42, 43, 85, 86, 127)]
    assert values == [mode for mode in PROGRAMS for _ in range(2)]
    for other in (b"\xd0\x01", b"\x90\x14\x40", b"\xb0\x15\x40", b""):
        assert chooser.mode_of(other) is None
        assert ModeChooser().mode_of(other) is None


def test_the_mode_goes_over_and_the_settings_say_so() -> None:
    play = a_play(mode_by_program=True, temperature=0.9)
    for number, mode in ((2, Mode.VELOCITY), (1, Mode.DUET), (1, Mode.DUET), (77, Mode.DUET), (0, Mode.ANSWER)):
        play.play(bytes((0xC0, number)))
        turns(play)
        assert play.partner.engine.status().mode is mode
        assert play.settings == Settings(seed=3, mode=mode.value, mode_by_program=True, temperature=0.9)
    assert play.partner.scheduler.status().sent == 0, "the instrument keeps its sound"


def test_other_settings_that_are_changed_do_not_undo_it() -> None:
    play = a_play(mode_by_program=True)
    play.play(b"\xc0\x02")
    turns(play)
    play.change(lambda settings: settings.model_copy(update={"strength": 1.0}))
    turns(play)
    assert play.partner.engine.status().mode is Mode.VELOCITY
    play.play(bytes_of(NoteOn(60, 40)))
    turns(play)
    assert play.partner.scheduler.status().sounding.thru == ((0, 60),)


@pytest.mark.parametrize("flags", [{"mode_by_program": False}, {"mode_by_program": True, "input_channel": 3}])
def test_where_it_is_not_asked_for_a_program_change_is_the_instruments(flags: dict[str, object]) -> None:
    play = a_play(mode="duet", thru=True, **flags)
    play.play(b"\xc0\x02")
    turns(play)
    assert play.partner.engine.status().mode is Mode.DUET
    assert isinstance(play.ports.output, MemoryOutputPort)
    assert [sent.data for sent in play.ports.output.sent] == [b"\xc0\x02"]


def test_it_comes_over_the_inbox_like_any_message() -> None:
    play = a_play(mode_by_program=True)
    play.partner.inbox.put(Received(0, b"\xc0\x01"))
    turns(play)
    assert play.settings.mode == "duet"


def test_a_controller_chooses_too_and_goes_no_further() -> None:
    play = a_play(mode_cc=20, thru=True)
    for value, mode in ((60, "duet"), (100, "velocity"), (127, "velocity"), (0, "answer")):
        play.play(bytes((0xB0, 20, value)))
        turns(play)
        assert play.settings.mode == mode
    assert play.partner.scheduler.status().sent == 0
