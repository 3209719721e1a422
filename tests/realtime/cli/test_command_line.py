"""The command line: what reaches the commands, what help tells, how faults are shown."""

import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from piano.errors import MidiFileError, PortError
from realtime.cli.command_line import COMMANDS, DEMO_HINT, LIVE, build_parser, main
from realtime.cli.requests import SendRequest
from realtime.files.task_requests import ContinueFilesRequest, NewPiecesRequest
from realtime.settings import SettingMark, Settings, marked
from realtime.settings.words import flag_of

BODIES = {
    "realtime.cli.start_live": ("start_live",),
    "realtime.cli.port_list": ("run_ports",),
    "realtime.cli.demo": ("run_demo",),
    "realtime.files.continue_files": ("run_continue",),
    "realtime.files.new_pieces": ("run_new",),
    "realtime.cli.send": ("run_send",),
}


class Bodies:
    """The commands' bodies, put in place of the real ones: they note their arguments, and raise what they are told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.fault: BaseException | None = None

    def body(self, name: str) -> Any:
        def run(*arguments: Any) -> int:
            self.calls.append((name, arguments))
            if self.fault is not None:
                raise self.fault
            return 0

        return run


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bodies:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PIANOD_{name.upper()}", raising=False)
    made = Bodies()
    for module_name, functions in BODIES.items():
        module = ModuleType(module_name)
        for function in functions:
            setattr(module, function, made.body(function))
        monkeypatch.setitem(sys.modules, module_name, module)
    return made


def test_without_a_command_it_plays_live_with_the_settings_given(bodies: Bodies) -> None:
    assert main(["--temperature", "0.5", "--thru", "--seed", "3"]) == 0
    [(name, (settings,))] = bodies.calls
    assert name == "start_live"
    assert (settings.temperature, settings.thru, settings.seed) == (0.5, True, 3)


def test_settings_stand_before_or_after_the_command(bodies: Bodies) -> None:
    assert main(["--seed", "3", "demo", "--out", "there", "--temperature", "0.5"]) == 0
    [(name, (settings, request))] = bodies.calls
    assert (name, request.out, settings.seed, settings.temperature) == ("run_demo", Path("there"), 3, 0.5)


def test_continue_gets_its_request(bodies: Bodies) -> None:
    words = "continue in.mid --out out.mid --notes 50 --variants 2 --transpose -3 --start-s 1.5 --end-s 9 --plot"
    assert main(words.split()) == 0
    [(name, (_, request))] = bodies.calls
    assert name == "run_continue"
    assert request == ContinueFilesRequest(
        files=("in.mid",), out=Path("out.mid"), notes=50, variants=2, transpose=-3, start_s=1.5, end_s=9.0, plot=True
    )
    assert request.of_file(Path("in.mid"), Path("out.mid")).length_s is None


def test_a_new_piece_lasts_half_a_minute_unless_told_otherwise(bodies: Bodies) -> None:
    assert main(["new", "--out", "out.mid"]) == 0
    [(name, (_, request))] = bodies.calls
    assert name == "run_new"
    assert request == NewPiecesRequest(out=Path("out.mid"))
    assert request.length_s == 30.0


def test_send_gets_its_word(bodies: Bodies) -> None:
    assert main(["send", "temperature=0.5", "--panel-port", "9"]) == 0
    [(name, (settings, request))] = bodies.calls
    assert (name, settings.panel_port, request) == ("run_send", 9, SendRequest(what="temperature=0.5"))


def test_ports_are_listed(bodies: Bodies) -> None:
    assert main(["ports", "--api", "jack"]) == 0
    [(name, (settings,))] = bodies.calls
    assert (name, settings.api) == ("run_ports", "jack")


@pytest.mark.parametrize(("flags", "verbosity"), [([], 0), (["-v"], 1), (["-v", "-v"], 2), (["-vvv"], 2)])
def test_each_v_tells_more(bodies: Bodies, flags: list[str], verbosity: int) -> None:
    assert main(flags) == 0
    assert bodies.calls[0][1][0].verbosity == verbosity


EVERY_COMMAND = pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words) or "live"
)


def help_of(command: list[str], flag: str, columns: int, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as left:
            main([*command, flag])
    assert left.value.code == 0
    return capsys.readouterr().out


@EVERY_COMMAND
def test_the_help_of_a_command_shows_what_matters_on_one_screen(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_of(command, "--help", 80, capsys)
    assert len(text.splitlines()) <= 40
    assert "--help-all" in text
    asked_for = COMMANDS[command[0]] if command else LIVE
    for name in asked_for.matters:
        in_request = asked_for.request is not None and name in asked_for.request.model_fields
        if in_request or name in Settings.model_fields:
            assert f"{flag_of(name)} " in text or f"{flag_of(name)}," in text
    if command and asked_for.applies:
        assert "--metronome" not in text


@EVERY_COMMAND
def test_the_long_help_of_a_command_shows_all_that_applies_to_it(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_of(command, "--help-all", 400, capsys)
    asked_for = COMMANDS[command[0]] if command else LIVE
    for name in asked_for.applies or Settings.model_fields:
        assert f"{flag_of(name)} " in text or f"{flag_of(name)}," in text
        assert str(Settings.model_fields[name].description) in text
    for name, field in (asked_for.request.model_fields if asked_for.request else {}).items():
        assert name in ("file", "files", "what") or flag_of(name) in text
        assert str(field.description) in text


def test_what_the_help_shows_is_there() -> None:
    for command in (LIVE, *COMMANDS.values()):
        wishes = command.request.model_fields if command.request else {}
        assert {*command.matters} - {"track", "variants", "plot", "out"} <= {*Settings.model_fields, *wishes}
        assert {*command.applies} <= {*Settings.model_fields}
    for name, mark in (
        ("new", SettingMark.DECIDES_PIECE),
        ("continue", SettingMark.DECIDES_PIECE),
        ("fill", SettingMark.DECIDES_TASK),
    ):
        assert {*marked(mark)} <= {*COMMANDS[name].applies}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--temprature 0.5", "pianod: error: there is no option --temprature; perhaps --temperature"),
        ("--temprature=0.5", "pianod: error: there is no option --temprature; perhaps --temperature"),
        ("fill a.mid --kep right", "pianod fill: error: there is no option --kep; perhaps --keep"),
        ("new --wav --out a.mid", "pianod new: error: there is no option --wav\n"),
        ("contine a.mid", "pianod: error: there is no command 'contine'; perhaps continue"),
        ("--zzz", "pianod: error: there is no option --zzz\n"),
        ("continue", "pianod continue: error: the following arguments are required: FILE"),
    ],
)
def test_what_was_perhaps_meant_is_said(
    bodies: Bodies, capsys: pytest.CaptureFixture[str], words: str, says: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main(words.split())
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith(says)
    assert bodies.calls == []


def test_the_version_tells_program_model_provider_and_python(
    bodies: Bodies, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--version"]) == 0
    program, model, runs_on, python = capsys.readouterr().out.splitlines()
    assert program == f"pianod {version('pianod')}"
    assert model.startswith("model: embedded, ")
    assert runs_on.startswith("runs on: CPUExecutionProvider of ONNX Runtime ")
    assert python.startswith(f"Python {platform.python_version()} on ")
    assert bodies.calls == []


def test_without_onnx_runtime_it_says_what_to_install(bodies: Bodies, capsys: pytest.CaptureFixture[str]) -> None:
    bodies.fault = ModuleNotFoundError("No module named 'onnxruntime'", name="onnxruntime")
    assert main([]) == 2
    assert "pip install 'pianod[cpu]'" in capsys.readouterr().err
    bodies.fault = ModuleNotFoundError("No module named 'other'", name="other")
    assert main([]) == 1


def test_a_fault_that_the_user_can_mend_is_one_line(bodies: Bodies, capsys: pytest.CaptureFixture[str]) -> None:
    bodies.fault = MidiFileError("song.mid is empty: choose another file")
    assert main(["continue", "song.mid", "--out", "out.mid"]) == 2
    assert capsys.readouterr().err == "pianod: song.mid is empty: choose another file\n"


def test_without_ports_the_demo_is_offered(bodies: Bodies, capsys: pytest.CaptureFixture[str]) -> None:
    bodies.fault = PortError("there is no MIDI system")
    assert main([]) == 2
    assert capsys.readouterr().err == f"pianod: there is no MIDI system\n{DEMO_HINT}\n"
    assert main(["ports"]) == 2
    assert DEMO_HINT not in capsys.readouterr().err


def test_ctrl_c_is_told_in_one_line(bodies: Bodies, capsys: pytest.CaptureFixture[str]) -> None:
    bodies.fault = KeyboardInterrupt()
    assert main([]) == 130
    assert capsys.readouterr().err == "pianod: interrupted\n"
    assert main(["ports"]) == 130
    assert capsys.readouterr().err == "pianod ports: interrupted\n"


def test_a_stack_trace_is_shown_only_when_asked_for(bodies: Bodies, capsys: pytest.CaptureFixture[str]) -> None:
    bodies.fault = RuntimeError("a bolt is loose")
    assert main(["-v"]) == 1
    assert capsys.readouterr().err == (
        "pianod: something went wrong inside pianod (RuntimeError: a bolt is loose). With -v -v it tells where.\n"
    )
    assert main(["-v", "-v"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_impossible_settings_stop_it_before_it_starts(bodies: Bodies, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--temperature", "9", "--top-k", "many"]) == 2
    text = capsys.readouterr().err
    assert "--temperature is '9'; it must be a number above 0 and at most 2" in text
    assert "--top-k is 'many'; it must be a whole number from 0 to 1000" in text
    assert bodies.calls == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("continue a.mid --out b.mid --notes 0", "--notes is '0'; it must be a whole number from 1 to 200000"),
        ("continue a.mid --out b.mid --start-s 5 --end-s 2", "--end-s (2) must come after --start-s (5)"),
        ("new --out b.mid --speed fast", "--speed is 'fast'; it must be a number from 0.1 to 10"),
    ],
)
def test_impossible_requests_are_refused(
    bodies: Bodies, capsys: pytest.CaptureFixture[str], words: str, says: str
) -> None:
    assert main(words.split()) == 2
    assert capsys.readouterr().err == f"pianod: {says}\n"
    assert bodies.calls == []


@pytest.mark.parametrize("words", ["--temperatur 1", "sing", "continue --out b.mid", "new", "--temp 1"])
def test_unknown_and_missing_words_are_refused(bodies: Bodies, capsys: pytest.CaptureFixture[str], words: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(words.split())
    assert left.value.code == 2
    assert "error:" in capsys.readouterr().err
    assert bodies.calls == []


@pytest.mark.parametrize("page", ["README.md", "docs/connect.md", "docs/install.md"])
def test_every_option_that_the_pages_tell_of_is_there(page: str) -> None:
    text = (Path(__file__).parents[3] / page).read_text()
    parser, parsers = build_parser()
    known = {flag for one in (parser, *parsers.values()) for flag in one.flags()}
    told = set(re.findall(r"(?<=pianod)[^\n|`]*", text))
    flags = {flag for words in told for flag in re.findall(r"--[a-z][a-z-]+", words)}
    assert flags
    assert flags - known == set()


def test_what_a_files_name_holds_steers_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "\x1b[2Jsong.mid"
    path.write_bytes(b"no music")
    assert main(["fill", str(path), "--keep", "right"]) == 2
    said = capsys.readouterr().err
    assert "\\x1b[2Jsong.mid: this is not a MIDI file" in said
    assert "\x1b" not in said
