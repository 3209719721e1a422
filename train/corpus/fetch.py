"""`python -m train fetch`: a public data set from its makers, ready for `prepare`."""

import argparse
import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from piano.errors import CorpusError
from train.corpus.download import RemoteFile, download
from train.corpus.sources import LICENCES, SPLITS

SPLITS_NAME = "splits.csv"

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set that can be fetched: its id, its zip, and how the table in it becomes rows of `splits.csv`."""

    id: str
    remote: RemoteFile
    table: str
    row: Callable[[Row], Row]
    home: str


def _maestro_row(row: Row) -> Row:
    return {
        "dataset": "maestro-v3.0.0",
        "file": f"maestro-v3.0.0/{row['midi_filename']}",
        "split": row["split"],
        "composer": row["canonical_composer"],
        "title": row["canonical_title"],
    }


DATA_SETS = {
    "maestro": DataSet(
        "maestro-v3.0.0",
        RemoteFile(
            "https://storage.googleapis.com/magentadata/datasets/maestro/v3.0.0/maestro-v3.0.0-midi.zip",
            58_416_533,
            "70470ee253295c8d2c71e6d9d4a815189e35c89624b76d22fce5a019d5dde12c",
        ),
        "maestro-v3.0.0/maestro-v3.0.0.csv",
        _maestro_row,
        "https://magenta.tensorflow.org/datasets/maestro",
    )
}
"""The data sets by the names that the command takes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", choices=sorted(DATA_SETS), help="the data set")
    parser.add_argument("--out", type=Path, default=Path("data"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--url", help="another address of the same file")


def run(args: argparse.Namespace) -> int:
    """Fetch, check, write the table of splits, and say how to go on."""
    data = DATA_SETS[args.name]
    if args.url is not None:
        data = replace(data, remote=replace(data.remote, url=args.url))
    files = fetch(data, args.out)
    splits = args.out / SPLITS_NAME
    print(f"{args.out}: {files} files of {data.id}, licence {LICENCES[data.id]} (see {data.home}). Go on with")
    print(f"    python -m train prepare --zips {args.out} --splits {splits} --out corpus")
    return 0


def fetch(data: DataSet, out: Path) -> int:
    """Bring the zip of a data set and its table of splits into a folder; return how many files it holds."""
    path = out / f"{data.id}-midi.zip"
    download(data.remote, path)
    rows = _rows(data, path)
    try:
        with (out / SPLITS_NAME).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["dataset", "file", "split", "composer", "title"])
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise CorpusError(f"{out / SPLITS_NAME}: cannot be written ({error.strerror})") from error
    return len(rows)


def _rows(data: DataSet, path: Path) -> list[Row]:
    """Return the table in the zip as rows of ours; each file that it names must be there."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
            text = archive.read(data.table).decode("utf-8")
        rows = [data.row(row) for row in csv.DictReader(io.StringIO(text))]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise CorpusError(f"{path}: is not the {data.id} that this program knows ({error})") from error
    missing = [row["file"] for row in rows if row["file"] not in members or row["split"] not in SPLITS]
    if missing or not rows:
        raise CorpusError(f"{path}: its table does not fit its files ({missing[0] if missing else 'it is empty'})")
    return rows
