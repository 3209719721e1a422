"""The mode, and what becomes of a loop, by program change and controller: what asks is obeyed and goes no further."""

import pytest

from piano.events import NoteOff, NoteOn
from realtime.engine.commands import ComeToEnd, Keep, NewPiece, Retry, Undo
from realtime.engine.mode_chooser import PROGRAMS, WISHES, ModeChooser
from realtime.live.live_session import LivePlay
from realtime.midi.memory_ports import MemoryMidiSystem, MemoryOutputPort
from realtime.midi.message import bytes_of
from realtime.midi.port_events import Received
from realtime.performers.play_settings import Mode
from realtime.settings import Settings
from realtime.threads.clock import MonotonicClock
from tests.support.session_models import model_of_chance


def a_play(**settings: object) -> LivePlay:
    system = MemoryMidiSystem(MonotonicClock())
    return LivePlay(Settings.model_validate({"seed": 3, **settings}), system, model_of_chance(), 3)


def turns(play: LivePlay) -> None:
    while len(play.partner.inbox):
        play.partner.engine.turn(0)


def test_a_program_stands_for_a_mode() -> None:
    chooser = ModeChooser(by_program=True, controller=20)
    assert [chooser.mode_of(bytes((0xC0, number))) for number in range(5)] == [*PROGRAMS, None]
    assert chooser.mode_of(b"\xcf\x01") is Mode.DUET
    values = [chooser.mode_of(bytes((0xB0, 20, value))) for value in (0, 31, 32, 63, 64, 95, 96, 127)]
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
    for value, mode in ((60, "duet"), (90, "velocity"), (127, "loop"), (100, "loop"), (0, "answer")):
        play.play(bytes((0xB0, 20, value)))
        turns(play)
        assert play.settings.mode == mode
    assert play.partner.scheduler.status().sent == 0


def test_a_program_or_a_controller_says_what_becomes_of_a_loop() -> None:
    assert (Retry(), Keep(), Undo(), NewPiece(), ComeToEnd()) == WISHES
    chooser = ModeChooser(by_program=True, controller=20, wish_controllers=(30, None, 32, 33))
    programs = [chooser.command_of(bytes((0xC3, number))) for number in range(3, 10)]
    assert programs == [None, *WISHES, None]
    pressed = [chooser.command_of(bytes((0xB0, number, 64))) for number in (20, 30, 31, 32, 33)]
    assert pressed == [None, Retry(), None, Undo(), NewPiece()]
    assert chooser.command_of(b"\xb0\x1e\x3f") is None
    assert chooser.takes(b"\xb0\x1e\x3f"), "the release of the pad is no music either"
    assert not chooser.takes(b"\xb0\x1f\x7f")
    assert ModeChooser().command_of(b"\xc0\x04") is None


def test_a_loop_is_kept_by_a_pad_and_cleared_by_a_program() -> None:
    play = a_play(mode="loop", mode_by_program=True, keep_cc=30, thru=True, trigger="cc")
    for data in (bytes_of(NoteOn(60, 40)), b"\xb0\x50\x7f", b"\xb0\x50\x00", b"\xb0\x1e\x7f", b"\xb0\x1e\x00"):
        play.play(data)
        turns(play)
    loop = play.partner.engine.status().performer.loop
    assert loop is not None
    assert (loop.course, loop.layers) == ("keep", 1)
    play.play(b"\xc0\x07")
    turns(play)
    assert play.partner.engine.status().performer.loop is None
    assert isinstance(play.ports.output, MemoryOutputPort)
    sent = [sent.data for sent in play.ports.output.sent]
    assert not [data for data in sent if data[0] == 0xC0 or data[:2] == b"\xb0\x1e"]


def test_the_key_that_asks_for_an_answer_is_not_passed_on() -> None:
    play = a_play(trigger="key", trigger_key=108, thru=True)
    for data in (bytes_of(NoteOn(60, 40)), bytes_of(NoteOff(60)), bytes_of(NoteOn(108, 40)), bytes_of(NoteOff(108))):
        play.play(data)
        turns(play)
    assert isinstance(play.ports.output, MemoryOutputPort)
    assert {sent.data[1] for sent in play.ports.output.sent if sent.data[0] < 0xA0} == {60}
