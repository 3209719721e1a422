"""The command line: which command, which settings, and how every fault is shown. Runs on the main thread.

Flags are made from the settings and the requests, so that a new setting needs no line here. The commands are
imported when they run, which keeps `--help` quick. Exit codes: 0 done, 1 a fault of pianod, 2 a fault that the
user can mend (one message, no stack trace), 130 interrupted; see `realtime.cli.exit_code`.
"""

import argparse
import gc
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from pydantic import BaseModel, ValidationError

from piano.errors import ConfigError
from realtime.cli.exit_code import begin_log, exit_code
from realtime.cli.parser import WITHOUT_FLAG, Parser, ShortHelp, add_request, add_settings, check_flags, wants_all
from realtime.cli.requests import DemoRequest, DoctorRequest, SendRequest
from realtime.files.task_requests import (
    SUMMARIES,
    CleanRequest,
    ContinueFilesRequest,
    FillRequest,
    NewPiecesRequest,
    PerformRequest,
    VelocitiesRequest,
)
from realtime.settings import DEFAULT_FILE, PREFIX, SettingMark, Settings, load_settings, marked
from realtime.settings.words import fault_in_words, faults_as_text, flag_of

DEMO_HINT = "No MIDI at hand? This needs none, and writes what it plays to files:  bin/pianod demo --out demo"


@dataclass(frozen=True, slots=True)
class CliCommand:
    """One command: how the help tells of it, what it asks for beside the settings, and its body."""

    summary: str
    synopsis: str
    request: type[BaseModel] | None
    body: str
    """Where its body is: the module and its function, which takes the settings and, where there is one, the request."""
    matters: tuple[str, ...] = ()
    """The settings and wishes that the short help shows."""
    applies: tuple[str, ...] = ()
    """The settings that the long help shows; all where there are none."""
    ends: str = ""
    """What its exit code tells, where that is more than of every command."""


_MODEL = ("model", "provider", "half", "threads", "verbosity")
PIECE_SETTINGS, TASK_SETTINGS = (
    (*_MODEL, *marked(mark)) for mark in (SettingMark.DECIDES_PIECE, SettingMark.DECIDES_TASK)
)
"""The settings that say something to what makes music of its own, and to tasks on files."""

TASK = ("out", "track", "variants", "plot", "temperature", "model")

LIVE = CliCommand(
    "play live, with the keyboard on a MIDI port",
    "",
    None,
    "realtime.cli.start_live:start_live",
    matters=("input", "output", "mode", "temperature", "composer", "longest_pause_s", "open"),
)

COMMANDS: Mapping[str, CliCommand] = {
    "ports": CliCommand(
        "list the MIDI ports there are", "", None, "realtime.cli.port_list:run_ports", ("api",), ("api", "verbosity")
    ),
    "doctor": CliCommand(
        "find what keeps your piano and pianod apart",
        "",
        DoctorRequest,
        "realtime.cli.doctor:run_doctor",
        ("listen_s", "local_control", "api", "input", "output", "output_channel"),
        (
            "api",
            "input",
            "output",
            "virtual_input",
            "output_channel",
            "thru",
            "model",
            "provider",
            "threads",
            "verbosity",
        ),
        "Ends with 0 where nothing is wrong, 2 where something is to be mended.",
    ),
    "demo": CliCommand(
        "hear a duet without any MIDI, and without playing",
        "--out FOLDER ",
        DemoRequest,
        "realtime.cli.demo:run_demo",
        ("out", "mode", "temperature", "composer", "seed", "model"),
    ),
    "continue": CliCommand(
        SUMMARIES["continue"],
        "FILE... ",
        ContinueFilesRequest,
        "realtime.files.continue_files:run_continue",
        ("seconds", "start_s", "end_s", "like", "composer", *TASK),
        PIECE_SETTINGS,
    ),
    "new": CliCommand(
        "make a new piece",
        "--out FILE ",
        NewPiecesRequest,
        "realtime.files.new_pieces:run_new",
        ("seconds", "ending", "notes", "bpm", "like", "composer", "style", "mood", "density", *TASK),
        PIECE_SETTINGS,
    ),
    "fill": CliCommand(
        SUMMARIES["fill"],
        "FILE... --keep WHAT ",
        FillRequest,
        "realtime.files.task_commands:run_task",
        ("keep", "gap", "pitches", "amount", *TASK),
        TASK_SETTINGS,
    ),
    "velocities": CliCommand(
        SUMMARIES["velocities"],
        "FILE... ",
        VelocitiesRequest,
        "realtime.files.task_commands:run_task",
        ("noise", "from_nothing", *TASK),
        TASK_SETTINGS,
    ),
    "clean": CliCommand(
        SUMMARIES["clean"],
        "FILE... --pitch|--velocity|--onset|--time|--all ",
        CleanRequest,
        "realtime.files.task_commands:run_task",
        ("pitch", "velocity", "onset", "time", "all", "noise_ms", *TASK),
        TASK_SETTINGS,
    ),
    "perform": CliCommand(
        SUMMARIES["perform"],
        "FILE... ",
        PerformRequest,
        "realtime.files.task_commands:run_task",
        ("bpm", "tempo", "keep_grid", *TASK),
        TASK_SETTINGS,
    ),
    "send": CliCommand(
        "steer the pianod that runs, or ask how it stands",
        "WHAT ",
        SendRequest,
        "realtime.cli.send:run_send",
        ("panel_host", "panel_port"),
        ("panel_host", "panel_port", "verbosity"),
    ),
}


