"""Figures as tables: as text for a terminal, and as Markdown. The first column stands left and the others right."""

from collections.abc import Iterable, Sequence

from tabulate import tabulate


def text_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return a table as text in columns, of which so many stand left; spaces at the beginning of a cell stay."""
    return _table("plain", head, rows, left)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown: the heads, then a line for each row; numbers stand to the right."""
    return _table("pipe", head, rows, 1)


def _table(form: str, head: Sequence[str], rows: Iterable[Sequence[str]], left: int) -> str:
    aligned = ("left",) * left + ("right",) * (len(head) - left)
    made = tabulate(
        list(rows),
        head,
        tablefmt=form,
        disable_numparse=True,
        preserve_whitespace=True,
        colalign=aligned,
        headersalign=aligned,
    )
    return str(made)
