"""Charts as iReal Pro writes them, to charts as `piano.changes` reads them. Text in, text out.

    irealb://…      a link, whose music is scrambled; irealbook://… an older one; of several songs the first
    [T44 D-7 |G7 |C^7 | x ]     the music alone

Repeats and endings are played out; jumps (D.C., D.S., coda), comments and alternative chords are left out. The format
is told at https://irealpro.com/ireal-pro-custom-chord-chart-protocol; how music is scrambled it does not tell: in
blocks of fifty characters some are changed with those as far from the end, which undoes itself.
"""

import re
from urllib.parse import unquote

from piano.errors import PianodError

_MUSIC = "1r34LbKcu7"
_BLOCK = 50
_SWAPPED = (*range(5), *range(10, 24))
_SHORTHANDS = (("Kcl", "| x"), ("LZ", " |"), ("XyQ", "   "))
_OLD_FIELDS = 6

_TOKEN = re.compile(
    r"(?P<skip><[^>]*>|\([^)]*\)|\*\w|T\d\d|[YSQUfsl,\s]+)"
    r"|(?P<line>[|\[\]{}Z])"
    r"|(?P<ending>N\d)"
    r"|(?P<same>[xr])"
    r"|(?P<chord>n|p|(?:[A-G][b#]?|W)(?:sus|alt|add|[-+^ho]|[b#]?\d+)*(?:/[A-G][b#]?)?)"
)


def is_ireal(text: str) -> bool:
    """Say whether a text is a link of iReal Pro, or its music alone."""
    return "irealb://" in text or "irealbook://" in text or re.match(r"\s*(\*\w|[\[{])*T\d\d", text) is not None


def read_ireal(text: str) -> str:
    """Return the chart as `piano.changes.read_chart` takes it; PianodError tells what cannot be read."""
    bars = _Bars()
    music, place = _music(text), 0
    while place < len(music):
        found = _TOKEN.match(music, place)
        if found is None:
            raise PianodError(
                f"{music[place : place + 12]!r} is nothing of iReal's; of its charts, chords, bars and repeats are read"
            )
        bars.take(str(found.lastgroup), found.group())
        place = found.end()
    bars.end_bar()
    return " | ".join(bars.written)


def _music(text: str) -> str:
    """Return the music of the first song."""
    link = re.search(r"ireal(b|book)://([^\"']*)", text)
    if link is None:
        return text.strip()
    fields = unquote(link.group(2)).split("=")
    for field in fields:
        if _MUSIC in field:
            music = _unscrambled(field.partition(_MUSIC)[2])
            for short, long in _SHORTHANDS:
                music = music.replace(short, long)
            return music
    if len(fields) < _OLD_FIELDS:
        raise PianodError("there is no music in this link of iReal's; share the song again, and take the whole link")
    return fields[_OLD_FIELDS - 1]


def _unscrambled(music: str) -> str:
    blocks = [music[start : start + _BLOCK] for start in range(0, len(music), _BLOCK)]
    whole = [block for index, block in enumerate(blocks) if len(music) - (index + 1) * _BLOCK > 1]
    return "".join(map(_swapped, whole)) + "".join(blocks[len(whole) :])


def _swapped(block: str) -> str:
    marks = list(block)
    for place in _SWAPPED:
        marks[place], marks[-1 - place] = marks[-1 - place], marks[place]
    return "".join(marks)


class _Bars:
    """The bars as they are played, from the marks one by one."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._bar: list[str] = []
        self._root = ""
        self._repeats_from = 0
        self._ending_at: int | None = None

    def take(self, kind: str, mark: str) -> None:
        """Take a mark."""
        if kind == "chord":
            self._chord(mark)
        elif kind == "same":
            self.end_bar()
            count = 1 if mark == "x" else 2
            self.written += self.written[-count:]
        elif kind == "ending":
            self.end_bar()
            if mark == "N1":
                self._ending_at = len(self.written)
        elif kind == "line":
            self._line(mark)

    def _chord(self, mark: str) -> None:
        if mark == "n":
            mark = "N.C."
        elif mark == "p":
            mark = "/" if self._bar else self._root
        elif mark[0] == "W":  # the chord before it, over another bass
            mark = self._root + mark[1:]
        if mark and mark != "/":
            self._root = mark.partition("/")[0]
        self._bar += [mark] if mark else []

    def _line(self, mark: str) -> None:
        self.end_bar()
        if mark == "{":
            self._repeats_from, self._ending_at = len(self.written), None
        elif mark == "}":
            end = len(self.written) if self._ending_at is None else self._ending_at
            self.written += self.written[self._repeats_from : end]

    def end_bar(self) -> None:
        """End a bar that has something in it."""
        if self._bar:
            self.written.append(" ".join(self._bar))
            self._bar = []
