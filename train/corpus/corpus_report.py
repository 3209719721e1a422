"""What became of each file of a corpus: counted by data set and split, printed as a table, kept as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from piano.errors import CorpusError
from train.corpus.note_cache import Piece
from train.corpus.sources import SPLITS

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

    @classmethod
    def over(cls, outcomes: Sequence[FileOutcome]) -> "Total":
        """Add up the files."""
        used = [outcome for outcome in outcomes if not outcome.refusal]
        return cls(
            files=len(used),
            refused=len(outcomes) - len(used),
            notes=sum(outcome.notes for outcome in used),
            pedals=sum(outcome.pedals for outcome in used),
            hours=sum(outcome.seconds for outcome in used) / 3600,
            off_keyboard=sum(outcome.off_keyboard for outcome in outcomes),
            doubles=sum(outcome.doubles for outcome in used),
            silence_cut_h=sum(outcome.silence_cut_s for outcome in used) / 3600,
        )


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """The outcome of every file, in the order of the list, and how long a silence was left in."""

    outcomes: Sequence[FileOutcome]
    longest_silence_s: float

    def refused(self) -> list[FileOutcome]:
        """Return the files that are not in the cache."""
        return [outcome for outcome in self.outcomes if outcome.refusal]

    def totals(self) -> dict[tuple[str, str], Total]:
        """Return the sums by data set and split, then of each data set and of all (split or data set "all")."""
        names = list(dict.fromkeys(outcome.piece.dataset for outcome in self.outcomes))
        sums = {}
        for name in names:
            of_dataset = [outcome for outcome in self.outcomes if outcome.piece.dataset == name]
            for split in SPLITS:
                sums[name, split] = Total.over([outcome for outcome in of_dataset if outcome.piece.split == split])
            sums[name, "all"] = Total.over(of_dataset)
        for split in SPLITS:
            sums["all", split] = Total.over([outcome for outcome in self.outcomes if outcome.piece.split == split])
        sums["all", "all"] = Total.over(self.outcomes)
        return sums

    def table(self) -> str:
        """Return the sums as text in columns, and below them each refused file with the reason."""
        head = ("data set", "split", "files", "refused", "notes", "hours", "pedals", "off keys", "doubles", "cut h")
        rows = [head] + [
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
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        lines = [
            "  ".join(
                cell.ljust(width) if column < 2 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
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
            "files": [
                {**{key: value for key, value in asdict(outcome).items() if key != "piece"}, **_named(outcome.piece)}
                for outcome in self.outcomes
            ],
        }
        try:
            path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise CorpusError(f"{path}: cannot be written: {error.strerror or error}") from error


def _named(piece: Piece) -> dict[str, str]:
    """Return what identifies a piece in the report."""
    return {"dataset": piece.dataset, "file": piece.file, "split": piece.split}