def build_parser(*, everything: bool = False) -> tuple[Parser, dict[str, Parser]]:
    """Return the parser of all commands and the parser of each; they keep only the flags that were given, as text.

    Help is short, or shows everything that applies to the command.
    """
    parser = Parser(
        commands=COMMANDS,
        prog="pianod",
        usage="%(prog)s [COMMAND] [settings]",
        description="A duet partner on your MIDI cable. Without a command it plays live.",
        epilog=f"Settings also stand in {DEFAULT_FILE} or the environment ({PREFIX}TEMPERATURE=0.9).",
        formatter_class=ShortHelp,
    )
    parser.add_argument("--version", action="store_true", default=argparse.SUPPRESS, help="show program, model, Python")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=Parser)
    add_settings(parser, LIVE.matters, everything=everything)
    parsers: dict[str, Parser] = {}
    for name, command in COMMANDS.items():
        sub = subparsers.add_parser(
            name,
            prog=f"pianod {name}",
            usage=f"pianod {name} {command.synopsis}[settings]",
            help=command.summary,
            description=command.summary[0].upper() + command.summary[1:] + ".",
            epilog=f"{command.ends} All settings and wishes: --help-all.".lstrip(),
            formatter_class=ShortHelp,
        )
        if command.request is not None:
            add_request(sub, command.request.model_fields, command.matters, everything=everything)
        add_settings(sub, command.matters, everything=everything, applies=command.applies)
        parsers[name] = sub
    return parser, parsers


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """Return what was given; exits with 2, and says what was perhaps meant, where it cannot be read."""
    parser, parsers = build_parser(everything=wants_all(arguments))
    named = next((parsers[word] for word in arguments if word in parsers), None)
    if named is None:
        check_flags(arguments, parser)
    else:
        check_flags(arguments, named, [parser])
    return vars(parser.parse_args(arguments))


def _request_from(model: type[BaseModel] | None, given: Mapping[str, Any]) -> BaseModel | None:
    """Return the checked request of a command; ConfigError tells all faults at once."""
    if model is None:
        return None
    values = {name: value for name, value in given.items() if name in model.model_fields}
    try:
        return model(**values)
    except ValidationError as error:
        faults = [
            fault_in_words(details, model.model_fields, lambda name: WITHOUT_FLAG.get(name) or flag_of(name))
            for details in error.errors(include_url=False)
        ]
        raise ConfigError(faults_as_text(faults, "the command line")) from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run pianod with these arguments, the process's own by default; return the exit code."""
    given = parse(sys.argv[1:] if argv is None else argv)
    name, wants_version = given.pop("command", None), given.pop("version", False)
    config, more = given.pop("config", None), min(given.pop("more", 0), 2)
    command = COMMANDS[name] if name else LIVE
    if more:
        given["verbosity"] = more
    verbosity: int = more
    try:
        flags = {key: value for key, value in given.items() if key in Settings.model_fields}
        told: list[str] = []
        settings = load_settings(flags, config=config, tell=told.append)
        verbosity = settings.verbosity
        begin_log(verbosity, told)
        if wants_version:
            return _show_version(settings)
        return _run(command, settings, _request_from(command.request, given))
    except (KeyboardInterrupt, Exception) as error:  # the top of the main thread
        program = " ".join(("pianod", *([name] if name else [])))
        return exit_code(error, verbosity, program=program, hint=DEMO_HINT if command is LIVE else "")


def _run(command: CliCommand, settings: Settings, request: BaseModel | None) -> int:
    body = resolve_name(command.body)
    gc.enable()
    code: int = body(settings) if request is None else body(settings, request)
    return code


def _show_version(settings: Settings) -> int:
    from realtime.cli.version import version_text

    print(version_text(settings))
    return 0
