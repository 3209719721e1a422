"""Requests reach the engine; the status tells what is in force."""

import json
from pathlib import Path

import pytest

from piano.errors import ConfigError
from realtime.control.protocol import CHANGEABLE, ControlError, decode_request, encode_status
from realtime.midi.gone_ports import Gone
from realtime.midi.port_events import Received
from realtime.midi.ports import Wires
from realtime.panel.controls import MOST_WAITING, still_gone
from realtime.performers.performer import Activity
from tests.realtime.panel.changes import CHANGES
from tests.realtime.panel.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def ask(stage: Stage, command: str, **fields: object) -> None:
    stage.controls.carry_out(decode_request(json.dumps({"version": 1, "id": 1, "command": command, **fields})))
    stage.turns()


def test_keys_of_a_page_are_heard_and_written_down(stage: Stage) -> None:
    ask(stage, "play", midi=["903c40", "803c40"])
    assert stage.controls.status().heard == 2
    assert len(stage.history.heard.since(0)[0]) == 2
    assert [data for _, data in stage.play.partner.take.sent] == []


def test_chords_are_spelt_as_the_key_is_written(stage: Stage) -> None:
    for key, first in (("F#", ("F#7", "B7")), ("Gb", ("Gb7", "Cb7")), ("Bb", ("Bb7", "Eb7"))):
        ask(stage, "change", settings={"chart": "blues", "chart_key": key})
        chart = stage.controls.status().chart
        assert chart is not None
        assert chart.names[:2] == first


def test_keys_pass_on_where_thru_is_on(stage: Stage) -> None:
    ask(stage, "change", settings={"thru": True})
    ask(stage, "play", midi=["903c40"])
    assert [data for _, data in stage.play.partner.take.sent] == [b"\x90\x3c\x40"]
    assert stage.history.played.since(0)[0] == [], "the player's own keys are not the model's"


def test_the_commands_do_what_they_say(stage: Stage) -> None:
    ask(stage, "play", midi=["903c40", "803c40"])
    ask(stage, "answer")
    assert stage.controls.status().activity == Activity.PLAYING
    ask(stage, "retry")
    assert (stage.controls.status().activity, stage.controls.status().answers) == (Activity.PLAYING, 1)
    ask(stage, "stop")
    assert stage.controls.status().activity == Activity.LISTENING
    ask(stage, "answer")
    ask(stage, "panic")
    assert stage.controls.status().activity == Activity.LISTENING
    ask(stage, "new_piece")
    assert stage.controls.status().stream_tokens == 2


def test_a_loop_is_steered_and_told(stage: Stage) -> None:
    ask(stage, "change", settings={"mode": "loop", "trigger": "cc"})
    ask(stage, "play", midi=["903c40", "803c40"])
    assert (stage.controls.status().activity, stage.controls.status().loop) == (Activity.RECORDING, None)
    ask(stage, "answer")
    loop = stage.controls.status().loop
    assert loop is not None
    assert (loop.course, loop.layers, loop.passes, loop.length_s) == ("renew", 1, 0, 1.0)
    for command, course in (("keep", "keep"), ("undo", "keep"), ("take", "renew"), ("clear", None)):
        ask(stage, command)
        loop = stage.controls.status().loop
        assert (loop and loop.course) == course
    assert stage.controls.status().activity == Activity.LISTENING


@pytest.mark.parametrize("name", CHANGEABLE)
def test_each_change_is_in_force_and_told(stage: Stage, name: str) -> None:
    ask(stage, "change", settings={name: CHANGES[name]})
    assert stage.controls.status().settings[name] == CHANGES[name]


@pytest.mark.parametrize("mode", ["duet", "velocity", "loop"])
def test_the_way_of_playing_changes_and_changes_back(stage: Stage, mode: str) -> None:
    ask(stage, "answer")
    ask(stage, "change", settings={"mode": mode})
    assert (stage.controls.status().mode, stage.controls.status().fault) == (mode, None)
    ask(stage, "play", midi=["903c40", "803c40"])
    ask(stage, "change", settings={"mode": "answer"})
    ask(stage, "answer")
    assert (stage.controls.status().mode, stage.controls.status().activity) == ("answer", Activity.PLAYING)


def test_a_change_while_it_plays_goes_on_playing(stage: Stage) -> None:
    ask(stage, "play", midi=["903c40", "803c40"])
    ask(stage, "answer")
    ask(stage, "change", settings={"composer": "bach", "temperature": 0.5})
    status = stage.controls.status()
    assert (status.activity, status.fault) == (Activity.PLAYING, None)
    assert status.stream_tokens >= 3


def test_what_cannot_be_is_refused_and_changes_nothing(stage: Stage) -> None:
    before = stage.controls.status().settings
    with pytest.raises(ControlError):
        ask(stage, "change", settings={"api": "jack"})
    with pytest.raises(ConfigError):
        ask(stage, "change", settings={"top_p": 0})
    with pytest.raises(ControlError, match="notes, pedals and controllers"):
        ask(stage, "play", midi=["b07b00"])
    assert stage.controls.status().settings == before


def test_a_flood_of_notes_is_refused_but_never_a_release(stage: Stage) -> None:
    for _ in range(MOST_WAITING + 1):
        stage.play.partner.inbox.put(Received(0, b"\xb0\x01\x00"))
    with pytest.raises(ControlError, match="too many"):
        stage.controls.carry_out(decode_request('{"version":1,"id":1,"command":"play","midi":["903c40"]}'))
    stage.controls.carry_out(decode_request('{"version":1,"id":1,"command":"play","midi":["803c40"]}'))


def test_the_status_is_plain_json(stage: Stage) -> None:
    told = json.loads(encode_status(stage.controls.status()))
    assert (told["type"], told["version"], told["activity"], told["has_midi"]) == ("status", 1, "listening", False)


def test_changes_are_called_by_the_file_they_are_from_in_any_key(stage: Stage) -> None:
    def called() -> str | None:
        chart = stage.controls.status().chart
        return None if chart is None else chart.name

    stage.controls.take_chart("Dm7 | G7 | Cmaj7 | %", "two five.txt")
    assert called() == "two five.txt"
    chart = stage.controls.status().chart
    assert chart is not None
    ask(stage, "change", settings={"chart": " | ".join(chart.steps), "chart_key": "Eb"})
    assert called() == "two five.txt"
    ask(stage, "change", settings={"chart": "Am | E7"})
    assert called() == "Am | E7"
    ask(stage, "change", settings={"chart": "blues"})
    assert called() == "blues"
    stage.controls.take_chart(None)
    assert called() is None


def test_changes_of_a_file_of_the_start_are_called_by_it_and_taken_back(tmp_path: Path) -> None:
    (tmp_path / "my tune.txt").write_text("C | F")
    stage = Stage(chart_file=tmp_path / "my tune.txt")
    chart = stage.controls.status().chart
    assert chart is not None
    assert chart.name == "my tune.txt"
    stage.controls.take_chart(None)
    stage.turns()
    assert stage.controls.status().chart is None


def test_what_has_gone_is_told_until_somebody_is_connected_again() -> None:
    gone = (
        Gone("input", "CASIO", returns=False),
        Gone("output", "FP-30", returns=True),
        Gone("system", "jack", returns=True),
    )
    nobody, somebody = Wires(), Wires(frozenset(("another",)), frozenset(("a synthesiser",)))
    assert still_gone(gone, None) == gone
    assert still_gone(gone, nobody) == gone
    assert still_gone(gone, somebody) == gone[1:]
