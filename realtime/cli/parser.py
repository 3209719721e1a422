"""The parser of the command line: help that is short unless all is asked for, and suggestions for what is misspelt."""

import argparse
import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from pydantic.fields import FieldInfo

from realtime.settings import settings_by_group
from realtime.settings.words import default_of, flag_of, notes_on

WITHOUT_FLAG = {"file": "FILE", "files": "FILE", "what": "WHAT"}
"""What a command is asked for that stands without a flag, and how the help calls it."""

_ALL = "--help-all"
_LONG_LIST = re.compile(r" \([^)]{60,}\)")
_NO_COMMAND = re.compile(r"argument COMMAND: invalid choice: '([^']*)'")


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong, and what was perhaps meant."""

    def __init__(self, *, commands: Collection[str] = (), **others: Any) -> None:
        super().__init__(allow_abbrev=False, add_help=False, **others)
        self._commands = commands
        self.add_argument("-h", "--help", action="help", help="show what matters most and exit")
        self.add_argument(_ALL, action="help", help="show every setting and exit")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and exit with 2."""
        if found := _NO_COMMAND.search(message):
            message = f"there is no command {found[1]!r}{perhaps(found[1], self._commands)}"
        self.exit(2, f"{self.prog}: error: {message}\nTo see what there is:  {self.prog} --help\n")

    def flags(self) -> tuple[str, ...]:
        """Return all long options."""
        return tuple(text for text in self._option_string_actions if text.startswith("--"))


class ShortHelp(argparse.HelpFormatter):
    """Help that leaves room for the words."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30)


def perhaps(word: str, known: Iterable[str]) -> str:
    """Return a suggestion for a misspelt word, to be appended; empty where nothing is near."""
    named = {one.lstrip("-"): one for one in known}  # dashes, which all have, make nothing near
    near = difflib.get_close_matches(word.lstrip("-"), named, n=1)
    return f"; perhaps {named[near[0]]}" if near else ""


def wants_all(arguments: Sequence[str]) -> bool:
    """Say whether the long help is asked for."""
    return _ALL in arguments


def check_flags(arguments: Sequence[str], parser: Parser, others: Iterable[Parser] = ()) -> None:
    """Refuse an option that there is not, with the one that is nearest; otherwise its value is taken for a command.

    An option of `parser` may also stand before the command, where the parsers of `others` read on.
    """
    known = {flag for one in (parser, *others) for flag in one.flags()}
    for word in arguments:
        name = word.partition("=")[0]
        if name == "--":
            return
        if name.startswith("--") and name not in known:
            parser.error(f"there is no option {name}{perhaps(name, known)}")


def add_settings(parser: Parser, matters: Collection[str], *, everything: bool, applies: Collection[str] = ()) -> None:
    """Add the flags of all settings; shown are those that matter, or, with everything, those that apply (else all)."""
    shown = (applies or None) if everything else matters
    short = parser.add_argument_group("settings that matter most")
    short.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="TOML file with settings")
    short.add_argument(
        "-v",
        action="count",
        dest="more",
        default=argparse.SUPPRESS,
        help="tell more; twice for everything",
    )
    for title, fields in settings_by_group():
        group = parser.add_argument_group(title)
        for name, field in fields.items():
            is_shown = shown is None or name in shown
            add_flag(group if everything else short, name, field, is_shown=is_shown, in_short=not everything)


def add_request(parser: Parser, fields: dict[str, FieldInfo], matters: Collection[str], *, everything: bool) -> None:
    """Add what a command asks for beside the settings."""
    group = parser.add_argument_group("this command")
    for name, field in fields.items():
        if name in WITHOUT_FLAG:
            many = "+" if name == "files" else None
            group.add_argument(name, metavar=WITHOUT_FLAG[name], nargs=many, help=_text(field, in_short=False))
        else:
            is_shown = everything or name in matters or field.is_required()
            add_flag(group, name, field, is_shown=is_shown, in_short=not everything)


def add_flag(group: Any, name: str, field: FieldInfo, *, is_shown: bool, in_short: bool) -> None:
    """Add one flag; the values are kept as text, for the settings to check."""
    text = _text(field, in_short=in_short) if is_shown else argparse.SUPPRESS
    if field.annotation is bool:
        switch = argparse.BooleanOptionalAction
        group.add_argument(flag_of(name), dest=name, action=switch, default=argparse.SUPPRESS, help=text)
        return
    group.add_argument(
        flag_of(name),
        dest=name,
        metavar=_metavar(field),
        default=argparse.SUPPRESS,
        required=field.is_required(),
        help=text,
    )


def _text(field: FieldInfo, *, in_short: bool) -> str:
    default, said = default_of(field), str(field.description)
    if in_short:  # what may be said stands in the long help
        said = _LONG_LIST.sub("", said)
    notes = (f"default {default}" if default and field.annotation is not bool else "") if in_short else notes_on(field)
    text = f"{said} ({notes})" if notes else said
    return text.replace("%", "%%")


def _metavar(field: FieldInfo) -> str:
    kind = str(field.annotation)
    if "Path" in kind:
        return "PATH"
    if "tuple[float" in kind:
        return "FROM-TO"
    if "Literal" in kind:
        return "WORD"
    return "NAME" if "str" in kind else "N"
