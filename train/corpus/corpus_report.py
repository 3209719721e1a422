"""What became of each file of a corpus: counted by data set and split, printed as a table, kept as JSON."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

from piano.errors import CorpusError
from piano.whole_file import whole_file
from train.corpus.note_cache import Piece
from train.corpus.sources import SPLITS
from train.tables import text_table

REPORT_NAME = "report.json"


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """One file: what is in the cache of it, what cleaning took away, and why it was refused, if it was."""

    piece: Piece
    notes: int = 0
    pedals: int = 0
    seconds: float = 0.0
    off_keyboard: int = 0
    doubles: int = 0
    silence_cut_s: float = 0.0
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over some files; `doubles` counts notes that another track doubled, hours end with the last key up."""

    files: int
    refused: int
    notes: int
    pedals: int
    hours: float
    off_keyboard: int
    doubles: int
    silence_cut_h: float


_SUMMED = ("notes", "pedals", "seconds", "doubles", "silence_cut_s")
"""The figures of a file that count where it was not refused."""

_Sums = Counter[str]


def _add(sums: _Sums, outcome: FileOutcome) -> None:
    """Add a file; of one that was refused only what was off the keyboard counts."""
    sums["off_keyboard"] += outcome.off_keyboard
    if outcome.refusal:
        sums["refused"] += 1
        return
    sums["files"] += 1
    for name in _SUMMED:
        sums[name] += getattr(outcome, name)


def _total(sums: _Sums) -> Total:
    of_seconds: dict[str, Any] = {"hours": sums["seconds"] / 3600, "silence_cut_h": sums["silence_cut_s"] / 3600}
    return Total(**{each.name: of_seconds.get(each.name, sums[each.name]) for each in fields(Total)})


class Outcomes(Protocol):
    """Outcomes that can be gone through more than once, wherever they lie."""

    def __iter__(self) -> Iterator[FileOutcome]:
        """Yield them in the order of the list."""


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """The outcome of every file, in the order of the list (it may lie on the disk), and how long a silence was left."""

    outcomes: Outcomes
    longest_silence_s: float

    def refused(self) -> list[FileOutcome]:
        """Return the files that are not in the cache."""
        return [outcome for outcome in self.outcomes if outcome.refusal]

    def totals(self) -> dict[tuple[str, str], Total]:
        """Return the sums by data set and split, then of each data set and of all (split or data set "all")."""
        sums: dict[tuple[str, str], _Sums] = {}
        of_all = {("all", split): _Sums() for split in (*SPLITS, "all")}
        for outcome in self.outcomes:
            name, split = outcome.piece.dataset, outcome.piece.split
            if (name, "all") not in sums:
                sums |= {(name, one): _Sums() for one in (*SPLITS, "all")}
            for total in (sums[name, split], sums[name, "all"], of_all["all", split], of_all["all", "all"]):
                _add(total, outcome)
        return {key: _total(total) for key, total in (sums | of_all).items()}

    def table(self) -> str:
        """Return the sums as text in columns, and below them each refused file with the reason."""
        head = ("data set", "split", "files", "refused", "notes", "hours", "pedals", "off keys", "doubles", "cut h")
        rows = [
            (
                name,
                split,
                f"{total.files:,}",
                f"{total.refused:,}",
                f"{total.notes:,}",
                f"{total.hours:,.1f}",
                f"{total.pedals:,}",
                f"{total.off_keyboard:,}",
                f"{total.doubles:,}",
                f"{total.silence_cut_h:,.1f}",
            )
            for (name, split), total in self.totals().items()
        ]
        lines = [text_table(head, rows, left=2)]
        lines += [f"refused {outcome.piece.dataset}: {outcome.refusal}" for outcome in self.refused()]
        return "\n".join(lines)

    def save(self, path: Path) -> None:
        """Write the sums, the refused files and the figures of every file as JSON."""
        report: dict[str, Any] = {
            "longest_silence_s": self.longest_silence_s,
            "totals": [
                {"dataset": name, "split": split, **asdict(total)} for (name, split), total in self.totals().items()
            ],
            "refused": [
                {"dataset": outcome.piece.dataset, "file": outcome.piece.file, "why": outcome.refusal}
                for outcome in self.refused()
            ],
        }
        try:
            with whole_file(path) as partial, partial.open("w", encoding="utf-8") as file:
                file.write(json.dumps(report, ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "files": [')
                for number, outcome in enumerate(self.outcomes):
                    figures = {name: getattr(outcome, name) for name in _FIGURES}
                    text = json.dumps(_named(outcome.piece) | figures, ensure_ascii=False)
                    file.write(("," if number else "") + "\n  " + text)
                file.write("\n ]\n}\n")
        except OSError as error:
            raise CorpusError(f"{path}: cannot be written: {error.strerror or error}") from error


_FIGURES = tuple(each.name for each in fields(FileOutcome) if each.name != "piece")


def _named(piece: Piece) -> dict[str, str]:
    """Return what identifies a piece in the report."""
    return {"dataset": piece.dataset, "file": piece.file, "split": piece.split}
