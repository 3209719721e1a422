"""`pianod doctor` as a whole, on ports in memory: what is printed, and how it ends."""

import json
from collections.abc import Sequence

import pytest

from piano.errors import PortError
from realtime.cli import doctor, main
from realtime.cli.requests import DoctorRequest
from realtime.doctor.finding import Finding, good
from realtime.midi.memory_ports import MemoryInputPort, MemoryMidiSystem
from realtime.settings import Settings
from realtime.threads.clock import MonotonicClock


class Desk(MemoryMidiSystem):
    """A keyboard that has played before anyone listens."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__(MonotonicClock(), ["CASIO"])
        self._messages = messages

    def open_input(self, name: str) -> MemoryInputPort:
        port = super().open_input(name)
        for message in self._messages if name == "CASIO" else ():
            port.feed(bytes.fromhex(message))
        return port


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def model(*_: object) -> list[Finding]:
        return [good("the model runs")]

    monkeypatch.setattr(doctor, "_model", model)
    monkeypatch.setattr(doctor, "available_apis", lambda: ("jack",))


def run(
    desk: MemoryMidiSystem, monkeypatch: pytest.MonkeyPatch, settings: Settings | None = None, **wishes: object
) -> int:
    monkeypatch.setattr(doctor, "RtmidiSystem", lambda *_: desk)
    monkeypatch.setattr(doctor, "open_system", lambda *_: desk)
    return doctor.run_doctor(settings or Settings(), DoctorRequest.model_validate(wishes))


def test_it_looks_measures_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Desk([]), monkeypatch) == 0
    said = capsys.readouterr().out
    for part in ("MIDI\n", "keyboard or program to listen to: CASIO", "The cables\n  ok  a message travels"):
        assert part in said
    assert said.endswith("To have your keyboard judged:  pianod doctor --listen-s 15\n")


def test_as_json_a_program_reads_what_was_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [f"90{pitch:02x}40" for pitch in range(60, 70)]
    assert run(Desk(keys), monkeypatch, listen_s=0.01, as_json=True) == 2
    sections = json.loads(capsys.readouterr().out)
    assert [section["title"] for section in sections] == ["MIDI", "The computer", "The cables", "Your keyboard"]
    fixed = next(one for one in sections[-1]["findings"] if one["grade"] == "fault")
    assert fixed["change"]["settings"] == {"mode": "velocity", "strength": 1.0}


def test_a_keyboard_is_judged_and_a_fault_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [f"99{pitch:02x}40" for pitch in range(60, 70)]
    assert run(Desk(keys), monkeypatch, listen_s=0.01) == 2
    said = capsys.readouterr().out
    assert "  !!  all 10 keys came on channel 10" in said
    assert "        set the keyboard's transmit channel to 1" in said


def test_without_a_midi_system_a_keyboard_cannot_be_heard(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PortError("the MIDI system 'jack' does not answer: start it")

    monkeypatch.setattr(doctor, "RtmidiSystem", refuse)
    assert doctor.run_doctor(Settings(), DoctorRequest(listen_s=1)) == 2
    assert "it cannot be heard" in capsys.readouterr().out


def test_local_control_is_set_by_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    desk = MemoryMidiSystem(MonotonicClock(), ["CASIO"])
    assert run(desk, monkeypatch, local_control="off") == 0
    assert capsys.readouterr().out.startswith("Local Control is off on 'CASIO'")


def test_the_piano_whose_local_control_is_set_is_one_that_is_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in ([], ["CASIO", "a synthesiser"]):
        with pytest.raises(PortError, match="name the piano's with --output"):
            run(MemoryMidiSystem(MonotonicClock(), names), monkeypatch, local_control="off")


def test_the_exit_code_tells_whether_something_is_to_be_mended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Desk([]), monkeypatch) == 0
    assert "\nNothing is wrong" in capsys.readouterr().out
    named = Settings(input="CASIO", output="no such synthesiser")
    assert run(Desk([]), monkeypatch, named) == 2
    said = capsys.readouterr().out
    assert "  ok  the input that is asked for is there: CASIO" in said
    assert "  !!  no MIDI output port named 'no such synthesiser'\n        there are: 'CASIO'" in said
    assert "\n1 of " in said
    assert run(Desk([]), monkeypatch, Settings(input="no such keyboard"), listen_s=0.01, as_json=True) == 2
    assert "it cannot be heard" in json.dumps(json.loads(capsys.readouterr().out)[-1])


def test_a_midi_system_that_was_asked_for_and_does_not_answer_is_to_be_mended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PortError("the MIDI system 'jack' does not answer: start it")

    monkeypatch.setattr(doctor, "RtmidiSystem", refuse)
    assert doctor.run_doctor(Settings(), DoctorRequest()) == 0, "any other will do, and the page too"
    assert doctor.run_doctor(Settings(api="jack"), DoctorRequest()) == 2
    assert "  !!  the MIDI system 'jack' does not answer" in capsys.readouterr().out


def test_the_help_tells_what_the_exit_code_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "Ends with 0 where nothing is wrong, 2 where something is to be mended." in said
