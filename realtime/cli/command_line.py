"""The command line: which command, which settings, and how every fault is shown. Runs on the main thread.

Flags are made from the settings and the requests, so that a new setting needs no line here. The commands are
imported when they run, which keeps `--help` quick. Exit codes: 0 done, 1 a fault of pianod, 2 a fault that the
user can mend (one message, no stack trace), 130 interrupted.
"""

import argparse
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from piano.errors import ConfigError, PianodError, PortError
from realtime.cli.requests import DemoRequest, SendRequest
from realtime.files.task_requests import (
    CleanRequest,
    ContinueFilesRequest,
    FillRequest,
    NewPiecesRequest,
    PerformRequest,
    TaskRequest,
    VelocitiesRequest,
)
from realtime.settings import DEFAULT_FILE, PREFIX, Settings, load_settings, settings_by_group
from realtime.settings.words import fault_in_words, faults_as_text, flag_of, notes_on
from realtime.threads.logs import configure_logs

DEMO_HINT = "No MIDI at hand? This needs none, and writes what it plays to files:  bin/pianod demo --out demo"


_WORDS = {"file": "FILE", "files": "FILE", "what": "WHAT"}
"""What a command is asked for that stands without a flag."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: how the help tells of it, what it asks for beside the settings, and its body."""

    summary: str
    synopsis: str
    request: type[BaseModel] | None
    run: Callable[[Settings, Any], int]


def _run_live(settings: Settings, _request: None) -> int:
    from realtime.cli.live import run_live

    return run_live(settings)


def _run_ports(settings: Settings, _request: None) -> int:
    from realtime.cli.port_list import run_ports

    return run_ports(settings)


def _run_demo(settings: Settings, request: DemoRequest) -> int:
    from realtime.cli.demo import run_demo

    return run_demo(settings, request.out)


def _run_continue(settings: Settings, request: ContinueFilesRequest) -> int:
    from realtime.files.continue_files import run_continue

    return run_continue(settings, request)


def _run_new(settings: Settings, request: NewPiecesRequest) -> int:
    from realtime.files.new_pieces import run_new

    return run_new(settings, request)


def _run_task(settings: Settings, request: TaskRequest) -> int:
    from realtime.files.task_commands import run_task

    return run_task(settings, request)


def _run_send(settings: Settings, request: SendRequest) -> int:
    from realtime.cli.send import run_send

    return run_send(settings, request)


LIVE = Command("play live, with the keyboard on a MIDI port", "", None, _run_live)

COMMANDS: Mapping[str, Command] = {
    "ports": Command("list the MIDI ports there are", "", None, _run_ports),
    "demo": Command(
        "hear a duet without any MIDI: a recorded phrase is played to it in real time",
        "--out FOLDER ",
        DemoRequest,
        _run_demo,
    ),
    "continue": Command("go on with MIDI files", "FILE... ", ContinueFilesRequest, _run_continue),
    "new": Command("make a new piece", "--out FILE ", NewPiecesRequest, _run_new),
    "fill": Command(
        "keep a part of MIDI files and let the model play the rest", "FILE... --keep WHAT ", FillRequest, _run_task
    ),
    "velocities": Command("find the velocities of MIDI files", "FILE... ", VelocitiesRequest, _run_task),
    "clean": Command(
        "clean MIDI files of wrong notes, velocities or times",
        "FILE... --pitch|--velocity|--onset|--time|--all ",
        CleanRequest,
        _run_task,
    ),
    "perform": Command("play scores with expression", "FILE... ", PerformRequest, _run_task),
    "send": Command("tell the pianod that runs what to do, or ask how it stands", "WHAT ", SendRequest, _run_send),
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; it keeps only the flags that were given, as text."""
    parser = argparse.ArgumentParser(
        prog="pianod",
        usage="%(prog)s [COMMAND] [settings]",
        description="A duet partner on your MIDI cable. Without a command it plays live.",
        epilog=f"Each setting can also stand in a TOML file ({DEFAULT_FILE}, or --config FILE) or in the environment "
        f"({PREFIX}TEMPERATURE=0.9). The command line comes first, then the environment, then the file.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"pianod {version('pianod')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_settings(parser)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            usage=f"pianod {name} {command.synopsis}[settings]",
            help=command.summary,
            description=command.summary[0].upper() + command.summary[1:] + ".",
            allow_abbrev=False,
        )
        if command.request is not None:
            group = sub.add_argument_group("this command")
            for field_name, field in command.request.model_fields.items():
                _add_request_field(group, field_name, field)
        _add_settings(sub)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="TOML file with settings"
    )
    parser.add_argument(
        "-v",
        action="count",
        dest="more",
        default=argparse.SUPPRESS,
        help="tell more; twice for everything (sets verbosity)",
    )
    for title, fields in settings_by_group():
        group = parser.add_argument_group(title)
        for name, field in fields.items():
            _add_flag(group, name, field)


def _add_request_field(group: argparse._ArgumentGroup, name: str, field: FieldInfo) -> None:
    if name in _WORDS:
        group.add_argument(name, metavar=_WORDS[name], nargs="+" if name == "files" else None, help=field.description)
    else:
        _add_flag(group, name, field)


def _add_flag(group: argparse._ArgumentGroup, name: str, field: FieldInfo) -> None:
    notes = notes_on(field)
    text = f"{field.description} ({notes})" if notes else str(field.description)
    text = text.replace("%", "%%")
    if field.annotation is bool:
        group.add_argument(
            flag_of(name), dest=name, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=text
        )
        return
    group.add_argument(
        flag_of(name),
        dest=name,
        metavar=_metavar(field),
        default=argparse.SUPPRESS,
        required=field.is_required(),
        help=text,
    )


def _metavar(field: FieldInfo) -> str:
    kind = str(field.annotation)
    if "Path" in kind:
        return "PATH"
    if "tuple[float" in kind:
        return "FROM-TO"
    if "Literal" in kind:
        return "WORD"
    return "NAME" if "str" in kind else "N"


def _request_from(model: type[BaseModel] | None, given: Mapping[str, Any]) -> BaseModel | None:
    """Return the checked request of a command; ConfigError tells all faults at once."""
    if model is None:
        return None
    values = {name: value for name, value in given.items() if name in model.model_fields}
    try:
        return model(**values)
    except ValidationError as error:
        faults = [
            fault_in_words(details, model.model_fields, lambda name: _WORDS.get(name) or flag_of(name))
            for details in error.errors(include_url=False)
        ]
        raise ConfigError(faults_as_text(faults, "the command line")) from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run pianod with these arguments, the process's own by default; return the exit code."""
    given = vars(build_parser().parse_args(argv))
    name = given.pop("command", None)
    config, more = given.pop("config", None), min(given.pop("more", 0), 2)
    command = COMMANDS[name] if name else LIVE
    if more:
        given["verbosity"] = more
    verbosity: int = more
    try:
        flags = {key: value for key, value in given.items() if key in Settings.model_fields}
        settings = load_settings(flags, config=config)
        verbosity = settings.verbosity
        configure_logs(verbosity)
        return command.run(settings, _request_from(command.request, given))
    except KeyboardInterrupt:
        return 130
    except PianodError as error:
        needs_hint = isinstance(error, PortError) and command is LIVE
        return _fail(f"{error}\n{DEMO_HINT}" if needs_hint else str(error), 2, verbosity)
    except Exception as error:  # the top of the main thread: a fault of ours, shown without a stack trace
        fault = f"{type(error).__name__}: {error}"
        return _fail(f"something went wrong inside pianod ({fault}). With -v -v it tells where.", 1, verbosity)


def _fail(message: str, code: Literal[1, 2], verbosity: int) -> int:
    if verbosity >= 2:
        traceback.print_exc()
    print(f"pianod: {message}", file=sys.stderr)
    return code
